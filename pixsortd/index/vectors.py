"""Nearest neighbours in one space: a FAISS index in memory, and its file as a cache that must prove itself.

The vectors live in LMDB. The file only saves reading them at start: it is believed when its
checksum is right, when it is of the same epoch, generation, count and set of photos as LMDB says,
and when a real query finds what it must; otherwise the search is built anew, loudly.
"""

import hashlib
import struct
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import structlog

from pixsortd.errors import IndexProblem
from pixsortd.index.durable import write_whole
from pixsortd.index.spaces import NumberedVectors, SpaceState, mark_of
from pixsortd.records import Record, Space

log = structlog.get_logger()

faiss.omp_set_num_threads(1)  # searches are short; a team of threads would only wake the other cores

_MAGIC = b"PXSVEC01"
_HEAD = struct.Struct(">8s8s8sQQQ")
"""magic, space key, epoch, generation, count, mark; behind it the BLAKE2b-256 of head and body, and the body."""
_BODY = _HEAD.size + 32
_PIECE = 8192
"""Vectors turned to float32 at once, to keep the peak of memory low."""
_NEAR = 0.02
"""How far float16 may carry a cosine off: a stored vector must find itself at least this close to 1."""


class Source(Protocol):
    """What the search needs of the store."""

    def numbered_vectors(self, space_key: bytes) -> NumberedVectors: ...
    def search_state(self, space_key: bytes) -> tuple[bytes, SpaceState | None]: ...
    def named(self, numbers: list[int]) -> dict[int, bytes]: ...


class Origin(Record, frozen=True, kw_only=True):
    """Where the search in memory came from."""

    kind: str
    """``file``, ``rebuilt``, or ``empty`` before ``load``."""
    reason: str = ""
    """Why the file was not used."""
    seconds: float = 0.0


