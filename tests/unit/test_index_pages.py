"""Lists: filters, orders, cursors and totals."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.errors import InvalidRequest
from pixsortd.index.queries import MetricRange, PhotoQuery
from pixsortd.index.store import Store
from pixsortd.records import Found, Gone, Group, Membership, Missing, Reason, Refused
from tests.unit.index_material import OTHER, ROOT, analysis, content, drop, index, opened, stamp

WHY = Reason(code="test", message="because")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory):
    """30 photos, ten of them with a copy in another root, one group, one orphan, some files that are no photos."""
    with opened(tmp_path_factory.mktemp("pages") / "index") as store:
        rows = drop(store, *(b"d/%02d.jpg" % i for i in range(31)))
        store.commit(
            [
                (row, analysis(content(b"%d" % i), taken=float(i // 2), niqe=None if i % 5 == 0 else float(i)))
                for i, row in enumerate(rows)
            ]
        )
        copies = drop(store, *(b"c/%02d.jpg" % i for i in range(10)), root=OTHER, start=100)
        store.commit([(row, analysis(content(b"%d" % i), taken=float(i // 2))) for i, row in enumerate(copies)])
        store.record(ROOT, [Gone(path=b"d/30.jpg", reason=WHY)])
        member = Membership(group="g1", strength=1.0, how="clustered")
        store.regroup([(content(b"%d" % i), member) for i in range(5, 12)], [Group(id="g1", size=0, name="Beach")])
        # The same relative path and time in two roots: a backup beside the original.
        for root in (ROOT, OTHER):
            same = [Refused(path=b"bad/%d" % i, reason=WHY, stamp=stamp(500 + i)) for i in range(5)]
            store.record(root, same)
        store.record(ROOT, [Found(path=b"new", stamp=stamp(900), settled=False)])
        yield store


def walk(store: Store, query: PhotoQuery, limit: int = 7, away: tuple[str, ...] = ()) -> list[bytes]:
    """All pages of a list."""
    found: list[bytes] = []
    cursor = None
    while True:
        page = store.page(query, cursor, limit, away)
        found += [(item.sha256 or b"") + b" " + item.name for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert page.total == len(found)
            return found
        assert len(page.items) == limit


def numbers(store: Store, query: PhotoQuery, away: tuple[str, ...] = ()) -> list[int]:
    """The same, as the numbers the photos were made with."""
    known = {content(b"%d" % i): i for i in range(31)}
    return [known[line[:32]] for line in walk(store, query, away=away)]


def test_everything_newest_first(library: Store) -> None:
    found = numbers(library, PhotoQuery())
    assert sorted(found) == list(range(30))
    assert [i // 2 for i in found] == sorted((i // 2 for i in range(30)), reverse=True)
    assert numbers(library, PhotoQuery(sort="taken")) == found[::-1]
    assert numbers(library, PhotoQuery(sort="-added")) == list(range(29, -1, -1))


@pytest.mark.parametrize("sort", ["-taken", "taken", "-added"])
def test_filters_add_up(library: Store, sort: str) -> None:
    def found(**filters: object) -> list[int]:
        return sorted(numbers(library, PhotoQuery(sort=sort, **filters)))  # type: ignore[arg-type]

    assert found(root=OTHER) == list(range(10))
    assert found(group="g1") == list(range(5, 12))
    assert found(root=OTHER, group="g1") == list(range(5, 10))
    assert found(ungrouped=True) == [*range(5), *range(12, 30)]
    assert found(taken_from=2.0, taken_until=4.0) == list(range(4, 10))
    assert found(group="g1", taken_from=4.0) == [8, 9, 10, 11]
    assert found(root=OTHER, taken_until=1.0) == [0, 1, 2, 3]
    assert found(metrics=(MetricRange(metric="niqe", low=20.0),)) == [21, 22, 23, 24, 26, 27, 28, 29]
    assert found(metrics=(MetricRange(metric="niqe", low=20.0), MetricRange(metric="niqe", high=22.0))) == [21, 22]
    assert found(metrics=(MetricRange(metric="brisque"),)) == []
    assert found(group="unknown") == []
    some = frozenset(content(b"%d" % i) for i in (1, 6, 29, 30, 77))
    assert found(among=some) == [1, 6, 29]
    assert found(among=some, group="g1") == [6]
    assert found(among=some, root=OTHER) == [1, 6]
    assert found(among=some, taken_from=1.0, metrics=(MetricRange(metric="niqe"),)) == [6, 29]
    assert found(among=frozenset()) == []
    assert found(among=frozenset([content(b"8")])) == [8], "a set of less than a tenth is walked itself"
    assert found(among=frozenset([content(b"8")]), root=OTHER, taken_from=4.0, taken_until=4.0) == [8]
    assert found(among=frozenset([content(b"8")]), taken_from=4.5) == []


def test_status(library: Store) -> None:
    assert len(numbers(library, PhotoQuery(status="indexed"))) == 30
    assert numbers(library, PhotoQuery(status="away")) == []
    assert sorted(numbers(library, PhotoQuery(status="away"), away=(ROOT,))) == list(range(10, 30))
    assert sorted(numbers(library, PhotoQuery(status="indexed"), away=(ROOT,))) == list(range(10))
    statuses = {item.status for item in library.page(PhotoQuery(), None, 100, [ROOT, OTHER]).items}
    assert statuses == {"away"}


def test_an_item_says_what_a_list_shows(library: Store) -> None:
    items = {item.sha256: item for item in library.page(PhotoQuery(), None, 100).items}
    item = items[content(b"7")]
    assert item.photo is not None
    assert (item.photo.width, item.photo.height, item.photo.taken) == (640, 480, 3.0)
    assert item.membership is not None
    assert (item.membership.group, item.group_name) == ("g1", "Beach")
    assert {score.metric.name: score.value for score in item.scores} == {"niqe": 3.0}
    assert {(place.root, place.path) for place in item.files} == {(ROOT, b"d/07.jpg"), (OTHER, b"c/07.jpg")}
    online = {item.sha256: item for item in library.page(PhotoQuery(), None, 100, [ROOT]).items}[content(b"7")]
    assert (online.status, [place.root for place in online.files if place.root != ROOT]) == ("indexed", [OTHER])


def test_files_that_are_no_photos(library: Store) -> None:
    pending = library.page(PhotoQuery(status="pending"), None, 10)
    assert [(item.sha256, item.name, item.status) for item in pending.items] == [(None, b"new", "pending")]
    down = walk(library, PhotoQuery(status="failed"), limit=3)
    assert len(down) == 10
    assert sorted(down) == sorted([b" %d" % i for i in range(5)] * 2)
    assert walk(library, PhotoQuery(status="failed", sort="taken"), limit=3) == down[::-1]
    assert len(walk(library, PhotoQuery(status="failed", root=OTHER), limit=3)) == 5
    assert walk(library, PhotoQuery(status="failed", group="g1")) == []
    assert walk(library, PhotoQuery(status="failed", among=frozenset([content(b"1")]))) == []
    assert walk(library, PhotoQuery(status="failed", taken_until=0.0)) == []
    first = library.quarantine(3)
    second = library.quarantine(100, first.next_cursor)
    assert (first.total, len(first.items) + len(second.items), second.next_cursor) == (10, 10, None)


@pytest.mark.parametrize("cursor", ["", "zzz", "%%%", "LXRha2Vu", "LXRha2VuAA", "\u00e9", "A" * 5000])
def test_a_foreign_cursor_is_refused(library: Store, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        library.page(PhotoQuery(), cursor, 10)


def test_cursors_belong_to_their_list(library: Store) -> None:
    cursor = library.page(PhotoQuery(), None, 5).next_cursor
    with pytest.raises(InvalidRequest):
        library.page(PhotoQuery(sort="-added"), cursor, 5)
    with pytest.raises(InvalidRequest):
        library.page(PhotoQuery(sort="best"), None, 5)
    with pytest.raises(InvalidRequest):
        library.page(PhotoQuery(status="excluded"), None, 5)


def test_paging_is_not_disturbed_by_what_comes_in(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(20)), start=10)
        first = store.page(PhotoQuery(), None, 8)
        index(store, b"newer", start=100)
        index(store, b"oldest", start=1)
        store.record(ROOT, [Gone(path=b"19", reason=WHY), Gone(path=b"5", reason=WHY)])
        rest = store.page(PhotoQuery(), first.next_cursor, 100)
        names = [item.name for item in first.items + rest.items]
        assert names == [b"%d" % i for i in range(19, -1, -1) if i != 5] + [b"oldest"]


def test_a_photo_is_away_only_when_all_its_files_are(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        (photo,) = index(store, b"one")
        copy = drop(store, b"two", start=7)
        store.commit([(copy[0], analysis(photo.sha256))])
        store.record(ROOT, [Missing(path=b"one", reason=WHY)])
        (item,) = store.page(PhotoQuery(), None, 5).items
        assert (item.status, item.name) == ("indexed", b"two")
        assert store.page(PhotoQuery(status="away"), None, 5).total == 0
        store.record(ROOT, [Missing(path=b"two", reason=WHY)])
        (item,) = store.page(PhotoQuery(status="away"), None, 5).items
        assert (item.status, item.files[0].reason) == ("away", WHY)
        assert store.page(PhotoQuery(status="indexed"), None, 5).items == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.floats(-1e10, 1e10) | st.just(float("nan")) | st.just(float("inf")), min_size=1, max_size=20),
    limit=st.integers(1, 6),
)
def test_any_times_page_through_once(tmp_path_factory: pytest.TempPathFactory, times: list[float], limit: int) -> None:
    with opened(tmp_path_factory.mktemp("times") / "index") as store:
        rows = drop(store, *(b"%d" % i for i in range(len(times))))
        store.commit([(row, analysis(content(row.path), taken=at)) for row, at in zip(rows, times, strict=True)])
        for sort in ("-taken", "taken", "-added"):
            assert len(set(walk(store, PhotoQuery(sort=sort), limit))) == len(times)
