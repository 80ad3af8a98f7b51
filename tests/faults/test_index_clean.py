"""The mark of a clean shutdown: it saves the probe only where the index file is, bit by bit, what was closed."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pixsortd.errors import IndexDamaged
from pixsortd.index import clean
from pixsortd.index import probe as probing
from pixsortd.index.backup import make_backup
from pixsortd.index.probe import Verdict, probe
from pixsortd.index.schema import Table
from pixsortd.index.startup import close_index, open_index
from pixsortd.index.store import Store
from tests.faults.test_index_damage import FLIPS, flipped
from tests.unit.index_material import MAP, adds_up, index


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose index was closed by a clean shutdown."""
    store, _ = open_index(tmp_path / "index", tmp_path / "backups", map_size=MAP)
    index(store, *(b"d%d/%d" % (i % 7, i) for i in range(50)))
    make_backup(store, tmp_path / "backups", keep=1)
    close_index(store, 60)
    return tmp_path


def data_of(state: Path) -> Path:
    return state / "index" / "data.mdb"


def test_an_index_as_it_was_closed_is_not_probed_again(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the probe ran")

    monkeypatch.setattr(probing.subprocess, "run", forbidden)
    for _ in range(2):
        assert clean.is_clean(data_of(state))
        store, opened = open_index(state / "index", state / "backups", map_size=MAP)
        assert opened.origin == "clean"
        assert adds_up(store)
        assert not clean.is_clean(data_of(state)), "from now on a crash has to end in the probe"
        store.meta_set("some", b"change")
        close_index(store, 60)


def test_any_changed_bit_ends_in_the_probe(state: Path) -> None:
    chance, path = random.Random(5), data_of(state)
    data = path.read_bytes()
    for turn in range(FLIPS * 5):
        path.write_bytes(data[: chance.randrange(len(data))] if turn % 4 == 0 else flipped(data, chance))
        assert clean.is_clean(path) is (path.read_bytes() == data)
    path.write_bytes(data)
    assert clean.is_clean(path)


def test_a_damaged_index_is_replaced_in_spite_of_its_mark(state: Path) -> None:
    path = data_of(state)
    data = bytearray(path.read_bytes())
    data[8192:] = bytes(byte ^ 0x55 for byte in data[8192:])
    path.write_bytes(data)
    store, opened = open_index(state / "index", state / "backups", map_size=MAP)
    assert opened.origin == "restored"
    assert adds_up(store)
    store.close()


def write(store: Store) -> None:
    with store.engine.write() as edit:
        edit.get(Table.NOTES, b"rotten")


MEETS: dict[str, Callable[[Store, Path], object]] = {
    "read": lambda store, _: store.meta_get("rotten"),
    "written": lambda store, _: write(store),
    "backed up": lambda store, state: make_backup(store, state / "backups", keep=1),
}


@pytest.mark.parametrize("meet", MEETS.values(), ids=MEETS)
def test_damage_that_was_met_leaves_no_mark(state: Path, meet: Callable[[Store, Path], object]) -> None:
    store, _ = open_index(state / "index", state / "backups", map_size=MAP)
    with store.engine.write() as edit:
        edit._txn.put(b"rotten", b"no checksum", db=edit._tables[Table.NOTES])
    with pytest.raises(IndexDamaged):
        meet(store, state)
    close_index(store, 60)
    assert not clean.is_clean(data_of(state))
    store, opened = open_index(state / "index", state / "backups", map_size=MAP)
    assert opened.origin == "restored"
    assert adds_up(store)
    store.close()


def test_a_mark_that_is_not_believed(state: Path) -> None:
    path, marked = data_of(state), state / "index" / clean.NAME
    good = marked.read_bytes()
    other = msgspec.structs.replace(msgspec.json.decode(good, type=clean.Mark), version=99)
    for bad in (b"", b"{}", good[:-3], b"\xff\xfe", msgspec.json.encode(other)):
        marked.write_bytes(bad)
        assert not clean.is_clean(path)
        assert probe(state / "index").verdict is Verdict.SOUND, "the full probe decides"
    marked.unlink()
    assert not clean.mark(path, -1), "no time is left at a shutdown"
    assert not marked.exists()
    assert not clean.mark(state / "nothing" / "data.mdb", 60)
    shutil.rmtree(state / "index")
    assert not clean.is_clean(path)
