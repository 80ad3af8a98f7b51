"""The log of what the user decided: append-only, one checksummed record a line, precious.

A line is the CRC-32 of the JSON in eight hex digits, a space, and the JSON of one tagged decision.
Each append is on disk before it returns. A last line that was cut off by a crash is moved aside
and reported; damage before it is never guessed at.
"""

import errno
import os
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from pixsortd.errors import DecisionsDamaged, PixsortdError, StateDirectoryError, explain_os_error
from pixsortd.records import Decision, NameGroup, RatePhoto

log = structlog.get_logger()

NAME = "decisions.log"
_decoder: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)
_encode = msgspec.json.Encoder().encode


def line_of(decision: Decision) -> bytes:
    """The decision as its line in the log."""
    body = _encode(decision)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def body_of(line: bytes) -> bytes:
    """The JSON in a whole line; raises ``ValueError`` unless it is what ``line_of`` wrote."""
    if not line.endswith(b"\n") or line[8:9] != b" ":
        raise ValueError("the line is not complete")
    body = line[9:-1]
    if b"%08x" % zlib.crc32(body) != line[:8]:
        raise ValueError("the line fails its checksum")
    return body


def replay(lines: Iterable[bytes]) -> list[Decision]:
    """The decisions in whole lines; one of a kind that only a later version knows is left in peace."""
    decisions = []
    for line in lines:
        try:
            decisions.append(_decoder.decode(body_of(line)))
        except msgspec.ValidationError as error:
            log.warning("decision of an unknown kind kept but not used", reason=str(error))
    return decisions


def group_names(decisions: Iterable[Decision]) -> dict[str, NameGroup]:
    """The last name given to each group that still has one."""
    names: dict[str, NameGroup] = {}
    for decision in decisions:
        if isinstance(decision, NameGroup):
            names.pop(decision.group, None)
            if decision.name is not None:
                names[decision.group] = decision
    return names


def star_ratings(decisions: Iterable[Decision]) -> dict[bytes, int]:
    """The last rating of each photo that still has one."""
    stars: dict[bytes, int] = {}
    for decision in decisions:
        if isinstance(decision, RatePhoto):
            stars.pop(decision.sha256, None)
            if decision.stars is not None:
                stars[decision.sha256] = decision.stars
    return stars


class Decisions:
    """The open log. Any thread may append or ask."""

    def __init__(self, path: Path, handle: int, lines: list[bytes], torn: Path | None) -> None:
        self.path = path
        self.torn = torn
        """Where a cut-off last line was put when the log was opened, None if there was none."""
        self._handle = handle
        self._decisions = replay(lines)
        self._names: dict[str, NameGroup] | None = None
        self._stars: dict[bytes, int] | None = None
        self._end = sum(map(len, lines))
        self._lock = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> "Decisions":
        """Read the log in ``directory``, made if absent.

        Raises ``DecisionsDamaged`` for damage before the last line and ``StateDirectoryError`` when
        the directory cannot be used.
        """
        path = directory / NAME
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(error, path) from error
        try:
            lines, torn = _read(path, handle)
            _sync_directory(directory)
        except OSError as error:
            os.close(handle)
            raise _unusable(error, path) from error
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle, lines, torn)

    def append(self, decision: Decision) -> None:
        """Write one decision, on disk when this returns.

        Raises ``StateDirectoryError`` with the log as it was when the disk is full or fails.
        """
        line = line_of(decision)
        with self._lock:
            try:
                # Whatever a failed append left behind the last whole line goes first.
                os.ftruncate(self._handle, self._end)
                _write_all(self._handle, line, self._end)
                os.fsync(self._handle)
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._handle, self._end)
                raise _unusable(error, self.path) from error
            self._end += len(line)
            self._decisions.append(decision)
            self._names = self._stars = None

    def all(self) -> list[Decision]:
        """Every decision, in the order they were made."""
        with self._lock:
            return list(self._decisions)

    def names(self) -> dict[str, NameGroup]:
        """The name each group has, with enough members to find the group again."""
        with self._lock:
            if self._names is None:
                self._names = group_names(self._decisions)
            return dict(self._names)

    def ratings(self) -> Mapping[bytes, int]:
        """Stars by photo, as they are now."""
        with self._lock:
            if self._stars is None:
                self._stars = star_ratings(self._decisions)
            return self._stars

    def close(self) -> None:
        """Close the log; every append is on disk already."""
        with self._lock:
            os.close(self._handle)


def _read(path: Path, handle: int) -> tuple[list[bytes], Path | None]:
    """(whole lines, where a torn last line was put)."""
    *lines, last = path.read_bytes().split(b"\n")
    whole = [line + b"\n" for line in lines]
    for number, line in enumerate(whole, start=1):
        try:
            body_of(line)
        except ValueError as error:
            raise DecisionsDamaged(
                f"line {number} is damaged ({error})",
                path=os.fspath(path),
                next_step="Restore the file from a backup, or repair that line by hand; nothing was changed.",
            ) from error
    if not last:
        return whole, None
    end = sum(map(len, whole))
    for rescued in (last + b"\n", last[:-1] + b"\n"):
        # All of it but the line's end may have reached the disk: its checksum says so.
        with suppress(ValueError):
            body_of(rescued)
            _write_all(handle, rescued, end)
            os.ftruncate(handle, end + len(rescued))
            os.fsync(handle)
            return [*whole, rescued], None
    return whole, _tear_off(path, handle, end, last)


def _tear_off(path: Path, handle: int, end: int, line: bytes) -> Path:
    """Move a torn last line aside, durably, before it is cut off."""
    aside = path.with_name(f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{end}")
    with aside.open("wb") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    os.ftruncate(handle, end)
    os.fsync(handle)
    log.warning("torn last decision moved aside", path=os.fspath(aside), bytes=len(line))
    return aside


def _write_all(handle: int, data: bytes, position: int) -> None:
    while data:
        written = os.pwrite(handle, data, position)
        data, position = data[written:], position + written


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unusable(error: OSError, path: Path) -> PixsortdError:
    what, advice = explain_os_error(error)
    if error.errno == errno.ENOSPC:
        what = "the disk is full, so the decision could not be kept"
    return StateDirectoryError(what, path=os.fspath(path), next_step=advice)
