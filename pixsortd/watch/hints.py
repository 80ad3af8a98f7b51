"""What events have made doubtful, collapsed as it grows: names, then whole directories, then everything."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_NAMES_IN_ONE = 128
"""More doubtful names than this in one directory, and the directory is listed instead."""
_NAMES_IN_ALL = 20_000
"""More doubtful names and directories than this, and the whole root is scanned instead."""


@dataclass
class Doubt:
    """Paths to look at, relative to the root."""

    names: dict[bytes, frozenset[bytes] | None] = field(default_factory=dict)
    """Names by directory; None for the whole directory."""
    trees: set[bytes] = field(default_factory=set)
    everything: bool = False
    """Events were lost or too many: only a full scan helps."""
    lost: bool = False
    root: bool = False
    """Something has happened to the root directory itself."""


class Hints:
    """Collects doubts from any thread and wakes the one that resolves them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._names: dict[bytes, set[bytes] | None] = {}
        self._trees: set[bytes] = set()
        self._count = 0
        self._everything = self._lost = self._root = False

    def name(self, directory: bytes, name: bytes) -> None:
        """Something has happened to ``name`` in ``directory``."""
        with self._lock:
            if self._everything:
                return
            quiet = not self._pending
            names = self._names.setdefault(directory, set())
            if names is not None and name not in names:
                names.add(name)
                if len(names) > _NAMES_IN_ONE:
                    self._names[directory] = None
                    self._count -= len(names)
                self._grow()
        if quiet:
            self._wake()

    def tree(self, directory: bytes) -> None:
        """A directory has come or gone."""
        with self._lock:
            if self._everything or directory in self._trees:
                return
            quiet = not self._pending
            self._trees.add(directory)
            self._grow()
        if quiet:
            self._wake()

    def lost(self) -> None:
        """The kernel has dropped events."""
        with self._lock:
            self._collapse()
            self._lost = True
        self._wake()

    def root(self) -> None:
        """The root directory was moved, deleted or unmounted."""
        with self._lock:
            self._root = True
        self._wake()

    def drain(self) -> Doubt:
        """Take all doubts away."""
        with self._lock:
            doubt = Doubt(
                names={
                    directory: None if names is None else frozenset(names) for directory, names in self._names.items()
                },
                trees=self._trees,
                everything=self._everything,
                lost=self._lost,
                root=self._root,
            )
            self._reset()
        return doubt

    def __bool__(self) -> bool:
        with self._lock:
            return self._pending

    @property
    def _pending(self) -> bool:
        return bool(self._names or self._trees or self._everything or self._root)

    def _grow(self) -> None:
        self._count += 1
        if self._count > _NAMES_IN_ALL:
            self._collapse()

    def _collapse(self) -> None:
        self._names, self._trees, self._count = {}, set(), 0
        self._everything = True
