"""A root with photos, a trash, and a disk that fails or stops at the k-th call: shared by the trash's fault tests."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixsortd import durable, logfile
from pixsortd.records import FileStamp, Place
from pixsortd.sorting import copying, disk, move, plans, recover
from pixsortd.sorting.contents import Item
from pixsortd.sorting.journal import Move
from pixsortd.sorting.plans import Wanted
from pixsortd.sorting.trash import Trash

PHOTOS = frozenset((b".jpg", b".heic"))
UNITS = {
    "a/IMG_1.jpg": ("a/IMG_1.jpg", "a/IMG_1.xmp", "a/IMG_1.jpg.xmp"),
    "b/deep/IMG_2.jpg": ("b/deep/IMG_2.jpg", "b/deep/img_2.MOV"),
}
"""The files that travel with each photo."""
BYSTANDERS = ("a/IMG_10.jpg", "b/deep/IMG_2b.xmp", "c/other.jpg")

_CALLS = frozenset(
    [
        "open",
        "link",
        "unlink",
        "rename",
        "stat",
        "fstat",
        "fsync",
        "mkdir",
        "read",
        "write",
        "pwrite",
        "scandir",
        "ftruncate",
        "fstatvfs",
        "utime",
        "fchmod",
        "fchown",
        "listxattr",
        "lseek",
        "posix_fadvise",
        "fpathconf",
    ]
)


class Stopped(BaseException):
    """The process ended here: nothing that it does afterwards has an effect."""


class FaultyOs:
    """The module ``os``, whose counted calls are given to ``fault`` before they are made."""

    def __init__(self, fault: Callable[[int, str], None]) -> None:
        self._fault = fault
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in _CALLS:
            return real

        def call(*args: Any, **named: Any) -> Any:
            self.calls += 1
            self._fault(self.calls, name)
            return real(*args, **named)

        return call

    def counted(self, real: Callable[..., None], name: str) -> Callable[..., None]:
        """Another call that is counted alike."""

        def call(*args: Any) -> None:
            self.calls += 1
            self._fault(self.calls, name)
            real(*args)

        return call


Way = Callable[[str], int | None]
"""The error that a call always gives on some kind of file system, if any."""
WAYS: dict[str, Way] = {
    "link": lambda name: None,
    "rename": {"link": errno.EPERM}.get,
    "bare": {"link": errno.EPERM, "renameat2": errno.EINVAL}.get,
    "copy": {"link": errno.EXDEV}.get,
}


@contextmanager
def disk_that(fault: Callable[[int, str], None], way: Way = WAYS["link"]) -> Iterator[FaultyOs]:
    """Let the sorting room and the journal see such a disk."""

    def checked(count: int, name: str) -> None:
        fault(count, name)
        code = way(name)
        if code is not None:
            raise OSError(code, os.strerror(code))

    shim = FaultyOs(checked)
    modules = (copying, disk, move, plans, recover, logfile, durable)
    real = disk._renameat2
    for module in modules:
        if hasattr(module, "os"):
            module.os = shim  # type: ignore[attr-defined]
    disk._renameat2 = shim.counted(real, "renameat2")  # type: ignore[assignment]
    try:
        yield shim
    finally:
        disk._renameat2 = real
        for module in modules:
            if hasattr(module, "os"):
                module.os = os  # type: ignore[attr-defined]


def never(_count: int, _name: str) -> None:
    """No fault."""


def once(k: int, code: int) -> Callable[[int, str], None]:
    """The k-th call fails."""

    def fault(count: int, _name: str) -> None:
        if count == k:
            raise OSError(code, os.strerror(code))

    return fault


def from_then_on(k: int, code: int) -> Callable[[int, str], None]:
    """The disk is broken from the k-th call on."""

    def fault(count: int, _name: str) -> None:
        if count >= k:
            raise OSError(code, os.strerror(code))

    return fault


def stop(k: int) -> Callable[[int, str], None]:
    """The process ends at the k-th call."""

    def fault(count: int, _name: str) -> None:
        if count >= k:
            raise Stopped

    return fault


class Stage:
    """``root`` with two units of files and some bystanders; a journal in ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "root"
        self.truth: dict[str, bytes] = {}
        for name in (*(name for unit in UNITS.values() for name in unit), *BYSTANDERS):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.truth[name] = name.encode() * 50
            path.write_bytes(self.truth[name])
            os.utime(path, ns=(10**18, 10**18 + len(name)))
        self.told: list[Move] = []
        self.trash = self.opened()

    @property
    def base(self) -> bytes:
        return os.fsencode(self.root)

    def opened(self) -> Trash:
        """The trash as after a restart, not recovered yet."""
        return Trash(self.home / "journal", PHOTOS, self.told.extend)

    def restart(self) -> Trash:
        """Open the journal again and recover."""
        self.trash.close()
        self.trash = self.opened()
        self.trash.recover([self.base])
        return self.trash

    def wanted(self, name: str) -> Wanted:
        path = self.root / name
        return Wanted(
            place=Place(base=self.base, path=os.fsencode(name)),
            stamp=FileStamp.of(path.stat()),
            image=hashlib.sha256(path.read_bytes()).digest(),
        )

    def discard(self) -> list[str]:
        """Discard both photos; the ids of what is in the trash then."""
        for one in self.trash.discard([[self.wanted(name)] for name in UNITS]):
            assert one.error is None, one.error
        return [item.id for item in self.trash.contents.all()]

    def anywhere(self, *, stubs: bool = False) -> dict[str, list[str]]:
        """The paths below the root by the name of the file whose content they hold; ``stubs`` are let pass."""
        names = {content: name for name, content in self.truth.items()}
        found: dict[str, list[str]] = {}
        for path in sorted(path for path in self.root.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if stubs and not content:
                continue
            assert content in names, f"{path} is half a file or a stranger"
            found.setdefault(names[content], []).append(str(path.relative_to(self.root)))
        return found

    def assert_whole(self, *, purged: bool = False, stubs: bool = False) -> dict[str, str]:
        """Each file has one place; a unit's are all old or all in the trash, as the contents say. State by photo."""
        found = self.anywhere(stubs=stubs)
        for name in BYSTANDERS:
            assert found[name] == [name]
        listed = {os.fsdecode(item.origin.path): item for item in self.trash.contents.all()}
        states = {}
        for photo, unit in UNITS.items():
            places = [found.get(name, []) for name in unit]
            if photo in listed:
                stored = _stored(listed[photo])
                assert [place for place in places if place] == [[stored[name]] for name in unit if found.get(name)]
                assert purged or all(places), f"lost: {places}"
                states[photo] = "trash"
            elif any(places):
                assert all(len(place) == 1 and not place[0].startswith(".") for place in places), places
                states[photo] = "old"
            else:
                assert purged, f"lost: {photo}"
                states[photo] = "purged"
        return states


def _stored(item: Item) -> dict[str, str]:
    return {
        os.fsdecode(step.source.path): os.fsdecode(step.destination.path)
        for step in item.parcel.steps
        if step.destination is not None
    }


def allow(_item: Item) -> None:
    """Nothing is refused."""
