"""Two disks to plan on: one in memory that forbids every overwrite and loss, and a real directory."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pixsortd.config import SortRule
from pixsortd.records import Action, Companion, FileStamp, Place, Plan, PlannedFile, PlanStep, Subject
from pixsortd.sorting.planning import Entry, Known, Terms, Volume
from pixsortd.sorting.rules import Choice, digest_of

INBOX, LIBRARY = b"/inbox", b"/library"
PHOTOS = frozenset((b".jpg", b".jpeg", b".png"))


class File(NamedTuple):
    """A file in memory."""

    content: bytes
    stamp: FileStamp
    target: bytes = b""
    """Where it leads, if it is a symbolic link."""


class Lost(AssertionError):
    """A step overwrites or loses something."""


class Changing(Protocol):
    """What steps do to a disk, one file at a time."""

    def move(self, file: PlannedFile) -> None: ...
    def make(self, action: Action, file: PlannedFile) -> None: ...
    def remove(self, action: Action, file: PlannedFile) -> None: ...


def follow(disk: Changing, steps: Sequence[PlanStep]) -> None:
    """Do what steps say: displaced files go first, returned ones come last."""
    for step in steps:
        for file in step.displaced:
            disk.move(file)
        for file in step.files:
            if step.action is Action.MOVE:
                disk.move(file)
            elif step.back:
                disk.remove(step.action, file)
            else:
                disk.make(step.action, file)
        for file in step.returned:
            disk.move(file)


class Memory:
    """Files by absolute path. A content is known at once, but for those in ``pending``."""

    def __init__(self) -> None:
        self.files: dict[bytes, File] = {}
        self.pending: set[bytes] = set()
        self.composites: dict[bytes, float] = {}
        """By content."""
        self.kept: dict[bytes, str] = {}
        """By path."""
        self.devices: dict[bytes, int] = {}
        """By base; 1 unless it is said."""
        self.free = 10**12
        self._inodes = iter(range(1, 10**9))

    def put(self, path: bytes, content: bytes = b"", *, mtime: int = 0, target: bytes = b"", device: int = 1) -> File:
        """A new file; nothing may be there."""
        if path in self.files:
            raise Lost(f"{path!r} would be overwritten")
        stamp = FileStamp(size=len(content), mtime_ns=mtime, ctime_ns=mtime, inode=next(self._inodes), device=device)
        self.files[path] = File(content, stamp, target)
        return self.files[path]

    def listing(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        above = _joined(base, directory) + b"/"
        found: dict[bytes, Entry] = {}
        for path, file in self.files.items():
            if path.startswith(above):
                name, _, below = path[len(above) :].partition(b"/")
                plain = Entry(name=name, stamp=None if file.target else file.stamp, target=file.target)
                found[name] = Entry(name=name, directory=True) if below else plain
        return list(found.values())

    def known(self, place: Place, stamp: FileStamp) -> Known:
        path = place.absolute
        if path in self.pending:
            return Known(kept="it is pending")
        content = self.files[path].content
        return Known(sha256=sha(content), composite=self.composites.get(content), kept=self.kept.get(path, ""))

    def volume(self, base: bytes, directory: bytes) -> Volume:
        return Volume(device=self.devices.get(base, 1), free=self.free)

    def holding(self, image: bytes) -> Sequence[Place]:
        return [
            placed(path)
            for path, file in self.files.items()
            if sha(file.content) == image and not file.target and not placed(path).in_trash
        ]

    def move(self, file: PlannedFile) -> None:
        there = self._planned(file)
        if file.destination.absolute in self.files:
            raise Lost(f"{file.destination.absolute!r} would be overwritten")
        self.files[file.destination.absolute] = there
        del self.files[file.source.absolute]

    def make(self, action: Action, file: PlannedFile) -> None:
        there = self._planned(file)
        if action is Action.SYMLINK:
            self.put(file.destination.absolute, target=file.source.absolute)
            return
        made = self.put(file.destination.absolute, there.content, mtime=there.stamp.mtime_ns)
        if action is Action.HARDLINK:
            self.files[file.destination.absolute] = made._replace(stamp=there.stamp)

    def remove(self, action: Action, file: PlannedFile) -> None:
        there = self.files.pop(file.source.absolute)
        if action is Action.SYMLINK:
            if there.target != file.destination.absolute:
                raise Lost(f"{file.source.absolute!r} is another link")
        elif self.files[file.destination.absolute].content != there.content:
            raise Lost(f"{file.source.absolute!r} was the last of its content")

    def _planned(self, file: PlannedFile) -> File:
        there = self.files[file.source.absolute]
        if there.target or (there.stamp.size, there.stamp.mtime_ns) != (file.stamp.size, file.stamp.mtime_ns):
            raise Lost(f"{file.source.absolute!r} is another file")
        if file.sha256 is not None and sha(there.content) != file.sha256:
            raise Lost(f"{file.source.absolute!r} has another content")
        return there


class Directory:
    """A real directory, in which ``/inbox`` and ``/library`` are."""

    def __init__(self, home: Path) -> None:
        self.home = os.fsencode(home)
        self.inbox, self.library = self.home + INBOX, self.home + LIBRARY

    def put(self, path: bytes, content: bytes, *, mtime: int) -> FileStamp:
        """A new file at an absolute path."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(handle, content)
        os.close(handle)
        os.utime(path, ns=(mtime, mtime))
        return FileStamp.of(os.lstat(path))

    def listing(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        try:
            found = list(os.scandir(_joined(base, directory)))
        except FileNotFoundError:
            return ()
        return [
            Entry(
                name=one.name,
                stamp=FileStamp.of(one.stat(follow_symlinks=False)) if one.is_file(follow_symlinks=False) else None,
                directory=one.is_dir(follow_symlinks=False),
                target=os.readlink(one.path) if one.is_symlink() else b"",
            )
            for one in found
        ]

    def known(self, place: Place, stamp: FileStamp) -> Known:
        return Known(sha256=sha(Path(os.fsdecode(place.absolute)).read_bytes()))

    def volume(self, base: bytes, directory: bytes) -> Volume:
        return Volume(device=os.stat(self.home).st_dev, free=10**12)

    def holding(self, image: bytes) -> Sequence[Place]:
        return [
            Place(base=b"/", path=path[1:])
            for path, (content, *_) in self.seen().items()
            if sha(content) == image and not Place(base=b"/", path=path[1:]).in_trash
        ]

    def move(self, file: PlannedFile) -> None:
        self._checked(file)
        self._above(file.destination)
        os.link(file.source.absolute, file.destination.absolute, follow_symlinks=False)
        os.unlink(file.source.absolute)

    def make(self, action: Action, file: PlannedFile) -> None:
        self._checked(file)
        self._above(file.destination)
        _MAKERS[action](file.source.absolute, file.destination.absolute)

    def remove(self, action: Action, file: PlannedFile) -> None:
        if action is not Action.SYMLINK:
            self._checked(file)
            with open(file.source.absolute, "rb") as one, open(file.destination.absolute, "rb") as other:
                assert one.read() == other.read()
        os.unlink(file.source.absolute)

    def seen(self) -> dict[bytes, tuple[bytes, int, int, bytes]]:
        """(content, mtime, mode, target) of everything but directories, by path."""
        return dict(self._walk(self.home))

    def _walk(self, above: bytes) -> Iterator[tuple[bytes, tuple[bytes, int, int, bytes]]]:
        for one in os.scandir(above):
            if one.is_dir(follow_symlinks=False):
                yield from self._walk(one.path)
            elif one.is_symlink():
                yield one.path, (b"", 0, 0, os.readlink(one.path))
            else:
                seen = one.stat(follow_symlinks=False)
                with open(one.path, "rb") as file:
                    yield one.path, (file.read(), seen.st_mtime_ns, stat.S_IMODE(seen.st_mode), b"")

    def _above(self, place: Place) -> None:
        os.makedirs(os.path.dirname(place.absolute), exist_ok=True)

    def _checked(self, file: PlannedFile) -> None:
        seen = FileStamp.of(os.lstat(file.source.absolute))
        assert (seen.size, seen.mtime_ns) == (file.stamp.size, file.stamp.mtime_ns)


def _copied(source: bytes, destination: bytes) -> None:
    with open(destination, "xb"):
        shutil.copy2(source, destination)


_MAKERS: dict[Action, Callable[[bytes, bytes], None]] = {
    Action.COPY: _copied,
    Action.REFLINK: _copied,
    Action.HARDLINK: os.link,
    Action.SYMLINK: os.symlink,
}


def _joined(base: bytes, directory: bytes) -> bytes:
    return base + b"/" + directory if directory else base


def sha(content: bytes) -> bytes:
    """The identity of a content."""
    return hashlib.sha256(content).digest()


def placed(path: bytes) -> Place:
    """A path below one of the two roots."""
    base = INBOX if path.startswith(INBOX) else LIBRARY
    return Place(base=base, path=path[len(base) + 1 :])


def subject(disk: Memory, path: bytes, *companions: bytes, composite: float | None = None) -> Subject:
    """A file of the inbox with what goes with it."""
    file = disk.files[path]
    beside = tuple(Companion(place=placed(one), stamp=disk.files[one].stamp) for one in companions)
    return Subject(
        place=placed(path), stamp=file.stamp, image=sha(file.content), companions=beside, composite=composite
    )


def choice(rule: SortRule, destination: bytes, confidence: float = 1.0) -> Choice:
    """What a rule says: the file goes to a path in the library."""
    place = Place(base=LIBRARY, path=destination)
    return Choice(rule=rule, digest=digest_of(rule), destination=place, why=("every photo",), confidence=confidence)


def terms(*approved: SortRule, floor: int = 0) -> Terms:
    """For the inbox, with rules that were approved."""
    return Terms(root="inbox", at=1.0, photos=PHOTOS, floor=floor, approved=frozenset(map(digest_of, approved)))


def goals(plan: Plan) -> dict[bytes, bytes]:
    """Where the files of a plan come from, by where they go."""
    return {file.destination.absolute: file.source.absolute for step in plan.steps for file in step.files}
