"""The mark of a clean shutdown: the CRC-32 of the index file, so that an unchanged one is not probed again.

It is written after the file was closed and removed when the file is opened for writing. After a crash, after damage
that was met while running, and when a single bit of the file has changed since, the full probe decides.
"""

import time
import zlib
from pathlib import Path

import msgspec
import structlog

from pixsortd.errors import IndexProblem
from pixsortd.index import schema
from pixsortd.index.durable import write_whole
from pixsortd.records import Record

log = structlog.get_logger()

NAME = "clean.json"
_CHUNK = 1 << 20


class Mark(Record, frozen=True, kw_only=True):
    """The index file as it was closed."""

    version: int
    """Format of the index."""
    size: int
    crc: int
    """CRC-32 of the whole file."""


def mark(data: Path, seconds: float) -> bool:
    """Mark the index file, which is closed; whether that could be done within ``seconds``."""
    try:
        found = _look(data, time.monotonic() + seconds)
        if found is not None:
            # One that a power cut takes, or brings back, is either no mark or of another file.
            write_whole(data.with_name(NAME), [msgspec.json.encode(found)], durable=False)
    except (OSError, IndexProblem) as error:
        log.warning("index not marked as clean", error=str(error))
        return False
    return found is not None


def unmark(directory: Path) -> None:
    """The index is about to change. Raises ``OSError``."""
    (directory / NAME).unlink(missing_ok=True)


def is_clean(data: Path) -> bool:
    """Whether the index file is, bit by bit, the one that was marked, in the present format."""
    try:
        marked = msgspec.json.decode(data.with_name(NAME).read_bytes(), type=Mark)
        return marked.version == schema.VERSION and marked.size == data.stat().st_size and marked == _look(data, None)
    except (OSError, msgspec.MsgspecError):
        return False


def _look(data: Path, until: float | None) -> Mark | None:
    """The file as it is; None when that is not known by ``until``. Raises ``OSError``."""
    size = crc = 0
    with data.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(_CHUNK))
        while count := file.readinto(buffer):
            if until is not None and time.monotonic() > until:
                return None
            crc, size = zlib.crc32(buffer[:count], crc), size + count
    return Mark(version=schema.VERSION, size=size, crc=crc)
