"""Power that fails: a recorder of what was made durable, and every tree that the disk may hold afterwards.

Each call reaches the real disk and is noted: names by directory, in order, and the files behind them.
What ``fsync`` confirmed is certain; of everything else any part may be there or not. Only a renaming
is taken as one thing, as every file system with a journal does.
"""

import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Held(NamedTuple):
    """What a file holds at some time."""

    content: bytes
    mode: int
    mtime_ns: int


class _Node:
    """A file, a directory or a link, however it is called."""

    def __init__(self, seen: os.stat_result, handle: int = -1, target: str = "") -> None:
        self.mode = seen.st_mode
        self.handle = handle
        self.target = target
        self.kept = Held(b"", 0o600, seen.st_mtime_ns)
        """What is certain of a file."""
        self.names: dict[bytes, _Node] = {}
        """What was in a directory at the beginning."""

    def now(self) -> Held:
        """What a file holds as long as the power is there."""
        seen = os.fstat(self.handle)
        return Held(os.pread(self.handle, seen.st_size, 0), stat.S_IMODE(seen.st_mode), seen.st_mtime_ns)


class _Change(NamedTuple):
    """One thing done to names: directory, name, and what it stands for from then on."""

    entries: tuple[tuple[_Node, bytes, _Node | None], ...]


class PowerCut:
    """Notes what is done below ``home`` and what of it is durable. Made for :func:`disk_that`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._nodes: dict[tuple[int, int], _Node] = {}
        self._changes: list[_Change] = []
        self._durable: set[int] = set()
        """Positions of the changes that are."""
        self._root = self._learn(os.fsencode(home))

    def close(self) -> None:
        """Let go of the files."""
        for node in self._nodes.values():
            if node.handle >= 0:
                os.close(node.handle)

    def __call__(self, name: str, real: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Make a call and take note."""
        note = getattr(self, f"_{name}", None)
        if note is None:
            return real(*args, **named)
        return note(lambda: real(*args, **named), *args, **named)

    def trees(self, chance: random.Random, mixed: int) -> Iterator["Tree"]:
        """What the disk may hold: only what is certain, all names, all of it, and ``mixed`` mixtures of each kind."""
        count = len(self._changes)
        everything = frozenset(range(count))
        yield self._tree(frozenset(), lambda node: node.kept)
        yield self._tree(everything, lambda node: node.kept)
        yield self._tree(everything, _Node.now)
        for _ in range(mixed):  # the names in their order, as a file system with a journal keeps them
            yield self._tree(frozenset(range(chance.randint(0, count))), lambda node: _some(node, chance))
        for _ in range(mixed):
            yield self._tree(
                frozenset(one for one in range(count) if chance.random() < 0.5), lambda node: _some(node, chance)
            )

    def _tree(self, happened: frozenset[int], held: Callable[[_Node], Held]) -> "Tree":
        names: dict[_Node, dict[bytes, _Node]] = {}
        for position, change in enumerate(self._changes):
            if position in happened or position in self._durable:
                for directory, name, node in change.entries:
                    entries = names.setdefault(directory, dict(directory.names))
                    entries.pop(name, None)
                    if node is not None:
                        entries[name] = node
        tree = Tree(self._home, {}, {}, {}, [])
        found: dict[_Node, bytes] = {}
        self._grow(tree, self._root, b"", names, held, found)
        return tree

    def _grow(
        self,
        tree: "Tree",
        directory: _Node,
        above: bytes,
        names: dict[_Node, dict[bytes, _Node]],
        held: Callable[[_Node], Held],
        found: dict[_Node, bytes],
    ) -> None:
        for name, node in names.get(directory, directory.names).items():
            path = above + name
            if stat.S_ISDIR(node.mode):
                tree.directories.append(path)
                self._grow(tree, node, path + b"/", names, held, found)
            elif stat.S_ISLNK(node.mode):
                tree.targets[path] = node.target
            elif node in found:
                tree.links[path] = found[node]
            else:
                found[node] = path
                tree.files[path] = held(node)

    def _learn(self, path: bytes) -> _Node:
        node = self._fresh(path)
        node.kept = node.now() if node.handle >= 0 else node.kept
        if stat.S_ISDIR(node.mode):
            node.names = {name: self._learn(path + b"/" + name) for name in os.listdir(path)}
        return node

    def _fresh(self, path: bytes, dir_fd: int | None = None) -> _Node:
        seen = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
        known = self._nodes.get((seen.st_dev, seen.st_ino))
        if known is not None and known.handle >= 0:
            return known  # held open, so that nothing else can have its number
        handle, target = -1, ""
        if stat.S_ISREG(seen.st_mode):
            handle = os.open(path, os.O_RDONLY | os.O_NOATIME, dir_fd=dir_fd)
        elif stat.S_ISLNK(seen.st_mode):
            target = os.fsdecode(os.readlink(path, dir_fd=dir_fd))
        node = self._nodes[seen.st_dev, seen.st_ino] = _Node(seen, handle, target)
        return node

    def _at(self, path: Any, dir_fd: int | None) -> tuple[_Node | None, bytes]:
        """The directory of a path, if it is one of ours, and the name."""
        above, _, name = os.fsencode(path).rpartition(b"/")
        seen = os.stat(above or b".", dir_fd=dir_fd) if above or dir_fd is None else os.fstat(dir_fd)
        return self._nodes.get((seen.st_dev, seen.st_ino)), name

    def _made_name(self, call: Callable[[], Any], path: Any, dir_fd: int | None) -> Any:
        """A call after which a path may have a name that it had not."""
        if isinstance(path, int):
            return call()
        there = _exists(path, dir_fd)
        answer = call()
        if not there and _exists(path, dir_fd):
            directory, name = self._at(path, dir_fd)
            if directory is not None:
                self._changes.append(_Change(((directory, name, self._fresh(os.fsencode(path), dir_fd)),)))
        return answer

    def _lost_name(self, call: Callable[[], Any], path: Any, dir_fd: int | None) -> Any:
        directory, name = self._at(path, dir_fd)
        answer = call()
        if directory is not None:
            self._changes.append(_Change(((directory, name, None),)))
        return answer

    def _open(self, call: Callable[[], Any], path: Any, *_: Any, dir_fd: int | None = None, **__: Any) -> Any:
        return self._made_name(call, path, dir_fd)

    def _mkdir(self, call: Callable[[], Any], path: Any, *_: Any, dir_fd: int | None = None, **__: Any) -> Any:
        return self._made_name(call, path, dir_fd)

    def _symlink(self, call: Callable[[], Any], _: Any, path: Any, *, dir_fd: int | None = None, **__: Any) -> Any:
        return self._made_name(call, path, dir_fd)

    def _link(self, call: Callable[[], Any], _: Any, path: Any, *, dst_dir_fd: int | None = None, **__: Any) -> Any:
        return self._made_name(call, path, dst_dir_fd)

    def _unlink(self, call: Callable[[], Any], path: Any, *, dir_fd: int | None = None) -> Any:
        return self._lost_name(call, path, dir_fd)

    def _rmdir(self, call: Callable[[], Any], path: Any, *, dir_fd: int | None = None) -> Any:
        return self._lost_name(call, path, dir_fd)

    def _rename(
        self,
        call: Callable[[], Any],
        old: Any,
        new: Any,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
    ) -> Any:
        (out_of, old_name), (into, new_name) = self._at(old, src_dir_fd), self._at(new, dst_dir_fd)
        node = self._fresh(os.fsencode(old), src_dir_fd) if out_of is not None else None
        answer = call()
        entries = [(out_of, old_name, None), (into, new_name, node)]
        change = tuple((directory, name, one) for directory, name, one in entries if directory is not None)
        self._changes.append(_Change(change))
        return answer

    _replace = _rename

    def _renameat2(self, call: Callable[[], Any], old: tuple[int, bytes], new: tuple[int, bytes]) -> Any:
        return self._rename(call, old[1], new[1], src_dir_fd=old[0], dst_dir_fd=new[0])

    def _fsync(self, call: Callable[[], Any], handle: int) -> Any:
        answer = call()
        seen = os.fstat(handle)
        node = self._nodes.get((seen.st_dev, seen.st_ino))
        if node is not None and node.handle >= 0:
            node.kept = node.now()
        elif node is not None:
            self._durable.update(
                position
                for position, change in enumerate(self._changes)
                if any(directory is node for directory, _, _ in change.entries)
            )
        return answer


