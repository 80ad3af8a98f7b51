"""Whole directories: what the index says differs from the disk is exactly what does."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.index import rows
from pixsortd.index.codec import encode
from pixsortd.index.schema import Table
from pixsortd.index.store import Store
from pixsortd.records import Excluded, FileRow, FileStamp, FileState, Found, Missing, Reason, Refused

from .index_material import OTHER, ROOT, analysis, content, drop, index, opened, stamp

WHY = Reason(code="test", message="a test says so")
Quad = tuple[int, int, int, int]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "index") as store:
        yield store


def quad(seen: FileStamp) -> Quad:
    return seen.size, seen.mtime_ns, seen.ctime_ns, seen.inode


def expected(known: dict[bytes, FileRow], seen: dict[bytes, Quad]) -> tuple[list[bytes], set[bytes]]:
    """What ``differing`` should say, worked out one row after the other."""
    resting = {
        name
        for name, row in known.items()
        if row.stamp is not None
        and (row.state in (FileState.INDEXED, FileState.FAILED) or (row.state is FileState.PENDING and row.settled))
        and seen.get(name) == quad(row.stamp)
    }
    return sorted(set(seen) - resting), set(known) - resting


NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"/" not in name and b"\0" not in name)
LONG = st.integers(0, 40).map(lambda tail: b"n" * 398 + b"%d" % tail)
STAMPS = st.builds(
    lambda size, mtime, inode: FileStamp(size=size, mtime_ns=mtime, ctime_ns=mtime + 1, inode=inode, device=1),
    st.sampled_from([0, 1, 200, 70_000, 1 << 33]),
    st.sampled_from([-(10**12), 0, 1, 10**18]),
    st.sampled_from([1, 2, 1 << 40, (1 << 63) + 5]),
)
ROWS = st.dictionaries(NAMES | LONG, st.tuples(st.sampled_from("isuxmfd"), STAMPS), max_size=12)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=ROWS, others=st.dictionaries(NAMES | LONG, STAMPS, max_size=6), data=st.data())
def test_differing_is_what_a_plain_comparison_finds(
    tmp_path: Path, made: dict[bytes, tuple[str, FileStamp]], others: dict[bytes, FileStamp], data: st.DataObject
) -> None:
    with opened(tmp_path / os.urandom(8).hex()) as store:
        drop(store, b"d/above", b"d2/beside", b"aa", start=90)
        for name, (kind, seen) in made.items():
            path = b"d/" + name
            if kind == "x":
                store.record(ROOT, [Excluded(path=path, reason=WHY, stamp=seen)])
            elif kind == "d":
                store.record(ROOT, [Excluded(path=path, reason=WHY, files=3)])
            else:
                store.record(ROOT, [Found(path=path, stamp=seen, settled=kind != "u")])
            if kind == "m":
                store.record(ROOT, [Missing(path=path, reason=WHY)])
            elif kind == "f":
                store.record(ROOT, [Refused(path=path, reason=WHY, stamp=seen)])
            elif kind == "i":
                row = store.file(ROOT, path)
                assert row is not None
                store.commit([(row, analysis(content(path)))])
        known = store.listing(ROOT, b"d")
        assert set(known) == {b"above", *made}
        on_disk = {name: quad(row.stamp) for name, row in known.items() if row.stamp is not None}
        on_disk |= {name: quad(seen) for name, seen in others.items()}
        seen = {name: on_disk[name] for name in data.draw(st.sets(st.sampled_from(sorted(on_disk))))}
        unlike, left = store.differing(ROOT, b"d", seen)
        unlike_expected, left_expected = expected(known, seen)
        # A name that is too long to stand in its key may be looked at again for nothing.
        long = {name for name in seen if len(name) > 400}
        assert [name for name in unlike if name not in long] == [name for name in unlike_expected if name not in long]
        assert set(left) - long == left_expected - long
        assert {name: known[name] for name in left} == left
        assert all((name in unlike) == (name in left) for name in long & set(known))


def test_the_last_directory_of_the_table_ends(store: Store) -> None:
    index(store, b"a.jpg", b"b.jpg")
    row = store.file(ROOT, b"a.jpg")
    assert row is not None
    assert row.stamp is not None
    assert store.differing(ROOT, b"", {b"a.jpg": quad(row.stamp), b"z.jpg": (1, 2, 3, 4)})[0] == [b"z.jpg"]
    assert store.differing(OTHER, b"", {b"a.jpg": (1, 2, 3, 4)}) == ([b"a.jpg"], {})
    assert store.differing("ff" * 6, b"", {b"\xff": (1, 2, 3, 4)}) == ([b"\xff"], {})


def test_rows_of_an_older_shape_compare_alike(store: Store) -> None:
    """A row that was written before its last fields existed is as unchanged as any."""
    index(store, b"a.jpg")
    row = store.file(ROOT, b"a.jpg")
    assert row is not None
    assert row.stamp is not None
    key = rows.file_key(rows.root_key(ROOT), b"a.jpg")
    with store.engine.write() as edit:
        payload = edit.get(Table.FILES, key)
        assert payload is not None
        edit.put(Table.FILES, key, encode(msgspec.msgpack.decode(payload)[:9]))
    assert store.differing(ROOT, b"", {b"a.jpg": quad(row.stamp)}) == ([], {})


def test_directories_come_a_thousand_at_a_time(store: Store) -> None:
    paths = [b"%d/a.jpg" % number for number in range(2100)]
    store.record(ROOT, [Found(path=path, stamp=stamp(i), settled=True) for i, path in enumerate(paths)])
    drop(store, b"elsewhere/a.jpg", root=OTHER)
    found = store.directories(ROOT)
    first = next(found)
    store.record(ROOT, [Found(path=b"0/b.jpg", stamp=stamp(9000), settled=True)])  # no transaction is held meanwhile
    assert {first, *found} == {path.partition(b"/")[0] for path in paths}