class Vectors:
    """Search in one space. Any thread may call; changes and searches exclude one another."""

    def __init__(self, directory: Path, store: Source, space: Space) -> None:
        """The file is ``directory/<key of the space>.faiss``; nothing is read before ``load``."""
        self.space = space
        self.path = directory / f"{space.key.hex()}.faiss"
        self.origin = Origin(kind="empty")
        self._store = store
        self._lock = threading.Lock()
        self._index = _empty(space.dim)

    @property
    def count(self) -> int:
        """Vectors in memory."""
        return int(self._index.ntotal)

    def load(self) -> Origin:
        """Take the file if it proves itself against LMDB, else build the search anew and save it."""
        began = time.monotonic()
        with self._lock:
            index, reason = self._from_file(*self._store.search_state(self.space.key))
            if index is None:
                index = self._from_store()
            self._index = index
        kind = "rebuilt" if reason else "file"
        self.origin = Origin(kind=kind, reason=reason, seconds=time.monotonic() - began)
        if reason:
            say = log.warning if self.count else log.info
            say("vector search rebuilt", space=self.space.name, reason=reason, vectors=self.count)
            try:
                self.save()
            except IndexProblem as problem:
                log.warning("vector search not saved", space=self.space.name, reason=str(problem))
        return self.origin

    def verify(self) -> str:
        """How memory differs from a search built anew from LMDB, in words; empty where it does not."""
        with self._lock:
            found = self._store.numbered_vectors(self.space.key)
            held = np.sort(faiss.vector_to_array(self._index.id_map))
            if not np.array_equal(held, np.sort(found.numbers)):
                return f"the search holds {len(held)} photos, the index {len(found.numbers)}, not all of them the same"
            wrong = 0
            for start in range(0, len(held), _PIECE):
                piece = slice(start, start + _PIECE)
                kept = self._index.reconstruct_batch(found.numbers[piece])
                wrong += int((kept != found.vectors[piece]).any(axis=1).sum())
        return f"{wrong} vectors of the search differ from those of the index" if wrong else ""

    def rebuild(self) -> None:
        """Build the search from the vectors in LMDB; searches and changes wait meanwhile."""
        with self._lock:
            self._index = self._from_store()

    def _from_store(self) -> Any:
        found, index = self._store.numbered_vectors(self.space.key), _empty(self.space.dim)
        for start in range(0, len(found.numbers), _PIECE):
            piece = slice(start, start + _PIECE)
            index.add_with_ids(found.vectors[piece].astype(np.float32), found.numbers[piece])
        return index

    def add(self, numbers: Sequence[int], vectors: Sequence[bytes]) -> None:
        """Add or replace the vectors (float16 little-endian bytes) of photos, after they are in LMDB."""
        if not numbers:
            return
        latest = dict(zip(numbers, vectors, strict=True))
        ids = np.array(list(latest), np.int64)
        matrix = np.frombuffer(b"".join(latest.values()), "<f2").reshape(len(ids), self.space.dim).astype(np.float32)
        with self._lock:
            known = np.isin(ids, faiss.vector_to_array(self._index.id_map))
            if known.any():
                self._index.remove_ids(ids[known])  # FAISS takes ids for unique and would keep both
            self._index.add_with_ids(matrix, ids)

    def remove(self, numbers: Sequence[int]) -> None:
        """Take photos out; one pass over the index whatever their number, so gather them."""
        if numbers:
            with self._lock:
                self._index.remove_ids(np.array(numbers, np.int64))

    def search(self, vector: bytes, k: int, exclude: Collection[bytes] = ()) -> list[tuple[bytes, float]]:
        """The ``k`` photos most like ``vector`` that have a file and are not in ``exclude``: (sha256, cosine)."""
        query = np.frombuffer(vector, "<f2").astype(np.float32)[None]
        left_out = frozenset(exclude)
        wanted, found = k + len(left_out), list[tuple[bytes, float]]()
        while len(found) < k:
            # Photos without a file are still in the index; where they are many, look further.
            with self._lock:
                asked, held = min(wanted, self._index.ntotal), self._index.ntotal
                if not asked:
                    break
                cosines, numbers = self._index.search(query, asked)
            pairs = [(int(number), float(cosine)) for number, cosine in zip(numbers[0], cosines[0], strict=True)]
            named = self._store.named([number for number, _ in pairs if number >= 0])
            known = ((named.get(number), cosine) for number, cosine in pairs)
            found = [(sha256, cosine) for sha256, cosine in known if sha256 is not None and sha256 not in left_out]
            if asked == held:
                break
            wanted *= 4
        return found[:k]

    def save(self) -> bool:
        """Write the file: temporary, fsync, rename, fsync of the directory.

        False, with nothing written, while memory is behind or ahead of LMDB: between a commit and
        the ``add`` that follows it. Raises ``IndexFull``.
        """
        epoch, state = self._store.search_state(self.space.key)
        generation, count, mark = _figures(state)
        with self._lock:
            numbers = faiss.vector_to_array(self._index.id_map)
            if len(numbers) != count or mark_of(numbers) != mark:
                return False
            body = memoryview(faiss.serialize_index(self._index).data)
        head = _HEAD.pack(_MAGIC, self.space.key, epoch, generation, count, mark)
        write_whole(self.path, [head, _digest(head, body), body], durable=True)
        return True

    def _from_file(self, epoch: bytes, state: SpaceState | None) -> tuple[Any, str]:
        """(index, "") of the file, or (None, why it cannot be used)."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None, "there is no file yet"
        except OSError as error:
            return None, f"the file cannot be read ({error.strerror})"
        if len(data) < _BODY or data[: len(_MAGIC)] != _MAGIC:
            return None, "the file is not one of ours"
        head, body = data[: _HEAD.size], memoryview(data)[_BODY:]
        if _digest(head, body) != data[_HEAD.size : _BODY]:
            return None, "the file fails its checksum"
        _, *fields = _HEAD.unpack(head)
        if fields != [self.space.key, epoch, *_figures(state)]:
            return None, "the file is older or newer than the index"
        try:
            index = faiss.deserialize_index(np.frombuffer(body, np.uint8))
        except RuntimeError as error:
            return None, f"this FAISS cannot read the file ({str(error).splitlines()[-1]})"
        return (index, "") if self._proven(index, *_figures(state)) else (None, "the file answers a query wrongly")

    def _proven(self, index: Any, _: int, count: int, mark: int) -> bool:
        """Whether the index holds just these photos and finds its first and its last vector again."""
        if index.ntotal != count or index.d != self.space.dim:
            return False
        numbers = faiss.vector_to_array(index.id_map)
        if mark_of(numbers) != mark:
            return False
        for number in numbers[[0, -1]] if count else ():
            vector = index.reconstruct(int(number))[None]
            cosines, found = index.search(vector, 1)
            if found[0, 0] < 0 or cosines[0, 0] < (vector @ vector.T)[0, 0] - _NEAR:
                return False
        return True


def _empty(dim: int) -> Any:
    """An empty exact inner-product index over float16 codes, with ids and a way back from them."""
    flat = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap2(flat)


def _figures(state: SpaceState | None) -> tuple[int, int, int]:
    return (0, 0, 0) if state is None else (state.generation, state.count, state.mark)


def _digest(head: bytes, body: memoryview) -> bytes:
    """BLAKE2b-256 over the header's fields and the body."""
    digest = hashlib.blake2b(head, digest_size=32)
    digest.update(body)
    return digest.digest()
