"""Rows placed so that straight distance means the metric, and exact distances between them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.reduce import GEOMETRIES, Array, blocks
from pixsortd.records import BatchMetric

Singles = npt.NDArray[np.float32]

PAIRS = 8192
"""Pairs of rows that are compared at a time."""

_FROM_SQUARES: Mapping[BatchMetric, Callable[[Singles], Singles]] = {
    BatchMetric.COSINE: lambda squares: np.multiply(squares, np.float32(0.5)),
    BatchMetric.EUCLIDEAN: np.sqrt,
}


class Points(NamedTuple):
    """Rows as float32, at unit length for the cosine."""

    rows: Singles
    metric: BatchMetric

    def distances(self, first: Array, second: Array) -> Singles:
        """Between paired rows: Euclidean, or one less the cosine as half of a squared difference.

        Differences are squared and never products subtracted, so that copies are at exactly 0 and nothing cancels;
        the same pair gives the same bits, whichever way round and in whatever company it is asked.
        """
        squares = np.empty(len(first), np.float32)
        for start in range(0, len(first), PAIRS):
            difference = self.rows[first[start : start + PAIRS]]
            difference -= self.rows[second[start : start + PAIRS]]
            np.einsum("ij,ij->i", difference, difference, out=squares[start : start + PAIRS])
        apart: Singles = _FROM_SQUARES[self.metric](squares)
        return apart


def placed(vectors: Array, metric: BatchMetric) -> Points:
    """The rows in the metric's geometry. ``vectors`` may be a memory map: a block at a time is widened."""
    rows = np.empty(vectors.shape, np.float32)
    start = 0
    for block in blocks(vectors, GEOMETRIES[metric].taken):
        rows[start : start + len(block)] = block
        start += len(block)
    return Points(rows, metric)
