"""A sweep over part or all of a root: marks what is there, sweeps what is not.

Events and full scans are the same sweep over more or fewer directories, so that they cannot disagree.
A path that has nothing at it is only reported when the sweep is over, since what left one directory
may have arrived in another.
"""

import errno
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

import structlog

from pixsortd.records import Change, FileRow, FileStamp, FileState, Gone, Reason
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.look import Look, look, sight
from pixsortd.watch.origin import arrival, leaves
from pixsortd.watch.rules import Rules
from pixsortd.watch.tree import Tree, is_absence

log = structlog.get_logger()

_KEPT_OUT = Reason(code="excluded-directory", message="its directory is now kept out, or watched as a root of its own")


_SLICE = 0.2
"""Seconds of sweeping before everything else has its turn ..."""
_SLICE_CHANGES = 500
"""... or this many changes."""


class Sentinel(Protocol):
    """Who is told of every directory before it is looked at."""

    def watch(self, directory: bytes, descriptor: int) -> None:
        """Report changes in the open directory from now on."""
        ...

    def watches(self, directory: bytes) -> bool:
        """Whether changes in ``directory`` are being reported."""
        ...

    def forget(self, directory: bytes) -> None:
        """``directory`` is not there any more, nor is anything below it."""
        ...


class _Task(NamedTuple):
    directory: bytes
    names: frozenset[bytes] | None
    """Look at these only; None for all."""
    deep: bool
    """Go down into every subdirectory, not only into those that nobody watches yet."""


