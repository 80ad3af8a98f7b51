"""The upload root: which of the roots it is, whether it is there, and the way to a folder in it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pixsortd.config import UploadSettings
from pixsortd.daemon.places import real_path
from pixsortd.daemon.uploads.draft import DIRECTORY
from pixsortd.daemon.uploads.words import gone, refusal
from pixsortd.records import Reason, Role, RootRecord, RootState, VolumeIdentity

NO_INBOX = Reason(
    code="no-inbox",
    message="no inbox is configured, so nothing can be uploaded",
    next_step='Add a root with role = "inbox" to the configuration, such as [[roots]] path = "~/Pictures/Inbox"'
    ' role = "inbox", and restart the daemon.',
)


class Inbox(NamedTuple):
    """The upload root as it is watched."""

    root: str
    path: bytes
    device: int
    inode: int

    @classmethod
    def of(cls, record: RootRecord, identity: VolumeIdentity) -> "Inbox":
        """The inbox of a root that is there."""
        return cls(record.id, record.path, identity.device, identity.inode)


def find(settings: UploadSettings, roots: Sequence[RootRecord]) -> Inbox | Reason:
    """The inbox that takes uploads now, or why there is none."""
    wanted = real_path(settings.inbox) if settings.inbox else None
    inboxes = (one for one in roots if one.role is Role.INBOX and wanted in (None, one.path))
    record = next(inboxes, None)
    if record is None:
        return NO_INBOX
    if record.state is RootState.ONLINE and record.identity is not None:
        return Inbox.of(record, record.identity)
    if record.state is RootState.STARTING:
        return Reason(code="inbox-starting", message="the inbox is still being looked at", next_step="Try again soon.")
    why = f": {record.reason.message}" if record.reason else ""
    return Reason(
        code="inbox-away",
        message=f"the inbox is not there{why}",
        next_step=record.reason.next_step if record.reason else "Bring its disk or share back.",
    )


@contextmanager
def opened(inbox: Inbox) -> Iterator[int]:
    """The inbox's directory, open, and surely the one that is watched: not the empty mount point below it.

    Raises ``UploadRefused``.
    """
    try:
        root = os.open(inbox.path, DIRECTORY)
    except OSError as error:
        raise refusal(error) from error
    try:
        seen = os.fstat(root)
        if (seen.st_dev, seen.st_ino) != (inbox.device, inbox.inode):
            raise gone()
        yield root
    finally:
        os.close(root)


@contextmanager
def folder(root: int, parts: Sequence[bytes], *, make: bool) -> Iterator[int]:
    """The folder ``parts`` below an open root, open; links on the way are refused.

    With ``make`` what is missing is made, durably; else it is the innermost folder that exists.
    Raises ``UploadRefused``.
    """
    try:
        current = os.open(b".", DIRECTORY, dir_fd=root)
    except OSError as error:
        raise refusal(error) from error
    try:
        for part in parts:
            following = _step(current, part, make=make)
            if following is None:
                break
            os.close(current)
            current = following
        yield current
    except OSError as error:
        raise refusal(error) from error
    finally:
        os.close(current)


def _step(current: int, part: bytes, *, make: bool) -> int | None:
    try:
        return os.open(part, DIRECTORY, dir_fd=current)
    except FileNotFoundError:
        if not make:
            return None
    try:
        os.mkdir(part, 0o777, dir_fd=current)
        os.fsync(current)
    except FileExistsError:
        pass  # another upload was faster
    return os.open(part, DIRECTORY, dir_fd=current)
