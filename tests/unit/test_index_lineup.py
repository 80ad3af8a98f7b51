"""Who is next: what was dropped just now, then the newest of the backlog, and nobody waits for ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixsortd.index import rows
from pixsortd.index.engine import View
from pixsortd.index.schema import Table
from pixsortd.index.store import Store
from pixsortd.records import FileRow, Found

from .index_material import MAP, OTHER, ROOT, adds_up, analysis, content, opened, stamp

DAY = 86400.0
ALL = 10**12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "index") as store:
        yield store


def queue(store: Store, root: str, count: int, *, age: float, backlog: bool, name: str = "f", start: int = 1) -> None:
    """``count`` settled files, the first one ``age`` days old and each further one a day older."""
    store.record(
        root,
        [
            Found(
                path=b"%s%d" % (name.encode(), i),
                stamp=stamp(start + i, age=(age + i) * DAY),
                settled=True,
                backlog=backlog,
            )
            for i in range(count)
        ],
    )


def names(batch: list[FileRow]) -> list[bytes]:
    return [row.path for row in batch]


def test_dropped_first_then_newest_of_all_roots(store: Store) -> None:
    queue(store, ROOT, 3, age=10, backlog=True, name="old")
    queue(store, OTHER, 3, age=10.5, backlog=True, name="other")
    queue(store, OTHER, 2, age=4000, backlog=False, name="dropped")
    order = [b"dropped0", b"dropped1", b"old0", b"other0", b"old1", b"other1", b"old2", b"other2"]
    assert names(store.next_batch(99, ALL, [ROOT, OTHER])) == order
    assert names(store.next_batch(2, ALL, [ROOT, OTHER])) == order[:2]
    assert names(store.next_batch(9, 1500, [ROOT, OTHER])) == order[:1]
    assert names(store.next_batch(9, 1, [ROOT])) == [b"old0"]
    assert names(store.next_batch(9, ALL, [OTHER])) == [name for name in order if not name.startswith(b"old")]


def test_looking_ahead_leaves_out_what_is_in_work(store: Store) -> None:
    queue(store, ROOT, 30, age=1, backlog=True)
    batch = store.next_batch(8, ALL, [ROOT])
    ahead = store.next_batch(8, ALL, [ROOT], skip=[(row.root, row.path) for row in batch])
    assert names(batch + ahead) == [b"f%d" % i for i in range(16)]
    store.commit([(row, analysis(content(row.path))) for row in batch])
    assert store.next_batch(8, ALL, [ROOT]) == ahead


def test_what_is_dropped_without_end_starves_nobody(store: Store) -> None:
    queue(store, ROOT, 5, age=100, backlog=True, name="b")
    done: list[bytes] = []
    for turn in range(12):
        queue(store, ROOT, 40, age=0, backlog=False, name=f"d{turn}-", start=100 * turn + 100)
        batch = store.next_batch(16, ALL, [ROOT])
        assert len(batch) == 16
        assert batch[0].path == b"d%d-0" % turn, "the newest of what was just dropped is first"
        store.commit([(row, analysis(content(row.path))) for row in batch])
        done += names(batch)
    assert [name for name in done if name.startswith(b"b")] == [b"b4", b"b3", b"b2", b"b1", b"b0"]
    assert b"d0-39" in done, "then the oldest of what was dropped"


def test_a_batch_costs_no_look_through_the_queue(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in range(6):
        queue(store, ROOT, 500, age=500 * part, backlog=True, name=f"{part}-", start=1000 * part + 1)
    queue(store, OTHER, 20, age=1, backlog=False)
    read = 0

    def counted(table: Table, keys: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal read
        for key in keys:
            read += table is Table.QUEUE
            yield key

    up, down = View.keys, View.keys_down
    monkeypatch.setattr(View, "keys", lambda *given, **more: counted(given[1], up(*given, **more)))
    monkeypatch.setattr(View, "keys_down", lambda *given, **more: counted(given[1], down(*given, **more)))
    assert len(store.next_batch(64, ALL, [ROOT, OTHER])) == 64
    assert read < 100


def test_what_is_known_of_a_file_keeps_its_lane(store: Store) -> None:
    old, new = stamp(1, age=DAY), stamp(1, size=2000, age=DAY)
    store.record(ROOT, [Found(path=b"a", stamp=old, settled=False, backlog=True)])
    store.record(ROOT, [Found(path=b"a", stamp=old, settled=True)])
    assert lane(store) == rows.BACKLOG
    store.record(ROOT, [Found(path=b"a", stamp=new, settled=True)])
    assert lane(store) == rows.DROPPED, "it was written to just now"
    assert adds_up(store)


def lane(store: Store) -> bytes:
    with store.engine.read() as view:
        (entry,) = view.keys(Table.QUEUE)
    return entry[rows.ROOT : rows.ROOT + 1]


def test_an_index_of_format_2_is_lined_up_anew(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        queue(store, ROOT, 3, age=1, backlog=False)
        store.record(ROOT, [Found(path=b"growing", stamp=stamp(77), settled=False)])
        with store.engine.write() as edit:
            for entry in list(edit.keys(Table.QUEUE)):
                edit.delete(Table.QUEUE, entry)
                edit.put(Table.QUEUE, entry[: rows.ROOT] + b"\1" + entry[rows.ROOT + 1 :])
            edit.set_version(2)
    store = Store.open(tmp_path / "index", map_size=MAP)
    try:
        assert adds_up(store)
        assert names(store.next_batch(9, ALL, [ROOT])) == [b"f0", b"f1", b"f2"]
    finally:
        store.close()
