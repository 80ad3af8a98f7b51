"""Photo directories and whether they can be believed."""

import hashlib
from enum import StrEnum

from pixsortd.records.base import Reason, Record


class RootState(StrEnum):
    """Whether a root's files can be believed right now."""

    STARTING = "starting"
    ONLINE = "online"
    AWAY = "away"
    UNREADABLE = "unreadable"


class Role(StrEnum):
    """What a root is for; a library is only written to where its settings say so."""

    LIBRARY = "library"
    INBOX = "inbox"


class WatchMode(StrEnum):
    """How changes are noticed: kernel events, our own polling scan, or events with gaps."""

    EVENTS = "events"
    POLLING = "polling"
    DEGRADED = "degraded"
    OFF = "off"


class VolumeIdentity(Record, frozen=True, kw_only=True):
    """What a root's volume looked like when it was last believed."""

    device: int
    filesystem: int
    inode: int
    marker: str | None = None


class RootRecord(Record, frozen=True, kw_only=True):
    """The last known state of a root, kept across restarts."""

    id: str
    path: bytes
    role: Role = Role.LIBRARY
    writable: bool = False
    """Whether files may be moved here, as the configuration says; an inbox always is."""
    state: RootState = RootState.STARTING
    reason: Reason | None = None
    since: float = 0.0
    watch: WatchMode = WatchMode.OFF
    watch_reason: Reason | None = None
    directories: int = 0
    watched: int = 0
    identity: VolumeIdentity | None = None
    last_scan: float = 0.0
    scan_seconds: float = 0.0
    missing: int = 0
    """Files absent at the last scan while the root waits for an answer."""
    skipped: dict[str, int] = {}
    """Entries the last scan could not take for files, by kind (symlink, fifo, socket, device, unreadable)."""
    mounts: tuple[bytes, ...] = ()
    """Mount points below the root that held files; when one is not mounted, its files are away, not deleted."""


def root_id(real_path: bytes) -> str:
    """The short, stable id of the root at ``real_path`` (absolute, symlinks resolved)."""
    return hashlib.blake2b(real_path, digest_size=6).hexdigest()
