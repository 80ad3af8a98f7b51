"""The overview: what is kept and when it is read anew, names of cameras, sizes of groups, marks of photos."""

import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from pixsortd.api.ports import ImageQuery, ImageSort, NameTally, SizeTally, StageName, ThroughputPoint
from pixsortd.daemon.kept import PATIENCE, Kept, slices
from pixsortd.daemon.photos.timeline import DaemonTimeline
from pixsortd.daemon.reports.overview import DaemonOverview, camera, size_tallies, tallies
from pixsortd.errors import IndexProblem, InvalidRequest
from pixsortd.index.store import Store
from pixsortd.records import ColourLabel, Exif, Found, Gone, Group, Membership, Photo, Reason
from tests.harness import wait_until
from tests.unit.index_material import ROOT, analysis, content, drop, opened, stamp


class Clock:
    """Time that only passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Reader:
    """Something that takes ``seconds`` to read."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds
        self.generation, self.reads = 1, 0
        self.go = threading.Event()
        self.go.set()

    def read(self) -> int:
        self.go.wait(10)
        self.clock.now += self.seconds
        self.reads += 1
        return self.generation

    def kept(self, rest: float = 10.0) -> Kept[int]:
        return Kept("test", self.read, lambda: self.generation, rest, self.clock)


def test_it_is_read_anew_when_the_index_changed_and_it_has_rested() -> None:
    clock = Clock()
    reader = Reader(clock, PATIENCE / 2)
    kept = reader.kept()
    assert [kept.get(), kept.get(), reader.reads] == [1, 1, 1]
    reader.generation = 2
    assert kept.get() == 1, "it has not rested"
    clock.now += 10 * PATIENCE / 2 + 0.001
    assert (kept.get(), reader.reads) == (2, 2)
    clock.now += 1000
    assert (kept.get(), reader.reads) == (2, 2), "nothing has changed"


def test_a_long_reading_hands_out_the_old_value_meanwhile() -> None:
    clock = Clock()
    reader = Reader(clock, 2 * PATIENCE)
    kept = reader.kept()
    kept.get()
    reader.generation = 2
    clock.now += 100
    reader.go.clear()
    assert [kept.get(), kept.get()] == [1, 1]
    reader.go.set()
    wait_until(lambda: kept.get() == 2, 10, 0.01)
    assert reader.reads == 2


def test_what_is_lacking_is_waited_for() -> None:
    reader = Reader(Clock(), 2 * PATIENCE)
    kept = reader.kept()
    kept.get()
    assert kept.get(lambda value: value < 2) == 1, "nothing new can be had"
    reader.generation = 2
    assert kept.get(lambda value: value < 2) == 2


def test_a_reading_that_fails_behind_leaves_the_old_value() -> None:
    clock = Clock()
    reader = Reader(clock, 2 * PATIENCE)
    fails = threading.Event()

    def read() -> int:
        if reader.reads:
            fails.set()
            raise IndexProblem("no")
        return reader.read()

    kept = Kept("test", read, lambda: reader.generation, 1.0, clock)
    assert kept.get() == 1
    reader.generation, clock.now = 2, clock.now + 100
    assert kept.get() == 1
    assert fails.wait(10)
    assert kept.get() == 1


def test_slices_go_on_where_the_last_one_ended() -> None:
    class Part(msgspec.Struct):
        last: bytes | None

    asked: list[bytes | None] = []

    def read(after: bytes | None) -> Part:
        asked.append(after)
        return Part(b"%d" % len(asked) if len(asked) < 3 else None)

    assert len(list(slices(read))) == 3
    assert asked == [None, b"1", b"2"]


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 6D", "Canon EOS 6D"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 11", "Apple iPhone 11"),
        (None, "X100V", "X100V"),
        ("SONY", None, "SONY"),
        ("", "", None),
        (" ", "Z 6", "Z 6"),
        (None, None, None),
    ],
)
def test_cameras_as_people_call_them(make: str | None, model: str | None, name: str | None) -> None:
    assert camera(("JPEG", make, model)) == name


def test_tallies_add_up_under_one_name() -> None:
    photos = Counter({("JPEG", "Canon", "EOS"): 2, ("PNG", "Canon", "Canon EOS"): 3, ("PNG", None, None): 4})
    sizes = Counter({("JPEG", "Canon", "EOS"): 20, ("PNG", "Canon", "Canon EOS"): 30, ("PNG", None, None): 40})
    assert tallies(photos, sizes, camera) == (NameTally(name="Canon EOS", count=5, bytes=50),)
    assert [(one.name, one.count, one.bytes) for one in tallies(photos, sizes, lambda kind: kind[0])] == [
        ("PNG", 7, 70),
        ("JPEG", 2, 20),
    ]


def test_group_sizes_in_powers_of_two() -> None:
    found = size_tallies([0, 2, 3, 5, 16])
    assert found == (
        SizeTally(least=2, most=3, count=2),
        SizeTally(least=4, most=7, count=1),
        SizeTally(least=8, most=15, count=0),
        SizeTally(least=16, most=31, count=1),
    )
    assert size_tallies([0]) == ()


