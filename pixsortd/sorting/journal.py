"""The journal of every move: what was planned, on disk before a file is touched, and how it ended.

A move whose end is not recorded was in the middle of something when the process ended; what exists
on disk then says whether it has happened (see ``recover``). Between the moves stand notes on plans of
sorting: which was approved, which of its steps was not done and why (see ``history``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import structlog

from pixsortd.errors import JournalDamaged
from pixsortd.logfile import LogFile, body_of, line_of, unusable
from pixsortd.records import FileStamp, Place, Record

log = structlog.get_logger()

NAME = "journal.log"


class Deed(StrEnum):
    """What is done with one file."""

    MOVE = "move"
    COPY = "copy"
    HARDLINK = "hardlink"
    REFLINK = "reflink"
    SYMLINK = "symlink"
    DISPLACE = "displace"
    """It is moved into the trash."""
    DELETE = "delete"
    """It is removed for good; nothing is at a destination then."""


_LEAVING = frozenset((Deed.MOVE, Deed.DISPLACE, Deed.DELETE))


class Step(Record, frozen=True, kw_only=True):
    """One file and where it goes."""

    source: Place
    destination: Place | None
    """None: it is deleted for good."""
    action: Deed = Deed.MOVE
    """What sorting does with it; lines of the trash alone do not say (see :attr:`deed`)."""
    back: bool = False
    """Whether a copy or link is taken back: the source goes, the destination holds the same content and stays."""
    stamp: FileStamp
    """What the source was when the step was planned; another file is never touched."""
    sha256: bytes | None = None
    """Its content, where that is known."""
    shown: str = ""
    """The original path for a person who reads the journal."""

    @property
    def deed(self) -> Deed:
        """What is done with it."""
        return Deed.DELETE if self.back or self.destination is None else self.action

    @property
    def leaves(self) -> bool:
        """Whether nothing of it is at the source afterwards."""
        return self.deed in _LEAVING


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
    """What it is done for: ``discard``, ``restore``, ``purge`` or ``sort``."""
    at: float
    parcels: tuple[Parcel, ...]
    plan: str = ""
    """The run of a plan that it belongs to."""
    step: str = ""
    """The step of that plan that it does."""
    rule: str = ""
    """Digest of the rule that asked for it."""
    reverses: str = ""
    """The move that it takes back."""
    makes: tuple[Place, ...] = ()
    """Directories that were not there when it was planned; they go again when it is not done."""
    leaves: tuple[Place, ...] = ()
    """Directories that were once made for a move, which it removes where nothing is in them any more."""

    @property
    def image(self) -> bytes:
        """The first photo's SHA-256."""
        return self.parcels[0].image if self.parcels else b""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every file of the move."""
        return tuple(step for parcel in self.parcels for step in parcel.steps)

    @property
    def turns(self) -> list[list[Step]]:
        """The files in the order in which they are dealt with: later those whose new name another one leaves."""
        left = {step.source for step in self.steps if step.leaves}
        turns: list[list[Step]] = [[], []]
        for step in self.steps:
            turns[not step.back and step.destination in left].append(step)
        return [turn for turn in turns if turn]

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
    plan: str = ""
    """The run that the move belongs to."""


class Approved(Record, frozen=True, kw_only=True, tag="approved"):
    """A plan may be applied; its steps are in a file of their own (see ``planfile``)."""

    run: str
    """Id of the plan as approved here: the same plan may be approved again later."""
    plan: str
    at: float
    root: str
    by: str
    rules: str = ""
    """Digest of all rules."""
    digests: Mapping[str, str] = {}
    """Of the rules whose steps were approved, by their names."""
    undoes: str = ""
    """The run that it takes back."""
    steps: int


class Stopped(Record, frozen=True, kw_only=True, tag="stopped"):
    """A step was not done: its files are where they were."""

    plan: str
    """The run."""
    step: str
    why: str
    at: float


class Closed(Record, frozen=True, kw_only=True, tag="closed"):
    """The rest of a run is not to be done."""

    plan: str
    """The run."""
    why: str
    at: float


class Declined(Record, frozen=True, kw_only=True, tag="declined"):
    """The user wants a photo left where it is, as long as the rule says what it says now."""

    image: bytes
    rule: str
    """The rule's digest."""
    at: float


