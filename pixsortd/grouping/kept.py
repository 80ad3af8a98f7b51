"""The neighbour graph between runs: a checksummed file that a run patches instead of building the graph anew.

A row is known again by its photo's hash and a mark of its vector, so that other weights, another
preprocessing or a learned metric never meet old distances. The file is disposable: whatever is wrong with
it, the graph is built as if there had been none.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.durable import write_private
from pixsortd.grouping.levels import rows_among
from pixsortd.grouping.neighbours import Graph, Rows, built, repaired
from pixsortd.grouping.points import Points
from pixsortd.grouping.rows import CACHEFUL, Array
from pixsortd.records import BatchMetric, Record
from pixsortd.sealed import checked, read_exactly, sealed

_MAGIC = b"PXSKNN01"
_SHA256 = 32
_SPARE = 8
"""Columns more than are needed, so that a list outlives some of its photos."""

Marks = npt.NDArray[np.uint64]


class _Head(Record, frozen=True, kw_only=True, omit_defaults=False):
    metric: BatchMetric
    count: int
    width: int


class Kept(NamedTuple):
    """A graph, and what its rows were."""

    hashes: Array
    """[n, 32] SHA-256 by row, rising."""
    marks: Marks
    graph: Graph
    metric: BatchMetric


def graph(path: Path | None, contents: Sequence[bytes], vectors: Array, points: Points, need: int) -> Graph:
    """The graph of ``vectors``, which ``points`` are made of, complete in ``need`` columns; kept at ``path`` if given.

    ``contents`` are the photos by rising hash. Where the last graph fits, only what came and went is worked on.
    Where the new file cannot be written the old one stays, and standard error is told: it is no reason not to group.
    """
    hashes, seen = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, _SHA256), marks(vectors)
    last = None if path is None else _last(path, points.metric, need)
    if last is None:
        fresh = built(points, need + _SPARE)
    else:
        fresh = repaired(last.graph, points, _origin(last, hashes, seen), need)
    if path is not None:
        try:
            save(path, Kept(hashes, seen, fresh, points.metric))
        except OSError as error:
            sys.stderr.write(f"the neighbour graph could not be kept: {error}\n")
    return fresh


def save(path: Path, kept: Kept) -> None:
    """Put the file in place. Raises ``OSError``."""
    count, width = kept.graph.neighbours.shape
    head = msgspec.msgpack.encode(_Head(metric=kept.metric, count=count, width=width))
    arrays = (
        kept.hashes,
        kept.marks.astype("<u8"),
        kept.graph.neighbours.astype("<i4"),
        kept.graph.distances.astype("<f4"),
    )
    write_private(path, b"".join(sealed(_MAGIC, head, [array.tobytes() for array in arrays])))


def load(path: Path) -> Kept:
    """What was saved. Raises ``OSError``, and ``ValueError`` for a damaged file."""
    with path.open("rb", buffering=0) as file:
        try:
            head = msgspec.msgpack.decode(checked(file, _MAGIC)[0], type=_Head)
        except msgspec.MsgspecError as error:
            raise ValueError("the file's head cannot be read") from error
        hashes = np.frombuffer(read_exactly(file, head.count * _SHA256), np.uint8).reshape(-1, _SHA256)
        seen = np.frombuffer(read_exactly(file, head.count * 8), "<u8")
        cells = (head.count, head.width)
        neighbours = np.frombuffer(read_exactly(file, head.count * head.width * 4), "<i4").reshape(cells)
        distances = np.frombuffer(read_exactly(file, head.count * head.width * 4), "<f4").reshape(cells)
    return Kept(hashes, seen, Graph(neighbours, distances), head.metric)


def marks(vectors: Array) -> Marks:
    """A number for every row's bytes; rows that differ have the same one by a chance of 2**-64 or so."""
    words = vectors.shape[1] * vectors.dtype.itemsize // 2
    odd = np.random.default_rng(0).integers(0, 2**63, words, np.uint64) * np.uint64(2) + np.uint64(1)
    found = np.zeros(len(vectors), np.uint64)
    for start in range(0, len(vectors), CACHEFUL):
        rows = np.ascontiguousarray(vectors[start : start + CACHEFUL]).view(np.uint16)
        found[start : start + CACHEFUL] = rows.astype(np.uint64) @ odd
    return found


def _last(path: Path, metric: BatchMetric, need: int) -> Kept | None:
    try:
        last = load(path)
    except (OSError, ValueError):
        return None
    return last if last.metric == metric and last.graph.neighbours.shape[1] >= need else None


def _origin(last: Kept, hashes: Array, seen: Marks) -> Rows:
    """Which row of the last graph each is, -1 for none."""
    origin = rows_among(last.hashes, hashes)
    origin[seen != np.append(last.marks, np.uint64(0))[origin]] = -1
    return origin
