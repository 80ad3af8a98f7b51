"""Opening: versions, migrations, probing, backups and restoring."""

import subprocess
import sys
from pathlib import Path

import lmdb
import msgspec
import pytest

from pixsortd.errors import IndexDamaged, IndexFull, IndexProblem, IndexTooNew
from pixsortd.index import backup, migration, schema
from pixsortd.index.backup import backups, make_backup
from pixsortd.index.codec import order_of, seal, unseal
from pixsortd.index.engine import Edit
from pixsortd.index.probe import Verdict, examine, probe
from pixsortd.index.schema import Table
from pixsortd.index.startup import open_index
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.records import FileState
from tests.unit.index_material import MAP, ROOT, SPACE, adds_up, content, index, opened


def write_raw(directory: Path, version: int | None, records: dict[bytes, bytes]) -> None:
    """An index as another version of the code would have left it: a meta table and one of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(directory), map_size=MAP, max_dbs=40) as env:
        meta, old = env.open_db(b"meta"), env.open_db(b"sightings")
        with env.begin(write=True) as txn:
            txn.put(b"epoch", seal(Table.META, b"epoch", b"12345678"), db=meta)
            if version is not None:
                txn.put(b"version", seal(Table.META, b"version", msgspec.msgpack.encode(version)), db=meta)
            for key, value in records.items():
                txn.put(key, value, db=old)


def test_a_newer_index_is_refused_with_a_sentence_and_not_touched(tmp_path: Path) -> None:
    write_raw(tmp_path / "index", schema.VERSION + 8, {b"future": b"data"})
    before = (tmp_path / "index" / "data.mdb").read_bytes()
    with pytest.raises(IndexTooNew, match=rf"format {schema.VERSION + 8}.*up to {schema.VERSION}"):
        Store.open(tmp_path / "index", map_size=MAP)
    with pytest.raises(IndexTooNew, match=f"format {schema.VERSION + 8}"):
        open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    assert (tmp_path / "index" / "data.mdb").read_bytes() == before
    assert probe(tmp_path / "index").verdict is Verdict.TOO_NEW


def test_an_older_index_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made version 0, which kept its jobs under other names, and the step that knows them."""

    def rename_notes(edit: Edit) -> None:
        for key, value in list(edit.items(Table.NOTES)):
            edit.delete(Table.NOTES, key)
            edit.put(Table.NOTES, key.removeprefix(b"job:"), value)

    with opened(tmp_path / "index") as store:
        index(store, b"one")
        with store.engine.write() as edit:
            edit.put(Table.NOTES, b"job:recluster", b"yesterday")
            edit.set_version(0)
    with pytest.raises(IndexDamaged, match="no way from index format 0"):
        Store.open(tmp_path / "index", map_size=MAP)
    assert probe(tmp_path / "index").verdict is Verdict.OLDER
    monkeypatch.setitem(migration.STEPS, 0, rename_notes)
    store, opened_as = open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    assert opened_as.origin == "migrated"
    assert store.meta_get("recluster") == b"yesterday"
    assert store.ledger(ROOT).indexed == 1
    store.close()
    assert len(backups(tmp_path / "backups")) == 1
    assert probe(tmp_path / "index").verdict is Verdict.SOUND


def test_a_step_that_fails_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(edit: Edit) -> None:
        edit.put(Table.NOTES, b"half", b"")
        raise RuntimeError

    with opened(tmp_path / "index") as store, store.engine.write() as edit:
        edit.set_version(0)
    monkeypatch.setitem(migration.STEPS, 0, half)
    with pytest.raises(RuntimeError):
        Store.open(tmp_path / "index", map_size=MAP)
    monkeypatch.setitem(migration.STEPS, 0, lambda _: None)
    with opened(tmp_path / "index") as store:
        assert store.meta_get("half") is None


def test_probe(tmp_path: Path) -> None:
    assert probe(tmp_path / "index").verdict is Verdict.ABSENT
    with opened(tmp_path / "index") as store:
        index(store, b"one")
    found = probe(tmp_path / "index")
    assert found.verdict is Verdict.SOUND
    assert "records" in found.message
    assert examine(tmp_path / "index") == found


def test_a_record_with_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store, store.engine.write() as edit:
        edit._txn.put(b"note", b"\0\0\0\0text", db=edit._tables[Table.NOTES])
    found = probe(tmp_path / "index")
    assert (found.verdict, "notes" in found.message) == (Verdict.DAMAGED, True)
    with opened(tmp_path / "index") as store, pytest.raises(IndexDamaged):
        store.meta_get("note")


def test_a_first_start_is_fresh_and_a_second_clean(tmp_path: Path) -> None:
    store, opened_as = open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    store.close()
    assert (opened_as.origin, opened_as.reason) == ("fresh", "")
    store, opened_as = open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    store.close()
    assert (opened_as.origin, opened_as.reason) == ("clean", "")