class Tree(NamedTuple):
    """A whole tree below ``home``, by relative path."""

    home: Path
    files: dict[bytes, Held]
    links: dict[bytes, bytes]
    """Further names of the files."""
    targets: dict[bytes, str]
    """Symbolic links."""
    directories: list[bytes]

    def lay_out(self) -> None:
        """Make the disk hold it, and nothing else."""
        home = os.fsencode(self.home)
        for name in os.listdir(self.home):
            path = self.home / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for directory in self.directories:
            os.mkdir(home + b"/" + directory)
        for name, held in self.files.items():
            path = home + b"/" + name
            Path(os.fsdecode(path)).write_bytes(held.content)
            os.chmod(path, held.mode)
            os.utime(path, ns=(held.mtime_ns, held.mtime_ns))
        for name, first in self.links.items():
            os.link(home + b"/" + first, home + b"/" + name)
        for name, target in self.targets.items():
            os.symlink(target, home + b"/" + name)


def _some(node: _Node, chance: random.Random) -> Held:
    """Something between what is certain of a file and what was written."""
    kept, now = node.kept, node.now()
    if now == kept:
        return kept
    cut = chance.randint(len(kept.content), max(len(kept.content), len(now.content)))
    return chance.choice((kept, now, now._replace(content=now.content[:cut])))


def _exists(path: Any, dir_fd: int | None) -> bool:
    try:
        os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return False
    return True
