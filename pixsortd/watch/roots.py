"""Can a root's files be believed right now? A thin probe and pure judgements on what it saw.

A root that may be written carries a marker file; a read-only one is known by its device, file system
id and inode and, when those have changed, by a sample of its known files. An empty, swapped or
half-vanished directory is ``away``: absence is not deletion.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

from pixsortd.config import WatchSettings
from pixsortd.errors import explain_os_error
from pixsortd.records import FileRow, Reason, Record, RootState, VolumeIdentity
from pixsortd.watch.rules import OWN_DIRECTORIES
from pixsortd.watch.tree import RootChanged, Tree

MARKER = b".pixsortd-root"
_OURS = frozenset(map(os.fsdecode, (MARKER, *OWN_DIRECTORIES)))
ABSENT = "root-missing"
"""The reason code of a root whose directory is not there."""
BRAKED = "files-missing"
"""The reason code of a root whose brake holds."""
_AT_ONCE = 1000
"""This many files missing is more than a person deletes, however large the root."""


class Probe(Record, frozen=True, kw_only=True):
    """What one look at a root's directory has shown."""

    identity: VolumeIdentity | None = None
    empty: bool = False
    """There is nothing in it but, at most, what is our own."""
    failure: Reason | None = None
    state: RootState = RootState.ONLINE
    """What the failure alone would make of the root."""


class Sample(Record, frozen=True, kw_only=True):
    """How many of some known files were found where they belong."""

    tried: int
    found: int


class Verdict(Record, frozen=True, kw_only=True):
    """What a root is, and why if it is not online."""

    state: RootState
    reason: Reason | None = None
    renewed: bool = False
    """The volume is believed although its identity is new or has changed."""


def probe(path: bytes, *, marked: bool) -> Probe:
    """Look at the root at the absolute ``path``; ``marked`` roots are looked at for their marker too."""
    try:
        with Tree.at(path) as tree, tree.directory(b"") as descriptor:
            seen = os.fstat(descriptor)
            marker = _read_marker(descriptor) if marked else None
            identity = VolumeIdentity(
                device=seen.st_dev,
                filesystem=os.fstatvfs(descriptor).f_fsid,
                inode=seen.st_ino,
                marker=marker,
            )
            with os.scandir(descriptor) as listing:
                empty = all(entry.name in _OURS for entry in listing)
            return Probe(identity=identity, empty=empty)
    except RootChanged:
        reason = Reason(
            code=ABSENT,
            message="the directory is not there",
            next_step="Mount or connect the volume; work resumes by itself.",
        )
        return Probe(failure=reason, state=RootState.AWAY)
    except OSError as error:
        what, advice = explain_os_error(error)
        if error.errno in (errno.EACCES, errno.EPERM):
            return Probe(
                failure=Reason(code="root-unreadable", message=what, next_step=advice), state=RootState.UNREADABLE
            )
        return Probe(failure=Reason(code="root-failing", message=what, next_step=advice), state=RootState.AWAY)


def same_volume(previous: VolumeIdentity | None, identity: VolumeIdentity | None) -> bool:
    """Whether both are the very same directory of the same mounted file system."""
    return (
        previous is not None
        and identity is not None
        and (previous.device, previous.filesystem, previous.inode)
        == (identity.device, identity.filesystem, identity.inode)
    )


def judge(previous: VolumeIdentity | None, seen: Probe, *, known: int, sample: Sample | None = None) -> Verdict:
    """Decide whether a root may be believed.

    ``previous`` is the identity last believed, ``known`` the number of files (other than excluded
    ones) that the index has for the root; ``sample`` is needed only when the identity has changed.
    """
    identity = seen.identity
    if identity is None:
        return Verdict(state=seen.state, reason=seen.failure)
    marked = identity.marker is not None and (previous is None or previous.marker in (None, identity.marker))
    if seen.empty and known and not marked:
        return Verdict(state=RootState.AWAY, reason=_empty(known))
    if same_volume(previous, identity):
        return Verdict(state=RootState.ONLINE, renewed=previous != identity)
    if previous is not None and previous.marker is not None:
        if identity.marker == previous.marker:
            return Verdict(state=RootState.ONLINE, renewed=True)
        if identity.marker is None and not known:
            return Verdict(state=RootState.AWAY, reason=_UNMARKED)
    if not known or (sample is not None and sample.tried and 2 * sample.found >= sample.tried):
        return Verdict(state=RootState.ONLINE, renewed=True)
    return Verdict(state=RootState.AWAY, reason=_other_volume(sample))


def braked(missing: int, known: int, settings: WatchSettings) -> bool:
    """Whether ``missing`` of ``known`` files is more than a person deletes at once."""
    if missing >= _AT_ONCE:
        return True
    return missing >= settings.brake_files and missing >= settings.brake_share * known


def vanished(missing: int, known: int) -> Reason:
    """The reason for which the brake holds."""
    return Reason(
        code=BRAKED,
        message=f"{missing} of {known} known files are missing, more than a person deletes at once; nothing is dropped",
        next_step="Bring the files back, or confirm that they are gone.",
    )


def compare_sample(path: bytes, rows: Sequence[FileRow]) -> Sample:
    """Look for known files of the root at ``path``; one that has its size is taken for found."""
    found = tried = 0
    with suppress(RootChanged, OSError), Tree.at(path) as tree:
        for row in rows:
            if row.stamp is None:
                continue
            tried += 1
            with suppress(OSError):
                seen = tree.stamp(row.path)
                found += seen is not None and seen.size == row.stamp.size
    return Sample(tried=tried, found=found)


def write_marker(path: bytes, root: str) -> bool:
    """Mark the root at ``path`` as the one called ``root``. Only for roots that may be written."""
    try:
        with Tree.at(path) as tree, tree.directory(b"") as descriptor:
            if _read_marker(descriptor) == root:
                return True
            fresh = MARKER + b".part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            handle = os.open(fresh, flags, 0o644, dir_fd=descriptor)
            try:
                os.write(handle, root.encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
            os.rename(fresh, MARKER, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            os.fsync(descriptor)
            return True
    except (RootChanged, OSError):
        return False


def _read_marker(descriptor: int) -> str | None:
    try:
        handle = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    except OSError:
        return None
    try:
        return os.read(handle, 64).decode("ascii", "replace").strip() or None
    except OSError:
        return None
    finally:
        os.close(handle)


_UNMARKED = Reason(
    code="marker-missing",
    message="this is not the directory that was marked: its marker file is missing",
    next_step="Mount or connect the volume; work resumes by itself.",
)


def _empty(known: int) -> Reason:
    return Reason(
        code="root-empty",
        message=f"the directory is empty although {known} of its files are known; its volume may not be mounted",
        next_step="Mount or connect the volume, or confirm that the files are gone.",
    )


def _other_volume(sample: Sample | None) -> Reason:
    found = f" ({sample.found} of {sample.tried} known files looked for are there)" if sample else ""
    return Reason(
        code="other-volume",
        message=f"another volume or directory is in its place{found}",
        next_step="Mount the right volume, or confirm that the known files are gone.",
    )
