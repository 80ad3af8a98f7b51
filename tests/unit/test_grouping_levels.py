"""Views of a clustering: nested cuts, ids that last, bursts by time, duplicates that are none, a broken file."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.grouping import levelled, looks
from pixsortd.grouping.cluster import Clusters, cluster
from pixsortd.grouping.levels import DEFAULT, Levels, Shown
from pixsortd.grouping.linked import joined
from pixsortd.grouping.looks import Cut, Links
from pixsortd.grouping.rows import Array, unit
from pixsortd.records import LevelName

DIM = 48


class Library:
    """Subjects of photos around centres, each subject with some pairs of near copies, and loners."""

    def __init__(self, subjects: int = 6, size: int = 14, loners: int = 12, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        centres = generator.normal(size=(subjects, DIM))
        rows = [unit(centre + 0.35 * generator.normal(size=(size, DIM))) for centre in centres]
        for subject in rows:
            subject[1] = subject[0] + 0.01 * generator.normal(size=DIM)
        self.vectors = unit(np.concatenate([*rows, generator.normal(size=(loners, DIM))])).astype(np.float16)
        self.photos = [hashlib.sha256(b"%d %d" % (seed, row)).digest() for row in range(len(self.vectors))]
        self.times: dict[bytes, float] = {}

    def keep(self, path: Path, kept: Sequence[bytes] | None = None) -> Clusters:
        """Cluster these photos and keep the tree."""
        photos = sorted(self.photos if kept is None else kept)
        row_of = {photo: row for row, photo in enumerate(self.photos)}
        vectors = self.vectors[[row_of[photo] for photo in photos]]
        found = cluster(vectors, 5, 5)
        levelled.save(
            path,
            space="made",
            at=7.0,
            contents=photos,
            vectors=vectors,
            times=np.array([self.times.get(photo, np.nan) for photo in photos]),
            graph=found.graph,
            spanning=found.spanning,
            labels=found.labels,
        )
        return found


def members(levels: Levels, shown: Shown) -> dict[str, frozenset[bytes]]:
    """Photos by id."""
    view = shown.view(levels, None, 10_000)
    assert view is not None
    found = {one.id: frozenset(shown.members(levels, one.id)) for one in view.groups}
    assert [one.size for one in view.groups] == [len(found[one.id]) for one in view.groups]
    assert view.count == len(found)
    assert view.grouped == sum(map(len, found.values()))
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "levels.tree"


def test_the_middle_of_the_slider_is_the_clustering_and_all_cuts_are_nested(path: Path) -> None:
    library, generator = Library(subjects=12, size=16), np.random.default_rng(5)
    wide = library.vectors.astype(np.float64)
    for subject in range(0, 12, 2):  # every two are alike, and each has two sorts
        first = slice(16 * subject, 16 * subject + 16)
        wide[16 * subject + 16 : 16 * subject + 32] = unit(wide[first] + 0.16 * generator.normal(size=DIM))
        for half in (8, 24):
            wide[16 * subject + half : 16 * subject + half + 8] += 0.045 * generator.normal(size=DIM)
    library.vectors = unit(wide).astype(np.float16)
    found = library.keep(path)
    levels = Levels.open(path)
    own = {frozenset(levels.contents(np.flatnonzero(found.labels == label))) for label in range(len(found.cohesions))}
    assert len(own) >= 6
    assert set(members(levels, levels.slid(DEFAULT)).values()) == own
    cuts = [members(levels, levels.slid(at)) for at in np.linspace(1, 0, 41)]
    assert len(cuts[0]) > len(own) > len(cuts[-1])
    for finer, coarser in pairwise(cuts):
        homes = {photo: group for group, photos in coarser.items() for photo in photos}
        for photos in finer.values():
            assert len({homes.get(photo) for photo in photos}) == 1


def test_the_same_clustering_keeps_every_id_and_the_same_file(path: Path, tmp_path: Path) -> None:
    library = Library()
    library.keep(path)
    first, bytes_then = Levels.open(path), path.read_bytes()
    library.keep(path)
    assert path.read_bytes() == bytes_then
    fresh = tmp_path / "fresh"
    library.keep(fresh)
    assert fresh.read_bytes() == bytes_then
    shown = first.nodes[first.layout.shown]
    assert len(set(shown.tolist())) == len(shown)
    assert b"" not in shown.tolist()


def test_ids_last_while_photos_come_and_go(path: Path) -> None:
    library, chance = Library(subjects=8), np.random.default_rng(1)
    there = list(library.photos)[:-20]
    away = list(library.photos)[-20:]
    library.keep(path, there)
    for _ in range(5):
        before = Levels.open(path)
        old = {at: members(before, before.slid(at)) for at in (0.5, 1.0)}
        tight = {name: members(before, before.tightly(name)) for name in looks.CUTS}
        for _ in range(2):
            there.append(away.pop(int(chance.integers(len(away)))))
            away.append(there.pop(int(chance.integers(len(there)))))
        library.keep(path, there)
        after = Levels.open(path)
        new = [(old[at], members(after, after.slid(at))) for at in old]
        new += [(tight[name], members(after, after.tightly(name))) for name in tight]
        for then, now in new:
            for group, photos in now.items():
                shared = max(len(photos & earlier) / len(photos | earlier) for earlier in then.values())
                if shared > 0.75:
                    assert group in then
                    assert len(photos & then[group]) / len(photos | then[group]) == shared


def times_of(*seconds: float | None) -> Array:
    return np.array([np.nan if one is None else one for one in seconds])


def chain(count: int, likeness: float = 0.9) -> Links:
    """Every row linked with the next, the first the most alike."""
    pairs = np.stack([np.arange(count - 1), np.arange(1, count)], 1).astype(np.int32)
    return Links(pairs, (likeness - 0.001 * np.arange(count - 1)).astype(np.float32))


@pytest.mark.parametrize(
    ("times", "groups"),
    [
        ((0, 10, 40, 71, 100), [0, 0, 0, 1, 1]),
        ((0, 30, 60, 90, 120), [0, 0, 0, 0, 0]),
        ((100, 0, 101, 1, 100), [0, 1, 0, 1, 0]),
        ((5, 5, 5, 5, 5), [0, 0, 0, 0, 0]),
        ((None, None, None, None, None), [0, 0, 0, 0, 0]),
        ((0, None, None, None, 10), [0, 0, 0, 0, 0]),
        ((0, None, None, None, 1000), [0, 0, 0, 0, -1]),
        ((0, 1, None, 900, 901), [0, 0, 0, 1, 1]),
        ((0, 1000, 2000, 3000, 4000), [-1, -1, -1, -1, -1]),
        ((0, 0, 31, 31, None), [0, 0, 1, 1, 1]),
    ],
)
def test_a_gap_divides_and_photos_without_a_time_stay_by_looks(times, groups) -> None:
    found = looks.level(chain(5), Cut(0.5, 30.0), times_of(*times))
    assert found.tolist() == groups


def test_time_never_joins_what_looks_do_not() -> None:
    assert looks.level(chain(4, 0.501), Cut(0.5, 30.0), times_of(0, 0, 0, 0)).tolist() == [0, 0, 0, -1]
    assert looks.level(Links(np.zeros((0, 2), np.int32), np.zeros(0, np.float32)), Cut(0.5), times_of(0)).tolist() == [
        -1
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_group_has_a_longer_gap_and_every_group_hangs_together(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 12))
    seconds = st.one_of(st.none(), st.integers(0, 200).map(float))
    times = times_of(*data.draw(st.lists(seconds, min_size=count, max_size=count)))
    found = looks.level(chain(count), Cut(0.5, 30.0), times)
    for group in range(int(found.max(initial=-1)) + 1):
        rows = np.flatnonzero(found == group)
        assert len(rows) > 1
        taken = np.sort(times[rows][np.isfinite(times[rows])])
        assert not len(taken) or np.diff(taken).max(initial=0.0) <= 30.0


def test_the_background_is_told_apart_from_what_a_library_is_full_of() -> None:
    few, many = Library(subjects=6), Library(subjects=40, size=6)
    assert abs(looks.background(few.vectors) - looks.background(many.vectors)) < 0.2
    one = np.tile(unit(np.ones((1, DIM))), (30, 1)).astype(np.float16)
    assert looks.background(one) == looks.FARTHEST
    assert looks.background(one[:1]) == looks.background(one[:0]) == 0.0


def test_pairs_that_are_no_duplicates_part_and_the_rest_stays(path: Path) -> None:
    library = Library(subjects=3)
    library.vectors[1:4] = library.vectors[0]
    library.keep(path)
    levels = Levels.open(path)
    copies = frozenset(library.photos[:4])
    whole = members(levels, levels.tightly(LevelName.NEAR_DUPLICATE))
    group = next(one for one, photos in whole.items() if photos == copies)
    pair = tuple(sorted(library.photos[:2]))
    stranger = (hashlib.sha256(b"?").digest(), pair[0])
    parted = members(levels, levels.tightly(LevelName.NEAR_DUPLICATE, (), {pair, stranger}))
    assert parted == members(levels, levels.tightly(LevelName.NEAR_DUPLICATE, (), {stranger, pair}))
    assert not any(set(pair) <= photos for photos in parted.values())
    assert len(parted[group]) == 3
    assert {one: photos for one, photos in parted.items() if one != group} == {
        one: photos for one, photos in whole.items() if one != group
    }
    assert members(levels, levels.tightly(LevelName.BURST, (), {pair})) == members(
        levels, levels.tightly(LevelName.BURST)
    )


def test_photos_that_are_gone_are_in_no_view(path: Path) -> None:
    library = Library()
    library.keep(path)
    levels = Levels.open(path)
    gone = library.photos[:5]
    for shown in (levels.slid(0.5, gone), levels.slid(0.9, gone), levels.tightly(LevelName.SCENE, gone)):
        assert not any(set(gone) & photos for photos in members(levels, shown).values())
    view = levels.slid(0.5, gone).view(levels, None, 0)
    assert view is not None
    assert view.grouped + view.ungrouped == len(library.photos) - 5


def test_pages_go_through_all_groups_once(path: Path) -> None:
    library = Library()
    library.keep(path)
    levels = Levels.open(path)
    shown, seen, after = levels.slid(0.5), [], None
    while True:
        view = shown.view(levels, after, 2)
        assert view is not None
        seen += [one.id for one in view.groups]
        if not view.more:
            break
        after = seen[-1]
    everything = shown.view(levels, None, 1000)
    assert everything is not None
    assert seen == [one.id for one in everything.groups]
    assert shown.view(levels, "v0", 2) is None
    assert shown.members(levels, "v0") == ()


def test_a_group_divides_as_its_node_does(path: Path) -> None:
    generator = np.random.default_rng(3)
    far = generator.normal(size=(4, DIM))
    near = far[0] + 0.8 * generator.normal(size=DIM)
    centres = [far[0], near, *far[1:]]
    sizes = [20, 9, 20, 20, 20]
    rows = [unit(one + 0.25 * generator.normal(size=(size, DIM))) for one, size in zip(centres, sizes, strict=True)]
    library = Library(loners=0)
    library.vectors = np.concatenate(rows).astype(np.float16)
    library.photos = [hashlib.sha256(b"%d" % row).digest() for row in range(sum(sizes))]
    library.keep(path)
    levels = Levels.open(path)
    half = set(levels.smaller_half(library.photos[:29]))
    smaller = set(library.photos[20:29])
    assert len(half & smaller) / len(half | smaller) > 0.7
    merged = set(levels.smaller_half([*library.photos[29:49], *library.photos[49:69], library.photos[70]]))
    assert merged in (set(library.photos[29:49]), set(library.photos[49:69]))  # whoever was merged is parted again
    assert levels.smaller_half([]) == ()
    assert levels.smaller_half([bytes(32)]) == ()


@pytest.mark.parametrize("count", [0, 1, 2, 4, 6])
def test_a_library_of_hardly_any_photos(path: Path, count: int) -> None:
    library = Library()
    library.keep(path, library.photos[:count])
    levels = Levels.open(path)
    assert len(levels) == count
    for shown in (*(levels.slid(at) for at in (0.0, 0.5, 1.0)), *(levels.tightly(name) for name in looks.CUTS)):
        members(levels, shown)


def test_a_library_of_copies(path: Path) -> None:
    library = Library()
    library.vectors[:] = library.vectors[0]
    library.keep(path)
    levels = Levels.open(path)
    everything = frozenset(library.photos)
    assert list(members(levels, levels.tightly(LevelName.NEAR_DUPLICATE)).values()) == [everything]
    assert list(members(levels, levels.slid(0.5)).values()) in ([everything], [])


def test_a_broken_file_is_not_believed_and_made_anew(path: Path) -> None:
    library = Library()
    library.keep(path)
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:20], b"", whole[:100] + b"\0" + whole[101:], whole + b"\0"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="file"):
            Levels.open(path)
    library.keep(path)
    assert path.read_bytes() == whole


def test_links_that_may_not_join() -> None:
    links = [(0, 1), (1, 2), (2, 3)]
    none: dict[int, frozenset[int]] = {}
    assert joined(range(5), links, have=none, shun=none) == [[0, 1, 2, 3], [4]]
    marks = {row: frozenset([row]) for row in (0, 2)}
    foes = {0: frozenset([2]), 2: frozenset([0])}
    assert joined(range(4), links, have=marks, shun=foes) == [[0, 1], [2, 3]]
    assert joined(range(4), links, together=[[0, 2]], have=marks, shun=foes) == [[0, 1, 2, 3]]