class Fixed:
    """The other rooms, and the user, as fixed answers."""

    def __init__(self, stars: dict[bytes, int], labels: dict[bytes, ColourLabel]) -> None:
        self._stars, self._labels = stars, labels

    def ratings(self) -> dict[bytes, int]:
        return self._stars

    def labels(self) -> dict[bytes, ColourLabel]:
        return self._labels

    def captions(self) -> dict[bytes, str]:
        return {}

    def batches(self) -> dict[str, object]:
        return {}

    def distributions(self) -> tuple[()]:
        return ()

    def points(self) -> tuple[ThroughputPoint, ...]:
        return (ThroughputPoint(at=60.0, count=7),)

    def reports(self) -> tuple[()]:
        return ()

    def pause(self, stage: StageName, paused: bool) -> tuple[()]:
        return ()

    def away(self) -> frozenset[str]:
        return frozenset()

    def path_of(self, root: str) -> bytes:
        return b"/photos"

    def holding(self, path: bytes) -> None:
        return None


@pytest.fixture
def library(tmp_path: Path):
    """Five photos with a file and one without, by two cameras; four of them in a group."""
    with opened(tmp_path / "index") as store:
        rows = drop(store, *(b"%d.jpg" % i for i in range(6)))
        results = []
        for i in range(6):
            exif = Exif(camera_make="Canon", camera_model="EOS") if i < 2 else Exif()
            photo = Photo(
                sha256=content(b"%d" % i), size=100 + i, format="JPEG" if i else "PNG", width=3, height=2, exif=exif
            )
            made = analysis(photo.sha256)
            results.append(msgspec.structs.replace(made, photo=msgspec.structs.replace(photo, taken=i * 40 * 86400.0)))
        store.commit(list(zip(rows, results, strict=True)))
        store.record(ROOT, [Gone(path=b"5.jpg", reason=Reason(code="test", message="because"))])
        member = Membership(group="g1", strength=1.0, how="clustered")
        store.regroup([(content(b"%d" % i), member) for i in range(4)], [Group(id="g1", size=0)])
        yield store


def test_a_library_in_figures(library: Store) -> None:
    stars = {content(b"0"): 5, content(b"1"): 0, content(b"5"): 4, content(b"elsewhere"): 3}
    said = Fixed(stars, {content(b"2"): ColourLabel.RED})
    overview = DaemonOverview(library, said, said, said, said)
    report = overview.report()
    assert (report.photos, report.bytes) == (5, 510)
    assert [(month.month, month.count) for month in report.months] == [
        ("1970-01", 1),
        ("1970-02", 1),
        ("1970-03", 1),
        ("1970-05", 1),
        ("1970-06", 1),
    ]
    assert [(one.name, one.count) for one in report.formats] == [("JPEG", 4), ("PNG", 1)]
    assert report.cameras == (NameTally(name="Canon EOS", count=2, bytes=201),)
    assert report.group_sizes == (SizeTally(least=4, most=7, count=1),)
    assert report.ratings == {"0": 1, "5": 1}, "photos that are gone are not counted"
    assert report.labels == {"red": 1}
    assert report.throughput == said.points()
    said.ratings()[content(b"4")] = 5
    assert overview.report().ratings == {"0": 1, "5": 2}, "marks are of this moment"


def test_a_census_in_slices_is_one_in_whole(library: Store) -> None:
    whole = library.census_slice(None, 100)
    parts = list(slices(lambda after: library.census_slice(after, 2)))
    assert sum((part.photos for part in parts), Counter()) == whole.photos
    assert whole.last is None


def test_a_timeline_shows_marks_and_files(library: Store) -> None:
    said = Fixed({content(b"1"): 4}, {content(b"1"): ColourLabel.BLUE})
    timeline = DaemonTimeline(library, said, said)
    outline = timeline.outline(ImageQuery(rating=3))
    assert ([bucket.key for bucket in outline.buckets], outline.total) == (["1970-02"], 1)
    (cell,) = timeline.bucket(ImageQuery(), "1970-02")
    assert (cell.id, cell.name, cell.rating, cell.label) == (content(b"1").hex(), b"1.jpg", 4, "blue")
    assert (cell.width, cell.height, cell.group, cell.status) == (3, 2, "g1", "indexed")
    assert [cell.rating for cell in timeline.bucket(ImageQuery(sort=ImageSort.ADDED), "n0")] == [
        None,
        None,
        None,
        4,
        None,
    ]
    library.record(ROOT, [Found(path=b"new.jpg", stamp=stamp(77), settled=True)])
    (waiting,) = timeline.bucket(ImageQuery(status="pending"), "f0")
    row = library.entry(waiting.id)
    assert row is not None
    assert (row.path, waiting.rating, waiting.status) == (b"new.jpg", None, "pending")
    with pytest.raises(InvalidRequest):
        timeline.bucket(ImageQuery(), "f0")