class Sweep:
    """One sweep. ``names`` are single paths by directory (None: all of it), ``trees`` whole subtrees.

    Call :meth:`step` until it returns False, taking :attr:`changes` and :attr:`unsettled` away now and
    then; :attr:`absent` is complete when the sweep is.
    """

    def __init__(
        self,
        catalog: Catalog,
        root: str,
        rules: Rules,
        sentinel: Sentinel | None,
        *,
        names: Mapping[bytes, frozenset[bytes] | None] | None = None,
        trees: Iterable[bytes] = (),
        renewed: bool = False,
    ) -> None:
        self._catalog = catalog
        self._root = root
        self._rules = rules
        self._sentinel = sentinel
        self._renewed = renewed
        self._trees = set(trees)
        self.full = b"" in self._trees
        """Whether the whole root is swept."""
        tasks = [_Task(tree, None, deep=True) for tree in self._trees]
        tasks += [_Task(directory, wanted, deep=False) for directory, wanted in (names or {}).items()]
        # Whole directories first, outermost first: most single names are then already done.
        tasks.sort(key=lambda task: (task.names is None, -task.directory.count(b"/"), task.directory))
        self._tasks = [task for task in tasks if not rules.closed(task.directory)]
        self._orphans: list[bytes] | None = None
        self._visited: set[bytes] = set()
        self._unreadable: set[bytes] = set()
        self._touched: set[bytes] = set()
        self.changes: list[Change] = []
        self.unsettled: list[tuple[bytes, FileStamp]] = []
        self.absent: set[bytes] = set()
        self.skipped: Counter[str] = Counter()
        self.files = 0

    @property
    def directories(self) -> int:
        """How many directories have been looked at."""
        return len(self._visited)

    @property
    def unreadable(self) -> int:
        """How many directories could not be looked into; what is known below them stays as it is."""
        return len(self._unreadable)

    def step(self, tree: Tree) -> bool:
        """Look at one more directory; False when there was none left."""
        if self._tasks:
            task = self._tasks.pop()
            if task.directory not in self._visited:
                self._look(tree, task)
            return True
        if self._orphans is None:
            known = self._catalog.directories(self._root) if self._trees else ()
            self._orphans = [directory for directory in known if self._is_orphan(directory)]
        if self._orphans:
            self._sweep_orphan(self._orphans.pop())
            return True
        return False

    def advance(self, tree: Tree, monotonic: Callable[[], float]) -> bool:
        """Step for a slice of time or a number of changes; False when the sweep is over."""
        until = monotonic() + _SLICE
        while self.step(tree):
            if monotonic() >= until or len(self.changes) >= _SLICE_CHANGES:
                return True
        return False

    def take(self) -> tuple[list[Change], list[tuple[bytes, FileStamp]]]:
        """Hand over the changes and unsettled files found so far; the caller records them at once."""
        changes, unsettled = self.changes, self.unsettled
        self.changes, self.unsettled = [], []
        self._touched.clear()
        return changes, unsettled

    def _look(self, tree: Tree, task: _Task) -> None:
        directory = task.directory
        try:
            with tree.directory(directory) as descriptor:
                if self._sentinel is not None and (task.names is None or not self._sentinel.watches(directory)):
                    self._sentinel.watch(directory, descriptor)  # before listing, so that nothing falls between
                if task.names is None:
                    self._visited.add(directory)
                    photos, others = sight(tree.entries(descriptor), self._rules, directory)
                    unlike, rows = self._catalog.differing(self._root, directory, photos)
                    self.files += len(photos) - len(unlike)
                    listing = [*others, *tree.named(directory, unlike)]
                else:
                    listing = tree.named(directory, task.names)
                    rows = self._rows(directory, task.names)
                found = look(tree, listing, rows, self._rules, directory, renewed=self._renewed)
                self._absorb(tree, found)
        except OSError as error:
            if is_absence(error):
                self._lost(task)
                return
            self._visited.discard(directory)
            self._unreadable.add(directory)
            log.warning("directory unreadable", path=directory, error=error.strerror or str(error))
            return
        for child in sorted(found.directories):  # the last is next: names mostly rise with the years
            if task.deep or self._sentinel is None or not self._sentinel.watches(child):
                self._tasks.append(_Task(child, None, deep=True))

    def _lost(self, task: _Task) -> None:
        """The directory is not there: all that is known in and below it is absent."""
        if self._sentinel is not None:
            self._sentinel.forget(task.directory)
        self._trees.add(task.directory)

    def _rows(self, directory: bytes, names: frozenset[bytes]) -> dict[bytes, FileRow]:
        rows = {}
        for name in names:
            row = self._catalog.file(self._root, directory + b"/" + name if directory else name)
            if row is not None:
                rows[name] = row
        return rows

    def _absorb(self, tree: Tree, found: Look) -> None:
        self.files += found.files
        self.skipped.update(found.skipped)
        self.changes += found.changes
        self.unsettled += found.unsettled
        self.absent.update(found.absent)
        for path, seen, row in found.fresh:
            changes = arrival(path, seen, row, self._candidates(seen), lambda known: _holds(tree, known))
            for change in changes:
                self._touched.add(change.path)
                old = leaves(change)
                if old is not None:
                    self._touched.add(old)
                    self.absent.discard(old)
            self.changes += changes

    def _candidates(self, seen: FileStamp) -> list[FileRow]:
        """Rows of the same inode, other than those about which changes are still to be recorded."""
        return [row for row in self._catalog.by_inode(self._root, seen.inode) if row.path not in self._touched]

    def _is_orphan(self, directory: bytes) -> bool:
        """Whether a directory of the index should have been met by this sweep, but was not."""
        return (
            directory not in self._visited
            and lies_in(directory, self._trees)
            and not lies_in(directory, self._unreadable)
        )

    def _sweep_orphan(self, directory: bytes) -> None:
        rows = self._catalog.listing(self._root, directory).values()
        if self._rules.closed(directory):
            self.changes += [Gone(path=row.path, reason=_KEPT_OUT) for row in rows]
        else:
            self.absent.update(row.path for row in rows)


def is_gone(tree: Tree, row: FileRow) -> bool | None:
    """Whether nothing is at a row's path any more; None when that cannot be told now."""
    try:
        seen = tree.lstat(row.path)
    except OSError:
        return None
    if seen is None:
        return True
    directory = row.state is FileState.EXCLUDED and row.stamp is None
    return not (stat.S_ISDIR(seen.st_mode) if directory else stat.S_ISREG(seen.st_mode))


def _holds(tree: Tree, row: FileRow) -> bool:
    """Whether a row's path still leads to its inode; yes when in doubt, so that nothing is moved by mistake."""
    try:
        seen = tree.lstat(row.path)
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return seen is not None and row.stamp is not None and seen.st_ino == row.stamp.inode


def lies_in(path: bytes, directories: set[bytes]) -> bool:
    """Whether ``path`` is one of ``directories`` or lies below one."""
    while path not in directories:
        if not path:
            return False
        path = path.rpartition(b"/")[0]
    return True
