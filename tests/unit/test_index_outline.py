"""Outlines: the buckets of a list, one behind the other, are the list."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.errors import InvalidRequest
from pixsortd.index import outline as outlines
from pixsortd.index.entries import entry_id
from pixsortd.index.queries import MetricRange, Outline, PhotoQuery
from pixsortd.index.store import Store
from pixsortd.records import Found, Gone, Group, Membership, Missing, Reason, Refused
from tests.unit.index_material import OTHER, ROOT, analysis, content, drop, index, opened, stamp

WHY = Reason(code="test", message="because")
EDGES = (
    -1e12,
    datetime(1, 1, 1, tzinfo=UTC).timestamp() - 1e-3,
    datetime(1, 1, 1, tzinfo=UTC).timestamp(),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC).timestamp(),
    0.0,
    datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC).timestamp(),
    datetime(2024, 3, 1, tzinfo=UTC).timestamp(),
    datetime(9999, 12, 1, tzinfo=UTC).timestamp(),
    1e18,
    math.inf,
    math.nan,
)
SORTS = ("-taken", "taken", "-added")


def month(taken: float) -> str:
    """The bucket of a time, the slow way."""
    if not math.isfinite(taken):
        return "1970-01"
    if taken < EDGES[2]:
        return "0001-01"
    if taken >= datetime(9999, 12, 31, tzinfo=UTC).timestamp():
        return "9999-12"
    return f"{datetime.fromtimestamp(taken, UTC):%Y-%m}".rjust(7, "0")


def pages(store: Store, query: PhotoQuery, away: tuple[str, ...] = ()) -> list[tuple[bytes | None, bytes, str]]:
    """The list as paging shows it."""
    found, cursor = [], None
    while True:
        page = store.page(query, cursor, 7, away)
        found += [(item.sha256, item.name, str(item.status)) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert page.total == len(found)
            return found


def agree(store: Store, query: PhotoQuery, away: tuple[str, ...] = ()) -> Outline:
    """The outline, proven to be the list in the same order."""
    outline = store.outline(query, away)
    found = []
    for bucket in outline.buckets:
        cells = store.bucket(query, bucket.key, away)
        assert len(cells) == bucket.count > 0
        found += [(cell.sha256, cell.name, str(cell.status)) for cell in cells]
    assert found == pages(store, query, away)
    assert outline.total == len(found)
    keys = [bucket.key for bucket in outline.buckets]
    assert len(set(keys)) == len(keys)
    return outline


photos = st.lists(
    st.tuples(st.sampled_from(EDGES) | st.floats(-1e9, 2e9), st.booleans(), st.booleans()), min_size=1, max_size=30
)
queries = st.builds(
    PhotoQuery,
    root=st.sampled_from([None, None, ROOT, OTHER]),
    group=st.sampled_from([None, None, "g1"]),
    ungrouped=st.booleans(),
    among=st.none() | st.frozensets(st.integers(0, 30).map(lambda i: content(b"%d" % i)), max_size=8),
    status=st.sampled_from([None, None, "indexed", "away"]),
    taken_from=st.none() | st.sampled_from(EDGES[:9]),
    taken_until=st.none() | st.sampled_from(EDGES[:9]),
    metrics=st.sampled_from([(), (MetricRange(metric="niqe", low=10.0),)]),
    sort=st.sampled_from(SORTS),
)


@settings(max_examples=60, deadline=None)
@given(made=photos, asked=st.lists(queries, min_size=1, max_size=6), away=st.sampled_from([(), (OTHER,), (ROOT,)]))
def test_buckets_are_the_list_whatever_is_asked(
    tmp_path_factory: pytest.TempPathFactory,
    made: list[tuple[float, bool, bool]],
    asked: list[PhotoQuery],
    away: tuple[str, ...],
) -> None:
    with opened(tmp_path_factory.mktemp("outline") / "index") as store:
        rows = drop(store, *(b"d/%d" % i for i in range(len(made))))
        results = [analysis(content(b"%d" % i), taken=taken, niqe=float(i)) for i, (taken, *_) in enumerate(made)]
        store.commit(list(zip(rows, results, strict=True)))
        twice = [i for i, (_, copied, _) in enumerate(made) if copied]
        copies = drop(store, *(b"c/%d" % i for i in twice), root=OTHER, start=100)
        store.commit([(row, results[i]) for row, i in zip(copies, twice, strict=True)])
        gone = [Gone(path=b"d/%d" % i, reason=WHY) for i, (_, _, lost) in enumerate(made) if lost]
        lost = [Missing(path=b"d/%d" % i, reason=WHY) for i, (*_, lost) in enumerate(made) if not lost and i % 3 == 0]
        store.record(ROOT, [*gone, *lost])
        member = Membership(group="g1", strength=1.0, how="clustered")
        store.regroup([(content(b"%d" % i), member) for i in range(0, len(made), 2)], [Group(id="g1", size=0)])
        for query in (PhotoQuery(), PhotoQuery(sort="-added"), *asked):
            agree(store, query, away)


def test_months_are_those_of_the_calendar(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        rows = drop(store, *(b"%d" % i for i in range(len(EDGES))))
        store.commit([(row, analysis(content(row.path), taken=at)) for row, at in zip(rows, EDGES, strict=True)])
        outline = agree(store, PhotoQuery())
        expected = sorted((month(at) for at in EDGES), reverse=True)
        assert [key for bucket in outline.buckets for key in [bucket.key] * bucket.count] == expected
        assert [bucket.key for bucket in agree(store, PhotoQuery(sort="taken")).buckets] == sorted(set(expected))
        assert store.bucket(PhotoQuery(), "1999-04") == []


def test_a_bucket_of_newcomers_goes_on_to_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "RUN", 10)
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(25)))
        query = PhotoQuery(sort="-added")
        assert [(bucket.key, bucket.count) for bucket in agree(store, query).buckets] == [
            ("n20", 6),
            ("n10", 10),
            ("n0", 9),
        ]
        before = store.bucket(query, "n10")
        index(store, *(b"new%d" % i for i in range(30)), start=100)
        store.record(ROOT, [Gone(path=b"3", reason=WHY)])
        agree(store, query)
        assert store.bucket(query, "n10") == before
        with pytest.raises(InvalidRequest):
            store.bucket(query, "n15")


def test_files_that_are_no_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "FILES", 4)
    with opened(tmp_path / "index") as store:
        for root in (ROOT, OTHER):
            store.record(root, [Refused(path=b"bad/%d" % i, reason=WHY, stamp=stamp(50 + i)) for i in range(5)])
        store.record(ROOT, [Found(path=b"new", stamp=stamp(900), settled=False)])
        for sort in ("-taken", "taken"):
            outline = agree(store, PhotoQuery(status="failed", sort=sort))
            assert [bucket.count for bucket in outline.buckets] == [4, 4, 2]
        agree(store, PhotoQuery(status="failed", root=OTHER))
        agree(store, PhotoQuery(status="pending"))
        (cell,) = store.bucket(PhotoQuery(status="pending"), "f0")
        row = store.file(ROOT, b"new")
        assert row is not None
        assert (cell.sha256, cell.entry, cell.name, cell.width) == (None, entry_id(row), b"new", None)
        assert agree(store, PhotoQuery(status="failed", among=frozenset())).buckets == ()
        assert store.bucket(PhotoQuery(status="failed"), "f99") == []


def test_a_cell_says_what_a_grid_shows(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        (photo,) = index(store, b"d/one.jpg", start=5)
        member = Membership(group="g1", strength=1.0, how="clustered")
        store.regroup([(photo.sha256, member)], [Group(id="g1", size=0)])
        (cell,) = store.bucket(PhotoQuery(), "1970-01")
        assert (cell.name, cell.width, cell.height, cell.taken, cell.group) == (b"one.jpg", 640, 480, 5.0, "g1")
        assert (cell.sha256, cell.status, cell.entry) == (photo.sha256, "indexed", "")


def test_a_cell_has_the_name_whatever_its_length(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        long = b"d/" + b"x" * 450 + b".jpg"
        index(store, long, b"other")
        shown = [(cell.name, cell.status) for cell in store.bucket(PhotoQuery(), "1970-01")]
        assert shown == [(b"other", "indexed"), (long[2:], "indexed")]
        store.record(ROOT, [Missing(path=long, reason=WHY)])
        shown = [(cell.name, cell.status) for cell in store.bucket(PhotoQuery(), "1970-01")]
        assert shown == [(b"other", "indexed"), (long[2:], "away")]


@pytest.mark.parametrize("key", ["", "2024-13", "2024-1", "0000-01", "n0", "f0", "2024-01\n", "x", "\u0662024-01"])
def test_a_key_of_another_kind_of_list_is_refused(tmp_path: Path, key: str) -> None:
    with opened(tmp_path / "index") as store:
        with pytest.raises(InvalidRequest):
            store.bucket(PhotoQuery(), key)
        for query in (PhotoQuery(sort="-added"), PhotoQuery(status="failed")):
            with pytest.raises(InvalidRequest):
                store.bucket(query, "2024-01")
        for refused in (PhotoQuery(sort="best"), PhotoQuery(status="excluded")):
            with pytest.raises(InvalidRequest):
                store.outline(refused)


def test_an_outline_is_of_the_moment(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        assert store.outline(PhotoQuery()) == Outline(buckets=(), total=0)
        index(store, b"one")
        assert store.outline(PhotoQuery()).total == 1
        assert store.outline(PhotoQuery()) is store.outline(PhotoQuery())
        index(store, b"two", start=9)
        assert store.outline(PhotoQuery()).total == 2
