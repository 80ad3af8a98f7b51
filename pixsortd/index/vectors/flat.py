"""The exact tier: float16 vectors in memory, every one compared."""

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from pixsortd.index.vectors.tier import Floats, Halves, Near, Numbers

faiss.omp_set_num_threads(1)  # searches are short; a team of threads would only wake the other cores

_PIECE = 8192
"""Vectors turned to float32 at once, to keep the peak of memory low."""
_NEAR = 0.02
"""How far float16 may carry a cosine off: a stored vector must find itself at least this close to 1."""


class Flat:
    """Exact inner products over float16 codes, with ids and a way back from them."""

    def __init__(self, dim: int) -> None:
        codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._index: Any = faiss.IndexIDMap2(codes)

    @classmethod
    def restored(cls, body: npt.NDArray[np.uint8]) -> "Flat":
        """The tier that ``serialized`` wrote; raises ``ValueError`` when this FAISS cannot read it."""
        tier = cls.__new__(cls)
        try:
            tier._index = faiss.deserialize_index(body)
            tier._index.id_map  # noqa: B018 - another kind of index has none
        except (RuntimeError, AttributeError) as error:
            raise ValueError(str(error).splitlines()[-1]) from error
        return tier

    def serialized(self) -> memoryview:
        """The bytes of the whole tier."""
        return memoryview(faiss.serialize_index(self._index).data)

    @property
    def count(self) -> int:
        """Vectors held."""
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def numbers(self) -> Numbers:
        """Photo numbers, in no order."""
        return np.asarray(faiss.vector_to_array(self._index.id_map), np.int64)

    def add(self, numbers: Numbers, vectors: Halves) -> None:
        """Take in vectors of photos that are not held yet."""
        for start in range(0, len(numbers), _PIECE):
            piece = slice(start, start + _PIECE)
            self._index.add_with_ids(vectors[piece].astype(np.float32), numbers[piece])

    def remove(self, numbers: Numbers) -> None:
        """Take photos out, those that are held; one pass over all, so gather them."""
        known = numbers[np.isin(numbers, self.numbers())] if self.count else numbers[:0]
        if len(known):
            self._index.remove_ids(known)

    def nearest(self, query: Floats, k: int) -> Near:
        """The ``k`` nearest (cosines, numbers), or all there are."""
        asked = min(k, self.count)
        if not asked:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        cosines, numbers = self._index.search(query[None], asked)
        found = numbers[0] >= 0  # a vector that is not finite may leave places empty
        return cosines[0][found], numbers[0][found]

    def pick(self, numbers: Numbers) -> tuple[Numbers, Halves]:
        """Those of ``numbers`` that are held, and their vectors."""
        known = numbers[np.isin(numbers, self.numbers())]
        if not len(known):
            return known, np.empty((0, self.dim), np.float16)
        return known, self._index.reconstruct_batch(known).astype(np.float16)

    def pieces(self) -> Iterator[tuple[Numbers, Halves]]:
        """All (numbers, vectors), some thousands at a time."""
        numbers = self.numbers()
        for start in range(0, len(numbers), _PIECE):
            piece = numbers[start : start + _PIECE]
            yield piece, self._index.reconstruct_batch(piece).astype(np.float16)

    def proven(self) -> bool:
        """Whether the first and the last vector find themselves."""
        for number in self.numbers()[[0, -1]] if self.count else ():
            vector = self._index.reconstruct(int(number))
            cosines, _ = self.nearest(vector, 1)
            if not len(cosines) or cosines[0] < vector @ vector - _NEAR:
                return False
        return True