class Held(Record, frozen=True, kw_only=True, tag="held"):
    """A photo is not to follow a rule without being asked about, until it has once."""

    image: bytes
    rule: str
    """The rule's digest."""
    at: float


Note = Approved | Stopped | Closed | Declined | Held
"""What is said between the moves."""
Entry = Move | Ended | Note

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


def _unheard(_note: Note) -> None:
    """Notes are of no matter to this reader."""


class Journal:
    """The open journal. One thread at a time."""

    def __init__(
        self, directory: Path, on_done: Callable[[Move], None], on_note: Callable[[Note], None] = _unheard
    ) -> None:
        """Replay the journal in ``directory``, made if absent; the callables get finished moves and notes in order.

        Raises ``JournalDamaged`` for damage before the last line and ``StateDirectoryError``.
        """
        self.open: dict[str, Move] = {}
        """Moves whose end is not recorded."""
        self._owed: list[Ended | Stopped] = []
        self._spans: dict[str, tuple[int, int]] = {}
        self._length = 0
        self._on_done = on_done
        self._on_note = on_note
        self._log = LogFile.open(directory / NAME, self._replay, JournalDamaged)

    @property
    def torn(self) -> Path | None:
        """Where a cut-off last line was put when the journal was opened, None if there was none."""
        return self._log.torn

    def plan(self, moves: Sequence[Move]) -> None:
        """Record what is about to be done. Raises ``StateDirectoryError``: then nothing may be moved."""
        self._write(moves)
        self.open.update((move.id, move) for move in moves)

    def note(self, notes: Sequence[Note]) -> None:
        """Record notes; they are heard when they are on disk. Raises ``StateDirectoryError``."""
        self._write(notes)
        for note in notes:
            self._on_note(note)

    def end(self, ends: Sequence[Ended], stopped: Sequence[Stopped] = ()) -> None:
        """Record how moves ended. Where that fails it is made up for later: recovery finds the same from the disk."""
        if not ends and not stopped:
            return
        self._owed += [*ends, *stopped]
        try:
            self._write(())
        except Exception as error:  # noqa: BLE001 - the files are where they are, whatever the journal's disk says
            log.warning("end of moves not recorded yet", moves=len(ends), error=str(error))
        for end in ends:
            self.open.pop(end.move, None)
        for note in stopped:
            self._on_note(note)

    def of_run(self, run: str) -> Iterator[Entry]:
        """What the journal says of one run of a plan, in order; read from the file. Raises ``StateDirectoryError``."""
        begin, end = self._spans.get(run, (0, 0))
        name = run.encode()
        try:
            with self._log.path.open("rb") as file:
                file.seek(begin)
                lines = file.read(end - begin).splitlines(keepends=True)
        except OSError as error:
            raise unusable(error, self._log.path) from error
        for line in lines:
            if name in line:  # most lines of a span are of the run; the others need not be understood
                entry = _decode(body_of(line))
                if _run_of(entry) == run:
                    yield entry

    def close(self) -> None:
        """Close the file; what was planned is on disk already."""
        self._log.close()

    def _write(self, entries: Sequence[Entry]) -> None:
        """Add lines, those that are owed first."""
        lines = [*self._owed, *entries]
        bodies = [_encode(entry) for entry in lines]
        self._log.append(bodies)
        self._owed.clear()
        for entry, body in zip(lines, bodies, strict=True):
            self._mark(entry, body)

    def _mark(self, entry: Entry, body: bytes) -> None:
        """Remember between which bytes of the file the lines of a run are."""
        begin = self._length
        self._length += len(line_of(body))
        run = _run_of(entry)
        if run:
            first, _ = self._spans.get(run, (begin, 0))
            self._spans[run] = (first, self._length)

    def _replay(self, body: bytes) -> None:
        try:
            entry = _decode(body)
        except msgspec.ValidationError as error:
            self._length += len(line_of(body))
            log.warning("journal line of an unknown kind kept but not used", reason=str(error))
            return
        self._mark(entry, body)
        if isinstance(entry, Move):
            self.open[entry.id] = entry
        elif isinstance(entry, Ended):
            move = self.open.pop(entry.move, None)
            if move is not None and entry.done:
                self._on_done(move)
        else:
            self._on_note(entry)


def _run_of(entry: Entry) -> str:
    """The run that a line names, if it does."""
    if isinstance(entry, Approved):
        return entry.run
    return "" if isinstance(entry, Declined | Held) else entry.plan