def test_backups_roll(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        made = []
        for i in range(4):
            store.meta_set("turn", b"%d" % i)
            made.append(make_backup(store, tmp_path / "backups", keep=2))
        assert backups(tmp_path / "backups") == [made[3], made[2]]
    with opened(made[3]) as store:
        assert store.meta_get("turn") == b"3"


def test_a_damaged_index_is_never_backed_up_over_a_good_one(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        good = make_backup(store, tmp_path / "backups", keep=1)
        with store.engine.write() as edit:
            edit._txn.put(b"note", b"\0\0\0\0text", db=edit._tables[Table.NOTES])
        with pytest.raises(IndexDamaged):
            make_backup(store, tmp_path / "backups", keep=1)
    assert list((tmp_path / "backups").iterdir()) == [good]


def test_a_backup_that_does_not_fit_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "index") as store:
        full = type("Room", (), {"f_bavail": 1, "f_frsize": 1})
        monkeypatch.setattr(backup.os, "statvfs", lambda _: full)
        with pytest.raises(IndexFull):
            make_backup(store, tmp_path / "backups", keep=1)
    assert list((tmp_path / "backups").iterdir()) == []


def test_damage_is_put_aside_and_the_newest_good_backup_used(tmp_path: Path) -> None:
    directory, copies = tmp_path / "index", tmp_path / "backups"
    with opened(directory) as store:
        index(store, b"one")
        make_backup(store, copies, keep=3)
        index(store, b"two", start=50)
        later = make_backup(store, copies, keep=3)
        vectors = Vectors(tmp_path / "vectors", store, SPACE)
        vectors.load()
    (later / "data.mdb").write_bytes(b"nonsense" * 1000)
    (directory / "data.mdb").write_bytes(b"nonsense" * 1000)
    store, opened_as = open_index(directory, copies, map_size=MAP)
    assert opened_as.origin == "restored"
    assert opened_as.reason
    assert (Path(opened_as.aside) / "data.mdb").read_bytes() == b"nonsense" * 1000
    assert store.counts().photos == 1
    assert store.thumbnail(content(b"one")) is not None, "thumbnails stay where they are"
    # The same number is given again to another photo: the lost index's vector file must not be believed.
    index(store, b"three", start=70)
    assert Vectors(tmp_path / "vectors", store, SPACE).load().kind == "rebuilt"
    assert adds_up(store)
    store.close()


def test_damage_without_a_backup_starts_empty(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    for _ in range(4):
        with opened(directory):
            pass
        (directory / "data.mdb").write_bytes((directory / "data.mdb").read_bytes()[:5000])
        store, opened_as = open_index(directory, tmp_path / "backups", map_size=MAP)
        assert (opened_as.origin, store.counts().photos) == ("fresh", 0)
        assert opened_as.reason
        store.close()
    assert len(list(tmp_path.glob("index.damaged-*"))) <= 2


def test_an_index_that_was_deleted_comes_back_from_the_backup(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        index(store, b"one")
        make_backup(store, tmp_path / "backups", keep=1)
    (tmp_path / "index" / "data.mdb").unlink()
    store, opened_as = open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    assert (opened_as.origin, opened_as.aside, store.counts().photos) == ("restored", "", 1)
    store.close()


def test_the_same_index_is_not_opened_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "index"), pytest.raises(IndexProblem):
        Store.open(tmp_path / "index", map_size=MAP)


def test_another_process_may_read(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as store:
        index(store, b"one")
        script = (
            "import sys; from pathlib import Path; from pixsortd.index.store import Store\n"
            "store = Store.open(Path(sys.argv[1]), map_size=1 << 30, readonly=True)\n"
            "print(store.counts().photos)"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "index")]
        repository = Path(schema.__file__).parents[2]
        assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=repository).stdout == "1\n"


def test_a_full_map_says_so_and_writes_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "index", map_size=1 << 20)
    index(store, b"one")
    with pytest.raises(IndexFull, match="map size"):
        store.meta_set("big", b"x" * (1 << 21))
    index(store, b"two", start=9)
    row = store.file(ROOT, b"two")
    assert row is not None
    assert row.state is FileState.INDEXED
    store.close()


def test_values_and_keys_are_sealed() -> None:
    sealed = seal(Table.NOTES, b"key", b"payload")
    assert unseal(Table.NOTES, b"key", sealed) == b"payload"
    for table, key, value in (
        (Table.META, b"key", sealed),
        (Table.NOTES, b"kez", sealed),
        (Table.NOTES, b"key", sealed[:-1] + b"e"),
        (Table.NOTES, b"key", b""),
    ):
        with pytest.raises(IndexDamaged):
            unseal(table, key, value)


def test_orders_sort_newest_first() -> None:
    times = [1e300, 2e9, 1e9 + 1e-5, 1e9, 0.0, -1e9, -1e300]
    assert sorted(times, reverse=True) == times
    assert [order_of(at) for at in times] == sorted(order_of(at) for at in times)
    assert order_of(float("nan")) == order_of(0.0)
