"""The search: right answers, and a file that is believed only when it proves itself."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pixsortd.errors import IndexFull, IndexProblem
from pixsortd.index import durable
from pixsortd.index.spaces import mark_of
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.index.vectors.flat import Flat
from pixsortd.index.vectors.front import front_parts, read_front
from pixsortd.records import Gone, Reason, Space
from tests.unit.index_material import ROOT, SPACE, analysis, content, drop, index, opened, vector, vectors_of

COUNT = 60


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(COUNT)))
        yield store


def search(store: Store, tmp_path: Path, space: Space = SPACE) -> Vectors:
    return Vectors(tmp_path / "vectors", store, space)


def fresh_photo(store: Store, name: bytes) -> tuple[int, bytes]:
    """Commit a further photo; its number and vector."""
    (row,) = drop(store, name, start=1000)
    done = analysis(content(name))
    (photo,) = store.commit([(row, done)])
    return photo.number, done.embeddings[0].vector


def test_search_agrees_with_brute_force(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    assert vectors.load().kind == "rebuilt"
    contents, matrix = vectors_of(store)
    assert contents == sorted(contents)
    query = np.frombuffer(vector(12345), "<f2")
    cosines = matrix.astype(np.float32) @ query.astype(np.float32)
    best = np.argsort(-cosines)[:10]
    found = vectors.search(query.tobytes(), 10)
    assert [sha256 for sha256, _ in found] == [contents[i] for i in best]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[best], atol=2e-3)


def test_a_photo_finds_itself_unless_left_out(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    own = store.embedding(SPACE.key, content(b"7"))
    assert own is not None
    assert vectors.search(own, 1)[0][0] == content(b"7")
    others = vectors.search(own, COUNT + 5, exclude=[content(b"7")])
    assert len(others) == COUNT - 1
    assert content(b"7") not in dict(others)


def test_photos_without_a_file_are_not_found(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    gone = Reason(code="t", message="t")
    store.record(ROOT, [Gone(path=b"%d" % i, reason=gone) for i in range(COUNT - 3)])
    found = vectors.search(vector(1), 5)
    assert {sha256 for sha256, _ in found} == {content(b"%d" % i) for i in range(COUNT - 3, COUNT)}
    assert len(vectors_of(store)[0]) == 3


def test_add_replace_remove(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    number, own = fresh_photo(store, b"new")
    assert not vectors.save(), "memory is behind the index"
    vectors.add([number, number], [vector(1), own])
    vectors.add([number], [own])
    assert vectors.count == COUNT + 1
    assert vectors.search(own, 1)[0][0] == content(b"new")
    assert vectors.verify() == ""
    assert vectors.save()
    vectors.remove([number])
    assert vectors.count == COUNT
    assert vectors.verify() != ""
    vectors.rebuild()
    assert vectors.verify() == ""
    vectors.add([], [])
    vectors.remove([])


def test_an_empty_space(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path, Space(name="c", model="c", revision="", preprocessing="", dim=4))
    vectors.load()
    assert vectors.search(np.zeros(4, "<f2").tobytes(), 3) == []
    assert vectors.save()
    assert vectors.load().kind == "file"


def test_the_file_is_taken_when_it_is_right(store: Store, tmp_path: Path) -> None:
    search(store, tmp_path).load()
    again = search(store, tmp_path)
    assert (again.load().kind, again.origin.reason, again.count) == ("file", "", COUNT)
    assert again.verify() == ""


@pytest.mark.parametrize("where", [0, 9, 20, 30, 40, 50, 90, 200, -1])
def test_a_flipped_bit_is_noticed(store: Store, tmp_path: Path, where: int) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    data = bytearray(vectors.path.read_bytes())
    data[where] ^= 4
    vectors.path.write_bytes(data)
    again = search(store, tmp_path)
    origin = again.load()
    assert origin.kind == "rebuilt"
    assert origin.reason
    assert again.verify() == ""
    assert search(store, tmp_path).load().kind == "file", "it was saved again"


@pytest.mark.parametrize("length", [0, 1, 47, 80, 500])
def test_a_short_file_is_noticed(store: Store, tmp_path: Path, length: int) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    vectors.path.write_bytes(vectors.path.read_bytes()[:length])
    assert search(store, tmp_path).load().kind == "rebuilt"


def test_a_file_of_an_earlier_commit_or_another_index_is_not_taken(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    fresh_photo(store, b"new")
    again = search(store, tmp_path)
    assert again.load().reason == "the file is older or newer than the index"
    assert again.count == COUNT + 1
    with store.engine.write() as edit:
        edit.new_epoch()
    assert search(store, tmp_path).load().kind == "rebuilt"


def test_a_right_file_with_wrong_contents_fails_its_query(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    front, _ = read_front(vectors.path)
    other = Flat(SPACE.dim)
    other.add(np.array([1]), np.frombuffer(vector(1), "<f2")[None])
    vectors.path.write_bytes(b"".join(front_parts(front, other)))
    assert search(store, tmp_path).load().reason == "the file answers a query wrongly"


def test_a_full_disk_leaves_the_older_file(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    before = vectors.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(IndexFull):
        vectors.save()
    assert vectors.path.read_bytes() == before
    assert [path.name for path in vectors.path.parent.iterdir()] == [vectors.path.name]


def test_searches_and_changes_at_once(store: Store, tmp_path: Path) -> None:
    vectors = search(store, tmp_path)
    vectors.load()
    wrong: list[object] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            found = vectors.search(vector(3), 5)
            if len(found) != 5:
                wrong.append(found)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(300):
        vectors.add([10_000 + i], [vector(i)])
        vectors.remove([10_000 + i])
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert vectors.verify() == ""


def test_equal_sets_have_equal_marks() -> None:
    assert mark_of(np.array([1, 2, 3])) == mark_of(np.array([3, 1, 2]))
    assert mark_of(np.array([1, 2])) != mark_of(np.array([3]))
    assert mark_of(np.array([], np.int64)) == 0


def test_a_closed_index_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "closed") as store:
        pass
    store.close()
    with pytest.raises(IndexProblem, match="closed"):
        store.counts()
    with pytest.raises(IndexProblem, match="closed"):
        store.meta_set("a", b"b")
