"""Files that were moved, copied, linked or deleted here, told to the index before any watcher looks."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pixsortd.errors import Unreadable, explain_os_error
from pixsortd.records import Arrived, Back, Change, Departed, FileRow, FileStamp, Place, root_id
from pixsortd.sorting.disk import Directories, alike, is_file_of, look
from pixsortd.sorting.journal import Deed, Move, Step
from pixsortd.sorting.mover import Mover


class Index(Protocol):
    """What is asked of the index."""

    def file(self, root: str, path: bytes) -> FileRow | None: ...
    def by_inode(self, root: str, inode: int) -> list[FileRow]: ...
    def record(self, root: str, changes: Sequence[Change]) -> None: ...


class Roots(Protocol):
    """What is asked of the roots."""

    def online(self) -> Mapping[str, bytes]: ...
    def notice(self, root: str, paths: Sequence[bytes]) -> None: ...


class _Effect(NamedTuple):
    """What a deed means for the two names of a file."""

    leaves: bool
    """The old one is gone."""
    appears: bool
    """The new one holds the content."""
    relinks: bool
    """Other names of the same file have another ctime now."""
    word: str
    """For the passport."""


_EFFECTS: Mapping[Deed, _Effect] = {
    Deed.MOVE: _Effect(leaves=True, appears=True, relinks=True, word="sorted"),
    Deed.DISPLACE: _Effect(leaves=True, appears=True, relinks=True, word="displaced"),
    Deed.DELETE: _Effect(leaves=True, appears=False, relinks=True, word="removed"),
    Deed.COPY: _Effect(leaves=False, appears=True, relinks=False, word="copied"),
    Deed.REFLINK: _Effect(leaves=False, appears=True, relinks=False, word="copied"),
    Deed.HARDLINK: _Effect(leaves=False, appears=True, relinks=True, word="linked"),
    Deed.SYMLINK: _Effect(leaves=False, appears=False, relinks=False, word=""),
}
_BACK = "taken back"
"""The word for whatever takes an earlier move back."""


class Recorder:
    """Hears of finished moves, more than once of the same where a crash came between."""

    def __init__(self, index: Index, roots: Roots, because: Callable[[Move], str] = lambda _: "") -> None:
        """``because`` says for what a move was made, in words that go on a sentence."""
        self._index = index
        self._roots = roots
        self._because = because

    def __call__(self, moves: Sequence[Move]) -> None:
        """Record what the moves mean, and have arrivals looked at. Raises ``PixsortdError``."""
        with Directories() as directories:
            try:
                told = _Told(self._index, directories, moves, self._because)
            except OSError as error:
                what, advice = explain_os_error(error)
                raise Unreadable(f"moved files cannot be looked at: {what}", next_step=advice) from error
            # The new place first, so that no photo stands without a file in between.
            for changes in (told.arrivals, told.departures):
                for base, own in changes.items():
                    self._index.record(root_id(base), own)
        self._renumber(told.inodes, told.touched)
        for base, paths in told.look_at.items():
            self._roots.notice(root_id(base), paths)

    def _renumber(self, inodes: Iterable[int], touched: Collection[Place]) -> None:
        """Another name of a file that was linked or removed has the ctime that this gave it."""
        for root, base in self._roots.online().items():
            rows = {row.path: row for inode in inodes for row in self._index.by_inode(root, inode)}
            changes: list[Change] = []
            for path, row in rows.items():
                place = Place(base=base, path=path)
                try:
                    with Directories() as directories:
                        seen = None if place in touched else look(directories, place)
                except OSError:
                    continue
                if seen is not None and row.stamp is not None and is_file_of(seen, row.stamp):
                    changes.append(Back(path=path, stamp=FileStamp.of(seen)))
            self._index.record(root, changes)


class _Told:
    """What the index has to learn of some moves, by the paths of the roots."""

    def __init__(
        self, index: Index, directories: Directories, moves: Sequence[Move], because: Callable[[Move], str]
    ) -> None:
        """Raises ``OSError``."""
        self._index = index
        self._directories = directories
        self.arrivals: dict[bytes, list[Change]] = {}
        self.departures: dict[bytes, list[Change]] = {}
        self.look_at: dict[bytes, list[bytes]] = {}
        """Paths where something has appeared, relative to their root."""
        self.touched: set[Place] = set()
        self.inodes: set[int] = set()
        """Those of files that may have other names."""
        taken = {step.destination for move in moves for step in move.steps}
        # A file that made room goes before the one that has its name now is there.
        for move in moves:
            for step in move.steps:
                self._before(step, _EFFECTS[step.deed], taken)
        for move in moves:
            for step in move.steps:
                effect = _EFFECTS[step.deed]
                if step.destination is not None and not step.destination.in_trash:
                    word = _BACK if move.reverses else effect.word
                    self._appear(step.destination, step, effect._replace(word=word), because(move))

    def _before(self, step: Step, effect: _Effect, taken: Collection[Place | None]) -> None:
        if effect.relinks:
            self.inodes.add(step.stamp.inode)
        if effect.leaves:
            self._leave(self.arrivals if step.source in taken else self.departures, step)

    def _leave(self, into: dict[bytes, list[Change]], step: Step) -> None:
        source = step.source
        if source.in_trash or is_file_of(look(self._directories, source), step.stamp):
            return
        self.touched.add(source)
        if step.deed is Deed.DELETE or step.destination is None:
            departed = Departed(path=source.path, what=_EFFECTS[Deed.DELETE].word)
        elif step.destination.in_trash:
            departed = Departed(path=source.path, what="trashed", detail=f"to {_shown(step.destination.path)}")
        else:
            departed = Departed(path=source.path, what="")
        into.setdefault(source.base, []).append(departed)

    def _appear(self, destination: Place, step: Step, effect: _Effect, because: str) -> None:
        self.look_at.setdefault(destination.base, []).append(destination.path)
        seen = look(self._directories, destination)
        if not effect.appears or step.sha256 is None or seen is None or not alike(seen, step.stamp):
            return
        self.touched.add(destination)
        restored = step.source.in_trash
        before = self._index.file(root_id(step.source.base), step.source.path)
        arrived = Arrived(
            path=destination.path,
            stamp=FileStamp.of(seen),
            sha256=step.sha256,
            what="restored" if restored else effect.word,
            detail=f"from {_shown(step.source.path if restored else step.source.absolute)}{because}",
            first_seen=before.first_seen if before is not None and effect.leaves else None,
        )
        self.arrivals.setdefault(destination.base, []).append(arrived)


def _shown(path: bytes) -> str:
    return path.decode(errors="backslashreplace")


def opened(directory: Path, index: Index, roots: Roots) -> Mover:
    """The journal in ``directory``, of whose moves the index hears.

    Raises ``JournalDamaged``, ``StateDirectoryError``.
    """

    def because(move: Move) -> str:
        names = {digest: name for name, digest in mover.history.digests(move.plan).items()}
        return f', by the rule "{names[move.rule]}"' if move.rule in names else ""

    mover = Mover(directory, Recorder(index, roots, because))
    return mover
