"""The journal of every move: what was planned, on disk before a file is touched, and how it ended.

A move whose end is not recorded was in the middle of something when the process ended; what exists
on disk then says whether it has happened (see ``recover``).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from pixsortd.errors import JournalDamaged
from pixsortd.logfile import LogFile
from pixsortd.records import FileStamp, Place, Record

log = structlog.get_logger()

NAME = "journal.log"


class Step(Record, frozen=True, kw_only=True):
    """One file and where it goes."""

    source: Place
    destination: Place | None
    """None: it is deleted for good."""
    stamp: FileStamp
    """What it was when the step was planned; another file is never touched."""
    sha256: bytes | None = None
    """Its content, where that is known."""
    shown: str = ""
    """The original path for a person who reads the journal."""


class Parcel(Record, frozen=True, kw_only=True):
    """Files that travel as one: a photo's file first, then its companions."""

    id: str
    image: bytes
    """The photo's SHA-256."""
    steps: tuple[Step, ...]


class Move(Record, frozen=True, kw_only=True, tag="planned"):
    """Parcels that move together or not at all."""

    id: str
    kind: str
    """What it is done for: ``discard``, ``restore`` or ``purge``."""
    at: float
    parcels: tuple[Parcel, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every file of the move."""
        return tuple(step for parcel in self.parcels for step in parcel.steps)

    @property
    def bases(self) -> frozenset[bytes]:
        """The roots that are touched."""
        places = [place for step in self.steps for place in (step.source, step.destination)]
        return frozenset(place.base for place in places if place is not None)


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """How a planned move ended: all of its files are at their destinations, or all where they were."""

    move: str
    done: bool
    at: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Move | Ended).decode


class Journal:
    """The open journal. One thread at a time."""

    def __init__(self, directory: Path, on_done: Callable[[Move], None]) -> None:
        """Replay the journal in ``directory``, made if absent; ``on_done`` gets each finished move in its order.

        Raises ``JournalDamaged`` for damage before the last line and ``StateDirectoryError``.
        """
        self.open: dict[str, Move] = {}
        """Moves whose end is not recorded."""
        self._owed: list[bytes] = []
        self._on_done = on_done
        self._log = LogFile.open(directory / NAME, self._replay, JournalDamaged)

    @property
    def torn(self) -> Path | None:
        """Where a cut-off last line was put when the journal was opened, None if there was none."""
        return self._log.torn

    def plan(self, moves: Sequence[Move]) -> None:
        """Record what is about to be done. Raises ``StateDirectoryError``: then nothing may be moved."""
        self._log.append([*self._owed, *map(_encode, moves)])
        self._owed.clear()
        self.open.update((move.id, move) for move in moves)

    def end(self, ends: Sequence[Ended]) -> None:
        """Record how moves ended. Where that fails it is made up for later: recovery finds the same from the disk."""
        if not ends:
            return
        for end in ends:
            self.open.pop(end.move, None)
        self._owed += map(_encode, ends)
        try:
            self._log.append(self._owed)
        except Exception as error:  # noqa: BLE001 - the files are where they are, whatever the journal's disk says
            log.warning("end of moves not recorded yet", moves=len(ends), error=str(error))
        else:
            self._owed.clear()

    def close(self) -> None:
        """Close the file; what was planned is on disk already."""
        self._log.close()

    def _replay(self, body: bytes) -> None:
        try:
            entry = _decode(body)
        except msgspec.ValidationError as error:
            log.warning("journal line of an unknown kind kept but not used", reason=str(error))
            return
        if isinstance(entry, Move):
            self.open[entry.id] = entry
            return
        move = self.open.pop(entry.move, None)
        if move is not None and entry.done:
            self._on_done(move)
