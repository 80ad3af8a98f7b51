"""The values that travel between rooms: frozen, comparable, serialisable with msgspec.

Conventions: paths are raw bytes relative to their root, never starting with ``/``; times are
seconds since the epoch (UTC) unless the name ends in ``_ns``; a photo is named by the SHA-256 of
its bytes (32 raw bytes here, hex at the edges); a root by a short hex id made from its real path.
"""

from pixsortd.records.base import Reason, Record
from pixsortd.records.decisions import ConfirmGone, Decision, NameGroup, RatePhoto
from pixsortd.records.files import (
    Back,
    Change,
    Excluded,
    FileRow,
    FileStamp,
    FileState,
    Found,
    Gone,
    Ledger,
    Linked,
    Missing,
    Moved,
    Refused,
)
from pixsortd.records.groups import Group, Membership
from pixsortd.records.jobs import Job, JobState, Step
from pixsortd.records.photos import Ability, AbilityState, Embedding, Exif, MetricInfo, Photo, Score, Space
from pixsortd.records.roots import Role, RootRecord, RootState, VolumeIdentity, WatchMode, root_id
from pixsortd.records.work import Analysis, Fingerprint, Wants, WorkItem

__all__ = [
    "Ability",
    "AbilityState",
    "Analysis",
    "Back",
    "Change",
    "ConfirmGone",
    "Decision",
    "Embedding",
    "Excluded",
    "Exif",
    "FileRow",
    "FileStamp",
    "FileState",
    "Fingerprint",
    "Found",
    "Gone",
    "Group",
    "Job",
    "JobState",
    "Ledger",
    "Linked",
    "Membership",
    "MetricInfo",
    "Missing",
    "Moved",
    "NameGroup",
    "Photo",
    "RatePhoto",
    "Reason",
    "Record",
    "Refused",
    "Role",
    "RootRecord",
    "RootState",
    "Score",
    "Space",
    "Step",
    "VolumeIdentity",
    "Wants",
    "WatchMode",
    "WorkItem",
    "root_id",
]
