"""The inverted tier: right answers beside and instead of the flat one, swapped in while everything goes on."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pixsortd.errors import TrainingFailed
from pixsortd.index.store import Store
from pixsortd.index.vectors import Shape, Vectors, dropped, due
from pixsortd.index.vectors.analyst import train
from pixsortd.index.vectors.request import Lines, Trained, TrainProgress, TrainRequest, line
from pixsortd.records import Gone, Reason
from tests.unit.index_material import MAP, ROOT, SPACE, analysis, content, drop, index, opened, vector, vectors_of

COUNT = 400


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(COUNT)))
        yield store


def loaded(store: Store, tmp_path: Path) -> Vectors:
    vectors = Vectors(tmp_path / "vectors", store, SPACE)
    vectors.load()
    return vectors


def made(store: Store, tmp_path: Path) -> Path:
    """A trained file, made here instead of in a process."""
    target = tmp_path / "vectors" / "trained.faiss"
    request = TrainRequest(
        index=str(store.engine.directory), map_size=MAP, space=SPACE.key, target=str(target), niceness=0
    )
    assert train(request, lambda *_: None) == len(store.numbered_vectors(SPACE.key).numbers)
    return target


@pytest.fixture
def vectors(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vectors:
    """A search whose photos are all in the inverted tier."""
    # Two environments of one file in one process would share locks; the analyst is another process.
    monkeypatch.setattr(Store, "open", classmethod(lambda cls, *_, **__: store))
    monkeypatch.setattr(Store, "close", lambda _: None)
    vectors = loaded(store, tmp_path)
    vectors.begin_training()
    vectors.adopt(made(store, tmp_path))
    vectors.end_training()
    assert vectors.shape.inverted == COUNT
    assert vectors.save()
    return vectors


def fresh(store: Store, name: bytes) -> tuple[int, bytes]:
    """Commit a further photo; its number and vector."""
    (row,) = drop(store, name, start=5000)
    done = analysis(content(name))
    (photo,) = store.commit([(row, done)])
    return photo.number, done.embeddings[0].vector


def brute(store: Store, query: bytes, k: int) -> list[bytes]:
    contents, matrix = vectors_of(store)
    cosines = matrix.astype(np.float32) @ np.frombuffer(query, "<f2").astype(np.float32)
    return [contents[row] for row in np.argsort(-cosines)[:k]]


def agrees(vectors: Vectors, store: Store, k: int = 10) -> float:
    """Share of the true nearest that are found."""
    found = 0
    for seed in range(40):
        query = vector(9000 + seed)
        found += len({sha256 for sha256, _ in vectors.search(query, k)} & set(brute(store, query, k)))
    return found / (40 * k)


def number_of(store: Store, name: bytes) -> int:
    photo = store.photo(content(name))
    assert photo is not None
    return photo.number


def test_it_finds_what_brute_force_finds(vectors: Vectors, store: Store) -> None:
    assert agrees(vectors, store) >= 0.95
    assert vectors.shape.recall >= 0.95
    own = store.embedding(SPACE.key, content(b"7"))
    assert own is not None
    (best, cosine), *_ = vectors.search(own, 3)
    assert best == content(b"7")
    assert cosine == pytest.approx(1.0, abs=2e-3)
    assert vectors.verify() == ""


@pytest.mark.parametrize("k", [1, 50, COUNT, COUNT + 9])
def test_as_many_are_found_as_there_are(vectors: Vectors, k: int) -> None:
    found = vectors.search(vector(1), k)
    assert len({sha256 for sha256, _ in found}) == min(k, COUNT)
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True)


def test_all_that_have_a_file_are_found_however_few(vectors: Vectors, store: Store) -> None:
    gone = Reason(code="t", message="t")
    store.record(ROOT, [Gone(path=b"%d" % i, reason=gone) for i in range(COUNT - 3)])
    found = vectors.search(vector(1), 5, exclude=[content(b"%d" % (COUNT - 1))])
    assert {sha256 for sha256, _ in found} == {content(b"%d" % i) for i in (COUNT - 2, COUNT - 3)}


def test_add_replace_remove(vectors: Vectors, store: Store) -> None:
    number, own = fresh(store, b"new")
    assert not vectors.save(), "memory is behind the index"
    vectors.add([number, number], [vector(1), own])
    assert vectors.search(own, 1)[0][0] == content(b"new")
    assert vectors.save()
    seventh = number_of(store, b"7")
    vectors.add([seventh], [vector(77)])
    assert vectors.search(vector(77), 1)[0][0] == content(b"7")
    assert vectors.shape == Shape(
        inverted=COUNT - 1, tombstones=1, flat=2, probes=vectors.shape.probes, recall=vectors.shape.recall
    )
    assert vectors.verify() == "1 vectors of the search differ from those of the index"
    vectors.remove([seventh, number, 10**9])
    assert vectors.count == COUNT - 1
    every = {sha256 for sha256, _ in vectors.search(vector(1), COUNT + 5)}
    assert content(b"7") not in every
    assert content(b"new") not in every
    vectors.rebuild()
    assert vectors.shape == Shape(flat=COUNT + 1)
    assert vectors.verify() == ""


def test_the_files_hold_tombstones_and_newcomers(vectors: Vectors, store: Store, tmp_path: Path) -> None:
    number, own = fresh(store, b"new")
    vectors.add([number], [own])
    seventh = store.embedding(SPACE.key, content(b"7"))
    assert seventh is not None
    vectors.add([number_of(store, b"7")], [seventh])
    assert vectors.save()
    again = loaded(store, tmp_path)
    assert (again.origin.kind, again.origin.reason) == ("file", "")
    assert again.shape == vectors.shape
    assert again.shape.tombstones == 1
    assert again.search(own, COUNT) == vectors.search(own, COUNT)
    assert again.verify() == ""


def test_a_crash_before_the_last_save_keeps_the_inverted_file(vectors: Vectors, store: Store, tmp_path: Path) -> None:
    """What LMDB knows better becomes tombstones and newcomers; nothing has to be trained again."""
    fresh(store, b"new")
    again = loaded(store, tmp_path)
    assert again.origin.reason == "the file is older or newer than the index"
    assert (again.shape.inverted, again.shape.flat) == (COUNT, 1)
    assert again.verify() == ""
    assert loaded(store, tmp_path).origin.kind == "file"


@pytest.mark.parametrize("where", [0, 9, 20, 60, 120, 3000, 9000, -1])
def test_a_damaged_inverted_file_is_noticed(vectors: Vectors, store: Store, tmp_path: Path, where: int) -> None:
    path = vectors.inverted_path
    data = bytearray(path.read_bytes())
    data[where] ^= 4
    path.unlink()  # the old one stays mapped
    path.write_bytes(data)
    again = loaded(store, tmp_path)
    assert "inverted file cannot be used" in again.origin.reason
    assert again.shape == Shape(flat=COUNT)
    assert again.verify() == ""
    assert not path.exists(), "nothing refers to it any more"


@pytest.mark.parametrize("length", [None, 0, 43, 500, 20_000])
def test_a_short_or_missing_inverted_file_is_noticed(
    vectors: Vectors, store: Store, tmp_path: Path, length: int | None
) -> None:
    data = vectors.inverted_path.read_bytes()
    vectors.inverted_path.unlink()
    if length is not None:
        vectors.inverted_path.write_bytes(data[:length])
    again = loaded(store, tmp_path)
    assert again.origin.kind == "rebuilt"
    assert again.shape == Shape(flat=COUNT)
    assert again.verify() == ""


def test_another_index_or_another_pair_of_files_is_not_taken(vectors: Vectors, store: Store, tmp_path: Path) -> None:
    old = vectors.inverted_path.read_bytes()
    vectors.begin_training()
    vectors.adopt(made(store, tmp_path))
    vectors.end_training()
    assert vectors.save()
    vectors.inverted_path.write_bytes(old)
    again = loaded(store, tmp_path)
    assert again.origin.reason == "the file and the inverted file are not of the same time"
    assert again.verify() == ""
    with store.engine.write() as edit:
        edit.new_epoch()
    assert loaded(store, tmp_path).shape == Shape(flat=COUNT)


def test_a_trained_file_that_is_damaged_leaves_the_search_as_it_was(
    vectors: Vectors, store: Store, tmp_path: Path
) -> None:
    before = vectors.search(vector(3), 20)
    target = made(store, tmp_path)
    target.write_bytes(target.read_bytes()[:-100])
    vectors.begin_training()
    with pytest.raises(TrainingFailed, match="checksum"):
        vectors.adopt(target)
    vectors.end_training()
    assert not target.exists()
    assert vectors.search(vector(3), 20) == before
    assert vectors.save()
    assert loaded(store, tmp_path).origin.kind == "file"


def test_changes_during_a_training_are_not_lost(vectors: Vectors, store: Store, tmp_path: Path) -> None:
    """Added after the analyst read, replaced, removed, removed and added again: all as it is in memory."""
    vectors.begin_training()
    target = made(store, tmp_path)
    number, own = fresh(store, b"late")
    vectors.add([number], [own])
    vectors.add([number_of(store, b"1")], [vector(101)])
    vectors.remove([number_of(store, b"2"), number_of(store, b"3")])
    vectors.add([number_of(store, b"3")], [vector(103)])
    vectors.adopt(target)
    vectors.end_training()
    assert vectors.shape.flat == 3
    assert vectors.count == COUNT
    assert vectors.search(own, 1)[0][0] == content(b"late")
    assert vectors.search(vector(101), 1)[0][0] == content(b"1")
    assert vectors.search(vector(103), 1)[0][0] == content(b"3")
    assert content(b"2") not in {sha256 for sha256, _ in vectors.search(vector(1), COUNT + 5)}


def test_searches_and_changes_while_new_tiers_are_swapped_in(vectors: Vectors, store: Store, tmp_path: Path) -> None:
    own = store.embedding(SPACE.key, content(b"5"))
    assert own is not None
    wrong: list[object] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            found = vectors.search(own, 5)
            if len(found) != 5 or found[0][0] != content(b"5"):
                wrong.append(found)

    def change() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            vectors.add([50_000 + turn], [vector(turn)])
            vectors.remove([50_000 + turn])

    threads = [threading.Thread(target=look) for _ in range(2)] + [threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        vectors.begin_training()
        vectors.adopt(made(store, tmp_path))
        vectors.end_training()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert vectors.verify() == ""


def test_memory_that_was_given_back_is_found_again(vectors: Vectors) -> None:
    before = vectors.search(vector(3), 20)
    vectors.rest()
    assert vectors.search(vector(3), 20) == before


def test_copies_and_broken_vectors_do_not_spoil_a_training(store: Store, vectors: Vectors, tmp_path: Path) -> None:
    with store.engine.write() as edit:
        from pixsortd.index.schema import Table

        for i in range(60):
            edit.put(Table.EMBEDDINGS, SPACE.key + content(b"%d" % i), vector(1))
        edit.put(Table.EMBEDDINGS, SPACE.key + content(b"99"), b"\xff\x7f" * SPACE.dim)
    vectors.rebuild()
    vectors.begin_training()
    vectors.adopt(made(store, tmp_path))
    vectors.end_training()
    found = vectors.search(vector(1), 60)
    assert {sha256 for sha256, _ in found} == {content(b"%d" % i) for i in range(60)}


def test_when_a_training_is_due() -> None:
    assert not due(Shape(flat=999), idle=True, border=1000)
    assert due(Shape(flat=1000), idle=False, border=1000)
    assert not due(Shape(inverted=1000, flat=999), idle=False, border=1000)
    assert due(Shape(inverted=1000, flat=1000), idle=False, border=1000), "doubled"
    assert due(Shape(inverted=40_000, flat=10_000), idle=False, border=1000)
    assert not due(Shape(inverted=40_000, flat=9_999), idle=False, border=1000)
    assert due(Shape(inverted=40_000, flat=2_500), idle=True, border=1000)
    assert due(Shape(inverted=30_000, tombstones=10_000), idle=False, border=1000)
    assert not due(Shape(inverted=600, tombstones=100), idle=False, border=1000), "no to and fro at the border"
    assert due(Shape(inverted=499, tombstones=501), idle=False, border=1000)
    assert dropped(Shape(inverted=499, tombstones=501), border=1000)
    assert not dropped(Shape(flat=10), border=1000)


def test_lines_come_back_from_any_pieces() -> None:
    said = [TrainProgress(done=1, total=4, what="a\nb"), Trained(vectors=3)]
    data = b"".join(line(message) for message in said)
    lines = Lines()
    assert [message for byte in data for message in lines.feed(bytes([byte]))] == said
