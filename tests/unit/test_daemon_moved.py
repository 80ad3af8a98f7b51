"""What the index learns of files that were moved, copied, linked or removed by the daemon itself."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pixsortd.daemon.moved import Recorder
from pixsortd.index.store import Store
from pixsortd.records import FileRow, FileStamp, FileState, Found, Place, root_id
from pixsortd.sorting.journal import Deed, Move, Parcel, Step
from tests.unit.index_material import MAP, adds_up, analysis


class Stage:
    """Two roots with an index, and a disk to which things are done by hand."""

    def __init__(self, home: Path) -> None:
        self.store = Store.open(home / "index", map_size=MAP)
        self.noticed: list[tuple[str, bytes]] = []
        self.home = home
        for name in ("inbox", "library"):
            (home / name).mkdir()
        self.recorder = Recorder(self.store, self, lambda _: ", as the test says")

    def online(self) -> dict[str, bytes]:
        return {root_id(base): base for base in map(self.base, ("inbox", "library"))}

    def notice(self, root: str, paths: Sequence[bytes]) -> None:
        self.noticed += [(root, path) for path in paths]

    def base(self, root: str) -> bytes:
        return os.fsencode(self.home / root)

    def add(self, root: str, name: str, content: bytes) -> Place:
        path = self.home / root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.index(root, name, content)
        return self.place(root, name)

    def index(self, root: str, name: str, content: bytes) -> None:
        stamp = FileStamp.of((self.home / root / name).stat())
        self.store.record(root_id(self.base(root)), [Found(path=os.fsencode(name), stamp=stamp, settled=True)])
        row = self.row(root, name)
        assert row is not None
        self.store.commit([(row, analysis(hashlib.sha256(content).digest()))])

    def place(self, root: str, name: str) -> Place:
        return Place(base=self.base(root), path=os.fsencode(name))

    def row(self, root: str, name: str) -> FileRow | None:
        return self.store.file(root_id(self.base(root)), os.fsencode(name))

    def step(self, deed: Deed, source: Place, destination: Place | None, content: bytes | None = None) -> Step:
        return Step(
            source=source,
            destination=destination,
            action=deed,
            stamp=FileStamp.of(os.lstat(source.absolute)),
            sha256=hashlib.sha256(content).digest() if content is not None else None,
        )

    def tell(self, *steps: Step) -> None:
        self.recorder([Move(id="m", kind="sort", at=1.0, parcels=(Parcel(id="p", image=b"", steps=steps),))])

    def whole(self) -> bool:
        """Whether every row is as its file is, and the counters add up."""
        if not adds_up(self.store, [root_id(self.base(root)) for root in ("inbox", "library")]):
            return False
        for root in ("inbox", "library"):
            for path in (self.home / root).rglob("*.jpg"):
                row = self.row(root, os.fspath(path.relative_to(self.home / root)))
                if path.parent.name == ".pixsortd-trash":
                    continue
                if row is None or row.state is not FileState.INDEXED or row.stamp != FileStamp.of(path.lstat()):
                    return False
        return True


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    one = Stage(tmp_path)
    yield one
    one.store.close()


def test_a_moved_file_keeps_what_is_known_of_it_and_when_it_was_first_seen(stage: Stage) -> None:
    source = stage.add("inbox", "a.jpg", b"one")
    before = stage.row("inbox", "a.jpg")
    step = stage.step(Deed.MOVE, source, stage.place("library", "2024/a.jpg"), b"one")
    (stage.home / "library" / "2024").mkdir()
    (stage.home / "inbox" / "a.jpg").rename(stage.home / "library" / "2024" / "a.jpg")
    for _ in range(2):  # a crash may let it hear twice
        stage.tell(step)
        assert stage.row("inbox", "a.jpg") is None
        row = stage.row("library", "2024/a.jpg")
        assert row is not None
        assert before is not None
        assert (row.state, row.sha256, row.first_seen) == (FileState.INDEXED, before.sha256, before.first_seen)
        assert stage.whole()
    words = [one.what for one in stage.store.history(hashlib.sha256(b"one").digest())]
    assert words[-1] == "sorted"
    assert words.count("sorted") == 1
    assert stage.noticed[0] == (root_id(stage.base("library")), b"2024/a.jpg")


def test_a_file_that_made_room_leaves_and_the_one_in_its_place_is_known(stage: Stage) -> None:
    source, there = stage.add("inbox", "a.jpg", b"new"), stage.add("library", "a.jpg", b"old")
    trash = stage.place("library", ".pixsortd-trash/0-a.jpg")
    steps = [stage.step(Deed.DISPLACE, there, trash, b"old"), stage.step(Deed.MOVE, source, there, b"new")]
    (stage.home / "library" / ".pixsortd-trash").mkdir()
    os.rename(there.absolute, trash.absolute)
    os.rename(source.absolute, there.absolute)
    stage.tell(*steps)
    row = stage.row("library", "a.jpg")
    assert row is not None
    assert row.sha256 == hashlib.sha256(b"new").digest()
    assert stage.store.locations(hashlib.sha256(b"old").digest()) == []
    assert [one.what for one in stage.store.history(hashlib.sha256(b"old").digest())][-1] == "trashed"
    assert stage.row("inbox", "a.jpg") is None
    assert stage.whole()


@pytest.mark.parametrize("deed", [Deed.COPY, Deed.HARDLINK])
def test_what_was_copied_or_linked_is_known_in_both_places(stage: Stage, deed: Deed) -> None:
    source = stage.add("inbox", "a.jpg", b"one")
    copy = stage.place("library", "a.jpg")
    step = stage.step(deed, source, copy, b"one")
    if deed is Deed.HARDLINK:
        os.link(source.absolute, copy.absolute)
    else:
        (stage.home / "library" / "a.jpg").write_bytes(b"one")
        os.utime(copy.absolute, ns=(1, step.stamp.mtime_ns))
    stage.tell(step)
    assert stage.whole(), "linking has changed the ctime of both"
    gone = stage.step(Deed.DELETE, copy, None)
    os.unlink(copy.absolute)
    stage.tell(gone)
    assert stage.row("library", "a.jpg") is None
    assert stage.whole(), "and so has unlinking"


def test_a_companion_is_no_photo_and_a_link_is_no_file(stage: Stage) -> None:
    source = stage.add("inbox", "a.jpg", b"one")
    (stage.home / "inbox" / "a.xmp").write_text("settings")
    companion = stage.step(Deed.MOVE, stage.place("inbox", "a.xmp"), stage.place("library", "a.xmp"))
    link = stage.step(Deed.SYMLINK, source, stage.place("library", "link.jpg"), b"one")
    os.rename(stage.home / "inbox" / "a.xmp", stage.home / "library" / "a.xmp")
    os.symlink(source.absolute, stage.home / "library" / "link.jpg")
    stage.tell(companion, link)
    assert stage.row("library", "a.xmp") is None
    assert stage.row("library", "link.jpg") is None
    assert {path for _, path in stage.noticed} == {b"a.xmp", b"link.jpg"}, "the watcher says what they are"


def test_what_is_still_there_is_not_said_to_be_gone(stage: Stage) -> None:
    source = stage.add("inbox", "a.jpg", b"one")
    stage.tell(stage.step(Deed.MOVE, source, stage.place("library", "a.jpg"), b"one"))
    assert stage.row("inbox", "a.jpg") is not None
    assert stage.row("library", "a.jpg") is None
