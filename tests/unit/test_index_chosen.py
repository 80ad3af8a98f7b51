"""Reads and writes of chosen photos, many in one transaction."""

from pathlib import Path

import numpy as np

from pixsortd.index.spaces import SPACE as KEY
from pixsortd.records import FileState, Gone, Reason, Step
from tests.unit.index_material import OTHER, ROOT, SPACE, content, index, opened

ONE, TWO, THREE, UNKNOWN = (content(name) for name in (b"1", b"2", b"3", b"?"))


def test_chosen_photos_are_read_whether_or_not_a_file_holds_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        index(store, b"1", b"2")
        index(store, b"3", root=OTHER)
        store.record(ROOT, [Gone(path=b"2", reason=Reason(code="t", message="t"))])
        chosen = [THREE, UNKNOWN, TWO, ONE]
        assert store.known(chosen) == {ONE, TWO, THREE}
        assert [cell.sha256 for cell in store.cells(chosen, {OTHER})] == [THREE, TWO, ONE]
        assert [(cell.name, cell.status) for cell in store.cells(chosen, {OTHER})] == [
            (b"3", FileState.AWAY),
            (b"", FileState.AWAY),
            (b"1", FileState.INDEXED),
        ]
        contents, vectors = store.vectors_among(SPACE.key, chosen)
        assert contents == sorted([ONE, TWO, THREE])
        assert [row.tobytes() for row in vectors] == [store.embedding(SPACE.key, one) for one in contents]
        assert vectors.dtype == np.float16


def test_no_photos_and_no_space(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.vectors_among(bytes(KEY), [ONE])[0] == []
        index(store, b"1")
        contents, vectors = store.vectors_among(SPACE.key, [])
        assert (contents, vectors.shape) == ([], (0, SPACE.dim))
        assert store.cells([]) == []
        assert store.known([]) == frozenset()


def test_steps_of_many_photos_are_written_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        index(store, b"1", b"2")
        before = store.generation
        store.add_histories({one: [Step(at=5.0, what="rated", detail=one.hex())] for one in (ONE, TWO)})
        assert store.generation == before + 1
        assert store.history(ONE)[-1].detail == ONE.hex()
        assert store.history(TWO)[-1].detail == TWO.hex()
