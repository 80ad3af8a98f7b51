"""Bits flipped and files cut, at seeded places: noticed, said and mended, or without any effect."""

import os
import random
import shutil
from pathlib import Path

import pytest

from pixsortd.decisions import Decisions
from pixsortd.decisions.codec import decoded
from pixsortd.errors import DecisionsDamaged
from pixsortd.index.backup import make_backup
from pixsortd.index.probe import Verdict, probe
from pixsortd.index.schema import Table
from pixsortd.index.startup import open_index
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.logfile import sound_bodies
from pixsortd.records import NameGroup
from tests.unit.index_material import MAP, SPACE, adds_up, content, index, opened

FLIPS = int(os.environ.get("PIXSORTD_TEST_FLIPS", "40"))
"""The long form is PIXSORTD_TEST_FLIPS=2000."""
Dump = dict[str, list[tuple[bytes, bytes]]]


def dump(store: Store) -> Dump:
    """Every record there is."""
    with store.engine.read() as view:
        return {table: list(view.items(table)) for table in Table}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Dump]]:
    """A state directory with an index, a backup and a vector file; the index's contents at its last two commits."""
    state = tmp_path_factory.mktemp("sound")
    with opened(state / "index") as store:
        index(store, *(b"d%d/%d" % (i % 7, i) for i in range(150)))
        make_backup(store, state / "backups", keep=1)
        Vectors(state / "vectors", store, SPACE).load()
        index(store, b"late", start=999)
        dumps = [dump(store)]
        store.meta_set("last", b"commit")
        dumps.append(dump(store))
    return state, dumps


def flipped(data: bytes, chance: random.Random) -> bytes:
    """The data with a few bits wrong, near one another."""
    damaged = bytearray(data)
    where = chance.randrange(len(data))
    for _ in range(chance.choice((1, 1, 2, 16))):
        damaged[min(len(data) - 1, where + chance.randrange(8))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def test_a_damaged_index_is_noticed_or_unharmed(sound: tuple[Path, list[Dump]], tmp_path: Path) -> None:
    state, dumps = sound
    chance, data = random.Random(1), (state / "index" / "data.mdb").read_bytes()
    noticed = 0
    for turn in range(FLIPS):
        directory = tmp_path / str(turn)
        directory.mkdir()
        cut = turn % 4 == 0
        (directory / "data.mdb").write_bytes(data[: chance.randrange(len(data))] if cut else flipped(data, chance))
        verdict = probe(directory).verdict
        if verdict is Verdict.SOUND:
            # The flip hit a page in no use, or a head page: then the commit before the last is the valid one.
            with opened(directory) as store:
                assert dump(store) in dumps
        else:
            assert verdict in (Verdict.DAMAGED, Verdict.ABSENT)
            noticed += 1
        shutil.rmtree(directory)
    assert noticed > FLIPS // 5  # the rest fell on pages in no use


@pytest.mark.parametrize("turn", range(4))
def test_a_damaged_index_is_replaced_by_its_backup(sound: tuple[Path, list[Dump]], tmp_path: Path, turn: int) -> None:
    state = tmp_path / "state"
    shutil.copytree(sound[0], state)
    chance, path = random.Random(turn), state / "index" / "data.mdb"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if turn == 0 else data[:8192] + flipped(data[8192:], chance))
    store, opened_as = open_index(state / "index", state / "backups", map_size=MAP)
    try:
        assert opened_as.origin in ("restored", "clean")
        assert adds_up(store)
        assert store.thumbnail(content(b"d0/0")) is not None
        vectors = Vectors(state / "vectors", store, SPACE)
        vectors.load()
        assert vectors.verify() == ""
        own = store.embedding(SPACE.key, content(b"d0/0"))
        assert own is not None
        assert vectors.search(own, 1)[0][0] == content(b"d0/0")
    finally:
        store.close()


def test_a_damaged_vector_file_is_built_anew(sound: tuple[Path, list[Dump]], tmp_path: Path) -> None:
    chance = random.Random(2)
    shutil.copytree(sound[0] / "index", tmp_path / "index")
    with opened(tmp_path / "index") as store:
        vectors = Vectors(tmp_path / "vectors", store, SPACE)
        vectors.load()
        data = vectors.path.read_bytes()
        query = store.embedding(SPACE.key, content(b"d0/7"))
        assert query is not None
        expected = vectors.search(query, 10)
        assert len(expected) == 10
        for turn in range(FLIPS):
            vectors.path.write_bytes(data[: chance.randrange(len(data))] if turn % 4 == 0 else flipped(data, chance))
            unharmed = vectors.path.read_bytes() == data
            again = Vectors(tmp_path / "vectors", store, SPACE)
            assert again.load().kind == ("file" if unharmed else "rebuilt")
            assert again.search(query, 10) == expected


def test_a_damaged_thumbnail_is_never_shown(sound: tuple[Path, list[Dump]], tmp_path: Path) -> None:
    chance = random.Random(3)
    shutil.copytree(sound[0] / "index", tmp_path / "index")
    with opened(tmp_path / "index") as store:
        for path in sorted((tmp_path / "index" / "thumbs").glob("*/*"))[:FLIPS]:
            data = path.read_bytes()
            path.write_bytes(data[: chance.randrange(len(data))] if chance.random() < 0.3 else flipped(data, chance))
            shown = store.thumbnail(bytes.fromhex(path.stem))
            assert shown is None or shown == data


def test_a_damaged_decision_is_never_believed(tmp_path: Path) -> None:
    chance = random.Random(4)
    said = [NameGroup(group=f"g{i}", name=f"Name {i}", members=(content(b"%d" % i),)) for i in range(12)]
    decisions = Decisions.open(tmp_path)
    for decision in said:
        decisions.append(decision)
    decisions.close()
    data = decisions.path.read_bytes()
    refused = 0
    for turn in range(FLIPS * 5):
        cut = turn % 4 == 0
        decisions.path.write_bytes(data[: chance.randrange(len(data))] if cut else flipped(data, chance))
        try:
            again = Decisions.open(tmp_path)
        except DecisionsDamaged:
            refused += 1
            continue
        kept = list(decoded(sound_bodies(again.path)))
        assert again.constraints().names == {one.group: one.name for one in kept}
        assert kept == said[: len(kept)], "a whole beginning, and nothing that was never said"
        assert cut or len(kept) >= len(said) - 1
        again.close()
    assert refused > FLIPS
