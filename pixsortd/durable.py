"""What the disk has to be told so that a file or a name outlives a power cut, and whether it is full."""

import errno
import os
from pathlib import Path

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


def sync_path(path: str | os.PathLike[str]) -> None:
    """Make what was written to a closed file, or the names in a directory, survive a power cut. Raises ``OSError``."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_private(path: Path, data: bytes) -> None:
    """Put a file in place atomically, for this user only; not durable. Raises ``OSError``, an older file stays then."""
    temporary = path.with_suffix(".tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room: the disk is full, or a quota is used up."""
    return error.errno in _FULL
