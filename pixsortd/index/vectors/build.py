"""Making the inverted tier: which directions, which lists, how many of them to look into.

Everything is chosen by measurement on photos that were left out of the training.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import faiss
import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.index.vectors.inverted import MAGIC, TUNED, Head, centres_of, likely, looked_into
from pixsortd.index.vectors.tier import Floats, Halves, Numbers
from pixsortd.sealed import Buffer, sealed

GOAL = 0.992
"""Least recall to train for. Measured on ``_ASKED`` photos it is right within 0.002, so 0.99 is kept."""
CANDIDATES = 64
"""Photos that are compared exactly: half as many lose neighbours, twice as many cost more than they find."""
_DIRECTIONS = (128, 256, 512, 1024)
_ASKED = 400
_SAMPLE = 50_000
"""Vectors that the directions are worked out from."""
_PER_LIST, _ROUNDS = 64, 10
"""Vectors a list and rounds of k-means; more of either changed nothing."""
_PIECE = 8192
_TIE = 1e-4
"""Cosines that differ less are equal: copies of a photo stand for one another."""

Progress = Callable[[int, int, str], None]


class Coded(NamedTuple):
    """Lists over some directions, and what they find."""

    rotation: Floats
    lists: Any
    reach: float
    most: int
    probes: float
    recall: float


class _Exam(NamedTuple):
    """Photos asked for their neighbours, and the least cosine of the true ones."""

    rows: npt.NDArray[np.int64]
    queries: Floats
    least: Floats


def built(space: bytes, epoch: bytes, numbers: Numbers, vectors: Halves, progress: Progress) -> list[Buffer]:
    """The parts of the inverted tier's file, of unit vectors by row and their photos' numbers.

    At least ``TUNED`` + 1 vectors. Deterministic but for the file's id.
    """
    order = np.argsort(numbers)
    numbers, vectors = numbers[order], vectors[order]
    progress(0, 4, "looking for the directions in which the photos differ")
    exam, rest = _exam(vectors)
    directions = _directions(vectors, rest)
    progress(1, 4, "sorting the photos into lists")
    coded = _coded(vectors, rest, directions, exam, progress)
    progress(3, 4, "writing the file")
    lists = faiss.serialize_index(coded.lists)
    head = Head(
        space=space,
        epoch=epoch,
        id=os.urandom(16),
        count=len(numbers),
        dim=vectors.shape[1],
        reduced=coded.rotation.shape[1],
        lists=coded.lists.nlist,
        reach=coded.reach,
        most=coded.most,
        probes=coded.probes,
        candidates=CANDIDATES,
        recall=coded.recall,
        bytes=len(lists),
    )
    arrays: list[Any] = [
        coded.rotation.astype("<f4"),
        numbers.astype("<i8"),
        lists,
        np.ascontiguousarray(vectors, "<f2"),
    ]
    body = [memoryview(array).cast("B") for array in arrays]
    return sealed(MAGIC, msgspec.msgpack.encode(head), body)


def _coded(vectors: Halves, rest: npt.NDArray[np.int64], directions: Floats, exam: _Exam, progress: Progress) -> Coded:
    """Lists over as few directions as reach the goal when every list is looked into, and the least reach that does."""
    dim = vectors.shape[1]
    for reduced in (*(count for count in _DIRECTIONS if count < dim), dim):
        rotation = np.ascontiguousarray(directions[:, :reduced])
        lists = _lists(vectors, rest, rotation)
        everywhere = [np.arange(lists.nlist)] * len(exam.rows)
        if reduced == dim or _recall(vectors, exam, rotation, lists, everywhere) >= GOAL:
            break
    progress(2, 4, "measuring how many lists a search needs")
    likeness = exam.queries @ rotation @ centres_of(lists).T
    gaps = likeness.max(axis=1, keepdims=True) - likeness
    for most in (max(1, lists.nlist // 3), lists.nlist):
        share = min(1.0, 4.0 / lists.nlist)
        while True:
            reach = float(np.quantile(gaps, share))
            chosen = [likely(row, reach, most, TUNED) for row in likeness]
            recall = _recall(vectors, exam, rotation, lists, chosen)
            if recall >= GOAL or share == 1.0:
                break
            share = min(1.0, share * 1.1)
        if recall >= GOAL:
            break
    return Coded(rotation, lists, reach, most, float(np.mean([len(some) for some in chosen])), recall)


def _exam(vectors: Halves) -> tuple[_Exam, npt.NDArray[np.int64]]:
    """Photos to ask, spread over all by a seed, with the truth by comparing all; and the other rows."""
    count = len(vectors)
    chosen = np.sort(np.random.default_rng(0).choice(count, min(_ASKED, max(1, count // 10)), replace=False))
    queries = _finite(vectors[chosen])
    best = np.full((len(chosen), 0), -np.inf, np.float32)
    for first in range(0, count, _PIECE):
        cosines = queries @ _finite(vectors[first : first + _PIECE]).T
        own = np.flatnonzero((chosen >= first) & (chosen < first + _PIECE))
        cosines[own, chosen[own] - first] = -np.inf
        best = np.concatenate([best, cosines], axis=1)
        best = -np.partition(-best, TUNED - 1, axis=1)[:, :TUNED]
    return _Exam(chosen, queries, best.min(axis=1)), np.setdiff1d(np.arange(count), chosen)


def _directions(vectors: Halves, rest: npt.NDArray[np.int64]) -> Floats:
    """Directions by falling share of the squared lengths, a column each (Eckart and Young, 1936).

    Not those of the differences from the mean: these keep inner products, which cosines are, best.
    """
    sample = rest[:: max(1, len(rest) // _SAMPLE)]
    moments = np.zeros((vectors.shape[1],) * 2, np.float64)
    for first in range(0, len(sample), _PIECE):
        rows = _finite(vectors[sample[first : first + _PIECE]])
        moments += rows.T @ rows
    _, found = np.linalg.eigh(moments)
    return np.ascontiguousarray(found[:, ::-1], np.float32)


def _lists(vectors: Halves, rest: npt.NDArray[np.int64], rotation: Floats) -> Any:
    """All vectors in about twice the root of their number of lists; ids are rows."""
    count, reduced = len(vectors), rotation.shape[1]
    wanted = max(1, round(2 * count**0.5))
    turned = np.empty((count, reduced), np.float32)
    for first in range(0, count, _PIECE):
        turned[first : first + _PIECE] = _finite(vectors[first : first + _PIECE]) @ rotation
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(reduced),
        reduced,
        wanted,
        faiss.ScalarQuantizer.QT_8bit_uniform,
        faiss.METRIC_INNER_PRODUCT,
        False,  # codes of the vectors themselves: differences from the centres would be decoded list by list
    )
    lists.cp.spherical, lists.cp.niter, lists.cp.max_points_per_centroid = True, _ROUNDS, _PER_LIST
    lists.cp.min_points_per_centroid = 1  # small libraries are trained in tests only, and need no warning
    lists.train(turned[rest[:: max(1, len(rest) // (_PER_LIST * wanted))]])
    lists.add(turned)
    return lists


def _recall(
    vectors: Halves, exam: _Exam, rotation: Floats, lists: Any, chosen: Sequence[npt.NDArray[np.int64]]
) -> float:
    """Mean share of the true nearest among the candidates of each one's lists; copies count for one another."""
    right, asked = 0, min(CANDIDATES, len(vectors))
    for query, turned, row, some, least in zip(
        exam.queries, exam.queries @ rotation, exam.rows, chosen, exam.least, strict=True
    ):
        found = looked_into(lists, turned, some, asked)
        right += min(TUNED, int((_finite(vectors[found[found != row]]) @ query >= least - _TIE).sum()))
    return right / (TUNED * len(exam.rows))


def _finite(rows: Halves) -> Floats:
    """As float32; what is no number is nothing, so that one broken vector does not spoil the rest."""
    return np.nan_to_num(rows.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
