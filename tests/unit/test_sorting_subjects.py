"""What rules can ask of files: facts from the index, roles among duplicates and bursts, companions on disk."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pixsortd.daemon.sorting import subjects as module
from pixsortd.daemon.sorting.beside import companions
from pixsortd.daemon.sorting.roles import Roles, Standing
from pixsortd.decisions.batches import BatchState
from pixsortd.records import (
    Constraints,
    Exif,
    FileStamp,
    Found,
    Group,
    LevelName,
    Membership,
    MetricInfo,
    Rank,
    Role,
    Score,
)
from tests.unit.index_material import content
from tests.unit.sorting_library import PHOTOS, Library

EXIF = Exif(
    taken="2021-06-05T10:00:00",
    taken_at=1622887200.0,
    camera_make="Nikon",
    lens="35mm",
    latitude=48.1,
    rating=2,
    description="a boat",
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.store.close()


def test_a_subject_knows_what_the_index_knows(library: Library) -> None:
    sha256 = library.put(Role.INBOX, "sub/a.jpg", exif=EXIF, niqe=2.0)
    library.put(Role.LIBRARY, "b.jpg", niqe=4.0)
    library.store.regroup(
        [(sha256, Membership(group="g", strength=0.7, how="joined"))], [Group(id="g", size=0, name="Boats")]
    )
    library.sets = {
        "1": BatchState(id="1", name="best", created=2, members=(sha256,)),
        "2": BatchState(id="2", name="first", created=1, members=(sha256,)),
        "3": BatchState(id="3", name="gone", created=0, members=(sha256,), deleted=True),
    }
    (one,) = library.inbox().values()
    path = library.roots[Role.INBOX] / "sub/a.jpg"
    assert (one.place.absolute, one.place.path) == (os.fsencode(path), b"sub/a.jpg")
    assert one.stamp == FileStamp.of(path.stat())
    assert (one.image, one.format, one.width, one.height) == (sha256, "JPEG", 640, 480)
    assert (one.taken, one.make, one.model, one.lens) == (EXIF.taken, "Nikon", None, "35mm")
    assert (one.latitude, one.longitude) == (48.1, None)
    assert (one.group, one.group_name, one.strength) == ("g", "Boats", 0.7)
    assert (one.scores, one.percentiles, one.composite) == ({"niqe": 2.0}, {"niqe": 100.0, "composite": 100.0}, 100.0)
    assert one.batches == ("first", "best")
    assert (one.rating, one.label, one.caption) == (2, None, "a boat"), "as the file says"
    assert (one.duplicate, one.burst, one.companions) == (None, None, ())


def test_the_quality_of_a_photo_is_its_place_in_the_library_whatever_its_composite_is(library: Library) -> None:
    musiq = MetricInfo(name="musiq", lower_better=False, version="1")
    for number, other in enumerate((1.0, 0.0, 2.0, 3.0)):
        library.put(Role.INBOX, f"{number}.jpg", niqe=float(number), scores=[Score(metric=musiq, value=other)])
    found = library.inbox()
    assert [found[name].composite for name in sorted(found)] == [75.0, 50.0, 62.5, 62.5]
    assert [found[name].percentiles["composite"] for name in sorted(found)] == [100.0, 25.0, 75.0, 75.0]


def test_what_the_user_said_comes_before_what_the_file_says(library: Library) -> None:
    sha256 = library.put(Role.INBOX, "a.jpg", exif=EXIF)
    library.stars = {sha256: 5}
    (one,) = library.inbox().values()
    assert (one.rating, one.label) == (5, "red")


def test_a_photo_of_which_nothing_is_known(library: Library) -> None:
    library.put(Role.INBOX, "a.jpg", niqe=float("nan"))
    (one,) = library.inbox().values()
    facts = (one.taken, one.group, one.strength, one.composite, one.rating, one.caption)
    assert set(facts) == {None}
    assert (one.scores, one.percentiles) == ({}, {})


def test_only_analysed_files_of_that_root_are_subjects(library: Library) -> None:
    library.put(Role.INBOX, "a.jpg", b"same")
    library.put(Role.INBOX, "b/c.jpg", b"same")
    library.put(Role.LIBRARY, "d.jpg", b"same")
    stamp = FileStamp.of((library.roots[Role.INBOX] / "a.jpg").stat())
    library.store.record(library.ids[Role.INBOX], [Found(path=b"new.jpg", stamp=stamp, settled=True)])
    assert sorted(library.inbox()) == ["a.jpg", "b/c.jpg"]
    assert list(library.subjects.of_inbox("0" * 12)) == []


def test_of_copies_the_one_in_the_library_is_the_best(library: Library) -> None:
    library.put(Role.INBOX, "a.jpg", b"same")
    assert library.inbox()["a.jpg"].duplicate is None
    sha256 = library.put(Role.LIBRARY, "b.jpg", b"same")
    assert library.inbox()["a.jpg"].duplicate is Rank.OTHER
    both = {one.place.path: one.duplicate for one in library.subjects.of([sha256, content(b"unknown")])}
    assert both == {b"a.jpg": Rank.OTHER, b"b.jpg": Rank.BEST}


def test_of_near_duplicates_and_bursts_the_best_by_composite_is_the_best(library: Library) -> None:
    names = ("a.jpg", "b.jpg", "c.jpg")
    photos = [library.put(Role.INBOX, name, niqe=score) for name, score in zip(names, (5.0, 2.0, 4.0), strict=True)]
    library.clustered(photos)
    library.company = {
        **{(LevelName.NEAR_DUPLICATE, one): tuple(photos[:2]) for one in photos[:2]},
        **{(LevelName.BURST, one): tuple(photos) for one in photos},
    }
    found = library.inbox()
    assert [found[name].duplicate for name in names] == [Rank.OTHER, Rank.BEST, None]
    assert [found[name].burst for name in names] == [Rank.OTHER, Rank.BEST, Rank.OTHER]


def test_a_copy_of_the_best_near_duplicate_is_another(library: Library) -> None:
    best, other = library.put(Role.LIBRARY, "a.jpg", b"best", niqe=1.0), library.put(Role.LIBRARY, "b.jpg", niqe=2.0)
    library.put(Role.INBOX, "c.jpg", b"best", niqe=1.0)
    library.clustered([best, other])
    library.company = {(LevelName.NEAR_DUPLICATE, one): (best, other) for one in (best, other)}
    assert library.inbox()["c.jpg"].duplicate is Rank.OTHER
    assert [one.duplicate for one in library.subjects.of([other])] == [Rank.OTHER]


def taken(at: float) -> Exif:
    return Exif(taken_at=at)


def test_a_newcomer_is_compared_with_its_nearest(library: Library) -> None:
    old, mate = (library.put(Role.LIBRARY, f"{name}.jpg", niqe=3.0, exif=taken(100.0), taken=100.0) for name in "ab")
    new = library.put(Role.INBOX, "new.jpg", niqe=1.0, exif=taken(120.0), taken=120.0)
    library.clustered([old, mate])
    library.company = {(LevelName.NEAR_DUPLICATE, one): (mate, old) for one in (old, mate)}
    roles = Roles(library.store, library, library, lambda: library.constraints, library.compare)
    assert roles.of([new]) == {new: Standing(None, None)}
    library.near_ones = {new: [(old, 0.5 + 0.75 / 2)]}
    assert roles.of([new]) == {new: Standing(Rank.BEST, Rank.BEST)}
    assert roles.of([old])[old].duplicate is not None
    library.near_ones = {new: [(old, 0.5 + 0.6 / 2)]}
    assert roles.of([new]) == {new: Standing(None, Rank.BEST)}, "alike enough for a burst"
    library.constraints = Constraints(distinct=frozenset({(min(old, new), max(old, new))}))
    library.near_ones = {new: [(old, 1.0)]}
    assert roles.of([new])[new].duplicate is None, "the user says that it is none"


@pytest.mark.parametrize(("at", "burst"), [(130.0, Rank.BEST), (131.0, None), (None, None)])
def test_a_burst_is_within_seconds(library: Library, at: float | None, burst: Rank | None) -> None:
    old = library.put(Role.LIBRARY, "a.jpg", exif=taken(100.0), taken=100.0, niqe=3.0)
    exif = {"exif": taken(at), "taken": at} if at is not None else {"taken_from": "mtime"}
    new = library.put(Role.INBOX, "new.jpg", niqe=1.0, **exif)
    library.clustered([old])
    library.near_ones = {new: [(old, 0.8)]}
    assert library.inbox()["new.jpg"].burst is burst


def test_a_library_is_read_in_stretches_one_file_of_each_photo(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    for number in range(7):
        library.put(Role.LIBRARY, f"{number}.jpg", taken=float(number))
    library.put(Role.INBOX, "alone.jpg", taken=50.0)
    library.put(Role.INBOX, "copy.jpg", b"6.jpg", taken=6.0)
    everything = list(library.subjects.library())
    assert [one.place.path for one in everything] == [b"%d.jpg" % number for number in reversed(range(7))]
    assert [one.place.path for one in library.subjects.library(since=5.0)] == [b"6.jpg", b"5.jpg"]
    assert (library.subjects.count(), library.subjects.count(since=5.0)) == (8, 3)


# --- companions --------------------------------------------------------------------------------------------------


def beside(directory: Path, leaving: Sequence[str], *names: str) -> dict[str, list[str]]:
    for name in (*leaving, *names):
        (directory / name).write_bytes(b"x")
    found = companions(os.fsencode(directory), b"", [os.fsencode(name) for name in leaving], PHOTOS)
    return {
        os.fsdecode(name): [os.fsdecode(one.place.path) for one in others] for name, others in found.items() if others
    }


def test_sidecars_films_and_raws_go_with_their_photo(tmp_path: Path) -> None:
    names = ("a.xmp", "A.MOV", "a.nef", "a.nef.xmp", "a.jpg.xmp", "b.mov", "ab.xmp", "a.txt")
    assert beside(tmp_path, ["a.jpg", "c.jpg"], *names) == {
        "a.jpg": ["A.MOV", "a.nef", "a.xmp", "a.jpg.xmp", "a.nef.xmp"]
    }


def test_what_belongs_to_two_goes_with_the_first_and_with_nobody_while_one_stays(tmp_path: Path) -> None:
    assert beside(tmp_path, ["a.jpg", "a.heic"], "a.mov") == {"a.heic": ["a.mov"]}
    assert beside(tmp_path, ["a.jpg"], "a.mov", "a.heic") == {}


def test_links_and_directories_are_no_companions(tmp_path: Path) -> None:
    (tmp_path / "a.xmp").symlink_to("elsewhere")
    (tmp_path / "a.mov").mkdir()
    assert beside(tmp_path, ["a.jpg"]) == {}


def test_names_of_any_bytes_have_companions(tmp_path: Path) -> None:
    name = b"\xff\n-a"
    for extension in (b".jpg", b".xmp"):
        (tmp_path / os.fsdecode(name + extension)).write_bytes(b"")
    found = companions(os.fsencode(tmp_path), b"", [name + b".jpg", b"gone.jpg"], PHOTOS)
    assert {one: [also.place.path for also in others] for one, others in found.items()} == {
        name + b".jpg": [name + b".xmp"]
    }


def test_companions_are_found_below_a_root_with_their_stamps(library: Library) -> None:
    library.put(Role.INBOX, "sub/a.jpg")
    sidecar = library.roots[Role.INBOX] / "sub/a.xmp"
    sidecar.write_bytes(b"<x/>")
    (one,) = library.inbox().values()
    assert [(also.place.path, also.stamp) for also in one.companions] == [(b"sub/a.xmp", FileStamp.of(sidecar.stat()))]


def test_a_directory_that_is_gone_is_left_out(library: Library) -> None:
    library.put(Role.INBOX, "sub/a.jpg")
    library.put(Role.INBOX, "b.jpg")
    (library.roots[Role.INBOX] / "sub").rename(library.roots[Role.INBOX] / "away")
    assert sorted(library.inbox()) == ["b.jpg"]
