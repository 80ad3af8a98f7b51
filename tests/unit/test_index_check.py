"""Check finds what is wrong, rebuild makes it right."""

import os
import time
from pathlib import Path

import pytest

from pixsortd.index.check import check
from pixsortd.index.rebuild import rebuild
from pixsortd.index.schema import Table
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.records import FileStamp, FileState, Found, Group, Membership, Missing, Reason
from tests.unit.index_material import ROOT, SPACE, adds_up, analysis, content, index, opened


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        index(store, *(b"d%d/%d" % (i % 3, i) for i in range(12)))
        member = Membership(group="a", strength=1.0, how="clustered")
        store.regroup([(content(b"d0/%d" % i), member) for i in (0, 3, 6)], [Group(id="a", size=0)])
        store.record(ROOT, [Missing(path=b"d1/1", reason=Reason(code="t", message="t"))])
        yield store


def search(store: Store, tmp_path: Path) -> Vectors:
    vectors = Vectors(tmp_path / "vectors", store, SPACE)
    vectors.load()
    return vectors


def test_a_sound_index_has_no_findings(store: Store, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    vectors = search(store, tmp_path)
    assert check(store, searches=[vectors], progress=lambda done, total: progress.append((done, total))) == []
    assert progress[-1] == (12, 12)
    assert rebuild(store, [vectors]) == []


@pytest.mark.parametrize(
    "table",
    [
        Table.COUNTERS,
        Table.INODES,
        Table.PLACES,
        Table.WAITING,
        Table.NUMBERS,
        Table.TIMELINE,
        Table.ROOT_TIMELINE,
        Table.MEMBERS,
    ],
)
def test_a_derived_table_that_lost_and_gained_records(store: Store, table: Table) -> None:
    with store.engine.write() as edit:
        keys = list(edit.keys(table))
        edit.delete(table, keys[0])
        if table is not Table.COUNTERS:
            edit.put(table, bytes(len(keys[0])), bytes(32) if table is Table.NUMBERS else b"")
    assert not adds_up(store)
    findings = check(store)
    assert findings
    assert all(finding.message and finding.next_step for finding in findings)
    assert rebuild(store, verify=True) == findings
    assert check(store) == findings, "verifying changes nothing"
    rebuild(store)
    assert check(store) == []


def test_ledger_group_size_and_space_figures(store: Store) -> None:
    with store.engine.write() as edit:
        from pixsortd.index.codec import encode
        from pixsortd.index.rows import root_key
        from pixsortd.index.spaces import SpaceState

        edit.put(Table.COUNTERS, root_key(ROOT), encode({FileState.INDEXED: 99}))
        edit.put(Table.GROUPS, b"a", encode(Group(id="a", size=77)))
        edit.put(Table.SPACES, SPACE.key, encode(SpaceState(space=SPACE, count=5)))
    codes = [finding.code for finding in check(store)]
    assert codes.count("ledger") == 2
    assert codes.count("derived") == 2
    rebuild(store)
    assert check(store) == []
    assert [group.size for group in store.groups()] == [3]


def test_references_to_unknown_photos_are_dropped_and_files_queued_again(store: Store, tmp_path: Path) -> None:
    lost = [content(b"d0/0"), content(b"d1/1")]
    with store.engine.write() as edit:
        for sha256 in lost:
            edit.delete(Table.PHOTOS, sha256)
    assert {finding.code for finding in check(store)} >= {"dangling-place", "dangling-member", "dangling-vector"}
    rebuild(store, [search_later := Vectors(tmp_path / "vectors", store, SPACE)])
    assert check(store, searches=[search_later]) == []
    row, away = store.file(ROOT, b"d0/0"), store.file(ROOT, b"d1/1")
    assert row is not None
    assert away is not None
    assert (row.state, row.settled) == (FileState.PENDING, True)
    assert (away.state, away.before) == (FileState.AWAY, FileState.PENDING)


def test_rows_without_a_directory_are_found_again_by_the_next_scan(store: Store) -> None:
    with store.engine.write() as edit:
        edit.delete(Table.DIRS, next(edit.keys(Table.DIRS)))
    assert [finding.code for finding in check(store)] == ["lost-directory"]
    rebuild(store)
    assert check(store) == []
    assert store.ledger(ROOT).on_disk == 8


def test_thumbnails(store: Store, tmp_path: Path) -> None:
    thumbs = sorted((tmp_path / "index" / "thumbs").glob("*/*"))
    thumbs[0].unlink()
    thumbs[1].write_bytes(b"RIFF____WEBPother")
    stray = tmp_path / "index" / "thumbs" / "ab" / ("ab" * 32 + ".webp")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    os.utime(stray, (time.time() - 7200,) * 2)
    findings = {finding.code: finding for finding in check(store)}
    assert findings["thumbnail"].count == 2
    assert findings["stray-thumbnail"].examples == ("ab" * 32,)
    assert len(store.lacking([], [], 10, [ROOT])) == 2
    rebuild(store)
    assert not stray.exists()


def test_a_search_that_differs(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.remove([1])
    (finding,) = check(store, searches=[vectors])
    assert (finding.code, "builtin" in finding.message) == ("search", True)
    rebuild(store, [vectors])
    assert check(store, searches=[vectors]) == []


def test_originals_are_read_and_hashed(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    with opened(tmp_path / "index") as store:
        for name in (b"good", b"rotten", b"deep/" * 40 + b"far", b"gone", b"touched"):
            path = root / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name)
            stamp = FileStamp.of(path.stat())
            store.record(ROOT, [Found(path=name, stamp=stamp, settled=True)])
            (row,) = store.next_batch(1, 10**9, [ROOT])
            store.commit([(row, analysis(content(b"other bytes" if name == b"rotten" else name)))])
        (root / "gone").unlink()
        (root / "touched").write_bytes(b"new content")
        assert check(store) == []
        findings = {finding.code: finding for finding in check(store, read_data=True, online={ROOT: os.fsencode(root)})}
        assert findings["content"].examples == (str(root / "rotten"),)
        assert findings["unreadable"].count == 1
        assert len(findings) == 2
