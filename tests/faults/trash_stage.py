"""A root with photos and a trash: shared by the trash's fault tests."""

import hashlib
import os
from pathlib import Path

from pixsortd.records import FileStamp, Place
from pixsortd.sorting.contents import Item
from pixsortd.sorting.journal import Move
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.plans import Wanted
from pixsortd.sorting.trash import Trash

PHOTOS = frozenset((b".jpg", b".heic"))
UNITS = {
    "a/IMG_1.jpg": ("a/IMG_1.jpg", "a/IMG_1.xmp", "a/IMG_1.jpg.xmp"),
    "b/deep/IMG_2.jpg": ("b/deep/IMG_2.jpg", "b/deep/img_2.MOV"),
}
"""The files that travel with each photo."""
BYSTANDERS = ("a/IMG_10.jpg", "b/deep/IMG_2b.xmp", "c/other.jpg")


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
        return Trash(Mover(self.home / "journal", self.told.extend), PHOTOS)

    def restart(self) -> Trash:
        """Open the journal again and recover."""
        self.trash.mover.close()
        self.trash = self.opened()
        self.trash.mover.recover([self.base])
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
