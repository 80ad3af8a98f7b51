"""The inverted tier: short codes in lists, a few lists looked into, and the best of them compared exactly.

Vectors are turned onto the directions in which a library differs most, and the first of these
become 8-bit codes in an inverted file (Sivic and Zisserman, Video Google, 2003; Jegou, Douze and
Schmid, Product quantization for nearest neighbor search, 2011). Codes, 128 bytes a photo, are in
memory; the float16 vectors that settle the order are mapped from the file, so that the kernel may take
their pages back at any time (reading them by calls takes twice as long, getting them from LMDB four times).

The file never changes: what is deleted or replaced becomes a tombstone, what is new goes to the flat tier.
"""

import math
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.index.vectors.tier import Floats, Halves, Near, Numbers
from pixsortd.records import Record
from pixsortd.sealed import checked, read_exactly

MAGIC = b"PXSINV01"
TUNED = 10
"""Neighbours that the number of probed lists was measured for."""
_PIECE = 4096
_NEAR = 0.02


class Head(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What stands in front of the file; behind it the turned directions, photo numbers, lists and vectors."""

    space: bytes
    epoch: bytes
    """Of the index that the vectors were read from."""
    id: bytes
    """16 random bytes that the file beside it names."""
    count: int
    dim: int
    reduced: int
    """Directions that are coded."""
    lists: int
    reach: float
    """A list is looked into for ``TUNED`` neighbours when its centre is at most this much less like than the likest."""
    most: int
    """Lists that are looked into at most for them."""
    probes: float
    """Lists that were looked into so, on average, when it was trained."""
    candidates: int
    """Photos of these lists to compare exactly."""
    recall: float
    """Share of the true ``TUNED`` nearest that is found so, measured when it was trained."""
    bytes: int
    """Length of the serialised lists."""


class Unusable(ValueError):
    """The file is damaged, cut, of another index or another FAISS; the text says which."""


def centres_of(lists: Any) -> Floats:
    """Centres of FAISS's lists, a row each."""
    return np.asarray(lists.quantizer.reconstruct_n(0, lists.nlist), np.float32)


def likely(likeness: Floats, reach: float, most: int, k: int) -> npt.NDArray[np.int64]:
    """The lists to look into for ``k`` neighbours, by how like the query their centres are.

    A photo of a dense place needs few lists and a loner many: about as many as have centres almost as like
    as the likest, ``most`` of them at most. More neighbours lie in more lists, about as the square root.
    """
    count = len(likeness)
    near = min(int(np.count_nonzero(likeness >= likeness.max() - reach)), most)
    wanted = min(count, math.ceil(near * math.sqrt(max(1.0, k / TUNED))))
    return np.ascontiguousarray(np.argpartition(-likeness, wanted - 1)[:wanted], np.int64)


def looked_into(
    lists: Any, turned: Floats, chosen: npt.NDArray[np.int64], asked: int, alive: npt.NDArray[np.uint8] | None = None
) -> npt.NDArray[np.int64]:
    """At most ``asked`` rows nearest by code in the chosen lists, among those whose bit is set in ``alive``."""
    parameters: Any = faiss.SearchParametersIVF()
    parameters.nprobe = len(chosen)
    if alive is not None:
        among: Any = faiss.IDSelectorBitmap  # its types tell of the C++ class, not of what Python may pass
        parameters.sel = selector = among(alive)  # noqa: F841 - kept until the search is over
    cosines, rows = np.empty(asked, np.float32), np.empty(asked, np.int64)
    between, at = np.zeros(len(chosen), np.float32), faiss.swig_ptr
    # The array form of this call takes no parameters. What lies between query and centre is not asked for here.
    lists.search_preassigned_c(
        1,
        at(turned),
        asked,
        at(chosen),
        at(between),
        at(cosines),
        at(rows),
        False,
        parameters,
    )
    return rows[rows >= 0]


class Inverted:
    """An inverted file and its tombstones."""

    def __init__(self, head: Head, rotation: Floats, numbers: Numbers, lists: Any, file: BinaryIO, start: int) -> None:
        """Made by ``opened``. ``numbers`` rise; row i of the file's vectors, from byte ``start``, is ``numbers[i]``."""
        self.head = head
        self._rotation = rotation
        self._numbers = numbers
        self._lists = lists
        self._centres = centres_of(lists)
        self._file = file
        self._start = start
        self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        size = 2 * head.dim
        self._vectors = np.frombuffer(self._map, np.uint8, head.count * size, start).reshape(head.count, size)
        self._halves = faiss.IndexScalarQuantizer(head.dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._alive = np.packbits(np.ones(head.count, bool), bitorder="little")
        self._dead = 0

    @classmethod
    def opened(cls, path: Path, space: bytes, dim: int, epoch: bytes) -> "Inverted":
        """Read and check the whole file; raises ``FileNotFoundError`` or ``Unusable``."""
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unusable(f"the file cannot be read ({error.strerror})") from error
        try:
            return cls._read(file, space, dim, epoch)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            file.close()
            raise Unusable(str(error)) from error

    @classmethod
    def _read(cls, file: BinaryIO, space: bytes, dim: int, epoch: bytes) -> "Inverted":
        payload, start = checked(file, MAGIC)
        head = msgspec.msgpack.decode(payload, type=Head)
        if (head.space, head.dim, head.epoch) != (space, dim, epoch):
            raise Unusable("the file belongs to another index")
        sizes = (4 * dim * head.reduced, 8 * head.count, head.bytes)
        rotation, numbers, lists = (read_exactly(file, size) for size in sizes)
        try:
            index = faiss.deserialize_index(np.frombuffer(lists, np.uint8))
        except RuntimeError as error:
            raise Unusable(f"this FAISS cannot read the file ({str(error).splitlines()[-1]})") from error
        return cls(
            head,
            np.frombuffer(rotation, "<f4").reshape(dim, head.reduced),
            np.frombuffer(numbers, "<i8"),
            index,
            file,
            start + sum(sizes),
        )

    @property
    def count(self) -> int:
        """Vectors that are no tombstones."""
        return self.head.count - self._dead

    @property
    def tombstones(self) -> int:
        """Vectors that were deleted or replaced since it was trained."""
        return self._dead

    def numbers(self) -> Numbers:
        """Photo numbers that can be found, rising."""
        return self._numbers[self._living()]

    def buried(self) -> Numbers:
        """Photo numbers that are tombstones, rising."""
        return self._numbers[~self._living()]

    def remove(self, numbers: Numbers) -> None:
        """Make tombstones of those of these photos that are here."""
        rows = self._rows(np.unique(numbers))
        living = self._living()
        living[rows] = False
        self._alive = np.packbits(living, bitorder="little")
        self._dead = self.head.count - int(living.sum())

    def nearest(self, query: Floats, k: int) -> Near:
        """The ``k`` nearest, or all there are; in all lists when the likely ones hold too few."""
        wanted = min(k, self.count)
        if not wanted:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        turned = query @ self._rotation
        asked = min(self.head.count, max(self.head.candidates, 4 * k))
        alive = self._alive if self._dead else None
        rows = looked_into(
            self._lists, turned, likely(self._centres @ turned, self.head.reach, self.head.most, k), asked, alive
        )
        if len(rows) < wanted:
            rows = looked_into(self._lists, turned, np.arange(self.head.lists), asked, alive)
        cosines = self._exactly(rows, query)
        best = np.argsort(-cosines, kind="stable")[:wanted]
        return cosines[best], self._numbers[rows[best]]

    def _exactly(self, rows: npt.NDArray[np.int64], query: Floats) -> Floats:
        return np.asarray(self._halves.sa_decode(self._vectors[rows]) @ query, np.float32)

    def rest(self) -> None:
        """Give the pages of vectors back that searches have touched; the next ones map them anew."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def pieces(self) -> Iterator[tuple[Numbers, Halves]]:
        """All (numbers, vectors) that are no tombstones, some thousands at a time."""
        living, size = self._living(), 2 * self.head.dim
        for first in range(0, self.head.count, _PIECE):
            kept = living[first : first + _PIECE]
            data = os.pread(self._file.fileno(), len(kept) * size, self._start + first * size)
            if len(data) != len(kept) * size:
                raise Unusable("the file was cut short while it was in use")
            vectors = np.frombuffer(data, "<f2").reshape(len(kept), self.head.dim)
            yield self._numbers[first : first + _PIECE][kept], vectors[kept]

    def proven(self) -> bool:
        """Whether the first and the last vector find themselves."""
        for row in np.flatnonzero(self._living())[[0, -1]] if self.count else ():
            vector = self._vectors[row].view("<f2").astype(np.float32)
            if self.nearest(vector, 1)[0][0] < vector @ vector - _NEAR:
                return False
        return True

    def _living(self) -> npt.NDArray[np.bool_]:
        return np.unpackbits(self._alive, count=self.head.count, bitorder="little").astype(bool)

    def _rows(self, numbers: Numbers) -> npt.NDArray[np.int64]:
        """Rows of those of ``numbers`` that are in the file."""
        places = np.minimum(np.searchsorted(self._numbers, numbers), max(0, self.head.count - 1))
        return places[self._numbers[places] == numbers] if self.head.count else places[:0]
