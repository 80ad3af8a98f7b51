"""Append-only log files that nothing may be lost from: one checksummed record a line.

A line is the CRC-32 of the JSON in eight hex digits, a space, and the JSON of one record.
Each append is on disk before it returns. A last line that was cut off by a crash is moved aside
and reported; damage before it is never guessed at. What the lines say is no matter of this module.
"""

import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from pixsortd.durable import is_full, sync_path
from pixsortd.errors import PixsortdError, StateDirectoryError, StateDirectoryFull, explain_os_error

log = structlog.get_logger()

TakeBody = Callable[[bytes], None]
"""Takes the JSON of one line."""


def line_of(body: bytes) -> bytes:
    """The JSON of a record as its line in the log."""
    return b"%08x %s\n" % (zlib.crc32(body), body)


def body_of(line: bytes) -> bytes:
    """The JSON in a whole line; raises ``ValueError`` unless it is what ``line_of`` wrote."""
    if not line.endswith(b"\n") or line[8:9] != b" ":
        raise ValueError("the line is not complete")
    body = line[9:-1]
    if b"%08x" % zlib.crc32(body) != line[:8]:
        raise ValueError("the line fails its checksum")
    return body


def sound_bodies(path: Path) -> Iterator[bytes]:
    """The JSON of every whole line of a log that is only read; none without a file. Raises ``OSError``."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError):
                yield body_of(line)


class LogFile:
    """The open log file. One thread at a time."""

    def __init__(self, path: Path, handle: int, take: TakeBody, damaged: type[PixsortdError]) -> None:
        """``take`` gets what the whole lines say. Raises ``damaged``, ``OSError``."""
        self.path = path
        self.torn: Path | None = None
        """Where a cut-off last line was put when the log was opened, None if there was none."""
        self._handle = handle
        self._end = 0
        tail = self._read(take, damaged)
        if tail:
            self._mend(tail, take)

    @classmethod
    def open(cls, path: Path, take: TakeBody, damaged: type[PixsortdError]) -> "LogFile":
        """Read the log at ``path``, made with its directory if absent; ``take`` gets what its whole lines say.

        Raises ``damaged`` for damage before the last line and ``StateDirectoryError`` when the
        directory cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(error, path) from error
        try:
            opened = cls(path, handle, take, damaged)
            sync_path(path.parent)
        except OSError as error:
            os.close(handle)
            raise unusable(error, path) from error
        except BaseException:
            os.close(handle)
            raise
        return opened

    def append(self, bodies: Sequence[bytes]) -> None:
        """Add lines with one write, all on disk when this returns.

        Raises ``StateDirectoryFull`` or ``StateDirectoryError``, with the log as it was.
        """
        lines = b"".join(map(line_of, bodies))
        try:
            # Whatever a failed append left behind the last whole line goes first.
            os.ftruncate(self._handle, self._end)
            _write_all(self._handle, lines, self._end)
            os.fsync(self._handle)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._handle, self._end)
            raise unusable(error, self.path) from error
        self._end += len(lines)

    def close(self) -> None:
        """Close the file; every append is on disk already."""
        os.close(self._handle)
        self._handle = -1  # a late append must fail, not reach whatever file has that number next

    def _read(self, take: TakeBody, damaged: type[PixsortdError]) -> bytes:
        """Go through the whole lines; what is behind the last of them."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return line
                try:
                    body = body_of(line)
                except ValueError as error:
                    raise damaged(
                        f"line {number} is damaged ({error})",
                        path=os.fspath(self.path),
                        next_step="Restore the file from a backup, or repair that line by hand; nothing was changed.",
                    ) from error
                take(body)
                self._end += len(line)
        return b""

    def _mend(self, tail: bytes, take: TakeBody) -> None:
        """Make a cut-off last line whole where only its end is missing, else move it aside."""
        for rescued in (tail + b"\n", tail[:-1] + b"\n"):
            # All of it but the line's end may have reached the disk: its checksum says so.
            with suppress(ValueError):
                body = body_of(rescued)
                _write_all(self._handle, rescued, self._end)
                self._end += len(rescued)
                os.ftruncate(self._handle, self._end)
                os.fsync(self._handle)
                take(body)
                return
        self.torn = self._tear_off(tail)

    def _tear_off(self, tail: bytes) -> Path:
        """Move a torn last line aside, durably, before it is cut off."""
        name = f"{self.path.name}.torn-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{self._end}"
        aside = self.path.with_name(name)
        with aside.open("wb") as file:
            file.write(tail)
            file.flush()
            os.fsync(file.fileno())
        os.ftruncate(self._handle, self._end)
        os.fsync(self._handle)
        log.warning("torn last line moved aside", path=os.fspath(aside), bytes=len(tail))
        return aside


def _write_all(handle: int, data: bytes, position: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, position)
        rest, position = rest[written:], position + written


def unusable(error: OSError, path: Path) -> PixsortdError:
    """What is raised when a file of the state directory cannot be written."""
    what, advice = explain_os_error(error)
    if is_full(error):
        return StateDirectoryFull("the disk is full, so nothing could be kept", path=os.fspath(path), next_step=advice)
    return StateDirectoryError(what, path=os.fspath(path), next_step=advice)
