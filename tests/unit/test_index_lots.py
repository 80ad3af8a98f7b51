"""What waits, by kind and size, is counted while rows change."""

from pathlib import Path

import pytest

from pixsortd.index.check import check
from pixsortd.index.codec import encode
from pixsortd.index.lots import suffix_of
from pixsortd.index.rebuild import rebuild
from pixsortd.index.schema import Table
from pixsortd.index.startup import open_index
from pixsortd.index.store import Store
from pixsortd.records import Back, Found, Lot, Missing, Moved, Reason
from tests.unit.index_material import MAP, OTHER, ROOT, adds_up, analysis, content, opened, stamp

WHY = Reason(code="t", message="t")


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        yield store


def lots(store: Store, *roots: str) -> dict[tuple[bytes, int], tuple[int, int]]:
    return {(lot.suffix, lot.magnitude): (lot.files, lot.bytes) for lot in store.lots(roots or (ROOT,))}


def test_files_wait_in_lots_of_their_kind_and_size_until_they_are_analysed(store: Store) -> None:
    files = {b"a/1.JPG": 5_000_000, b"a/2.jpg": 6_000_000, b"b/3.png": 100_000, b"b/plain": 3}
    changes = [
        Found(path=path, stamp=stamp(number, size=size), settled=number % 2 == 0)
        for number, (path, size) in enumerate(files.items())
    ]
    store.record(ROOT, changes)
    store.record(OTHER, [Found(path=b"x.jpg", stamp=stamp(9, size=5_000_000), settled=True)])
    assert lots(store) == {(b".jpg", 23): (2, 11_000_000), (b".png", 17): (1, 100_000), (b"", 2): (1, 3)}
    assert store.lots((OTHER,)) == [Lot(suffix=b".jpg", magnitude=23, files=1, bytes=5_000_000)]
    assert sum(lot.files for lot in store.lots((ROOT, OTHER))) == 5
    row = store.file(ROOT, b"a/1.JPG")
    assert row is not None
    store.commit([(row, analysis(content(b"one")))])
    assert lots(store)[b".jpg", 23] == (1, 6_000_000)
    store.drop_root(ROOT)
    assert lots(store) == {}
    assert adds_up(store, (ROOT, OTHER))


def test_a_file_changes_its_lot_as_it_grows_moves_goes_away_and_returns(store: Store) -> None:
    seen = stamp(1, size=1000)
    store.record(ROOT, [Found(path=b"1.jpg", stamp=stamp(1, size=10), settled=False)])
    store.record(ROOT, [Found(path=b"1.jpg", stamp=seen, settled=True)])
    assert lots(store) == {(b".jpg", 10): (1, 1000)}
    store.record(ROOT, [Moved(old=b"1.jpg", path=b"2.jpeg", stamp=seen)])
    assert lots(store) == {(b".jpeg", 10): (1, 1000)}
    store.record(ROOT, [Missing(path=b"2.jpeg", reason=WHY)])
    assert lots(store) == {}
    store.record(ROOT, [Back(path=b"2.jpeg", stamp=seen)])
    assert lots(store) == {(b".jpeg", 10): (1, 1000)}
    row = store.file(ROOT, b"2.jpeg")
    assert row is not None
    store.fail(row, WHY)
    assert lots(store) == {}
    assert store.retry(ROOT, b"2.jpeg")
    assert lots(store) == {(b".jpeg", 10): (1, 1000)}
    assert adds_up(store)


def test_an_index_of_the_first_format_is_counted_once(tmp_path: Path) -> None:
    with opened(tmp_path / "old") as store:
        store.record(ROOT, [Found(path=b"1.jpg", stamp=stamp(1, size=1000), settled=True)])
        with store.engine.write() as edit:
            edit.clear(Table.LOTS)
            edit.set_version(1)
    store, how = open_index(tmp_path / "old", tmp_path / "backups", map_size=MAP)
    assert how.origin == "migrated"
    assert lots(store) == {(b".jpg", 10): (1, 1000)}
    store.close()


def test_wrong_counts_are_found_and_mended(store: Store) -> None:
    store.record(ROOT, [Found(path=b"1.jpg", stamp=stamp(1, size=1000), settled=True)])
    with store.engine.write() as edit:
        [key] = edit.keys(Table.LOTS)
        edit.put(Table.LOTS, key, encode((7, 7000)))
        edit.put(Table.LOTS, key + b"x", encode((1, 1)))
    [finding] = check(store)
    assert "lots: 1 too many, 1 wrong" in finding.message
    rebuild(store)
    assert check(store) == []


@pytest.mark.parametrize(
    ("name", "suffix"), [(b"A.JPEG", b".jpeg"), (b"a.b.heic", b".heic"), (b"none", b""), (b"a.long-end", b"")]
)
def test_suffixes(name: bytes, suffix: bytes) -> None:
    assert suffix_of(name) == suffix
