"""Rows placed so that straight distance means the metric, and exact distances between them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.rows import CACHEFUL, TAKEN, Array
from pixsortd.records import BatchMetric

Singles = npt.NDArray[np.float32]

PAIRS = 2048
"""Pairs of rows that are compared at a time; their differences stay in the processor's cache."""


class Scale(NamedTuple):
    """How a metric's distances and halves of squared differences become each other; both rise together."""

    distances: Callable[[Singles], Singles]
    halves: Callable[[Singles], Singles]


SCALES: Mapping[BatchMetric, Scale] = {
    BatchMetric.COSINE: Scale(np.positive, np.positive),
    BatchMetric.EUCLIDEAN: Scale(
        lambda halves: np.sqrt(halves + halves), lambda apart: np.square(apart) * np.float32(0.5)
    ),
}


class Points(NamedTuple):
    """Rows as float32, at unit length for the cosine."""

    rows: Singles
    lengths: Singles
    """Half of each row's squared length."""
    margin: float
    """What :meth:`closeness` may be off by, whatever order the processor adds in."""
    metric: BatchMetric

    def distances(self, first: Array, second: Array) -> Singles:
        """Between paired rows: Euclidean, or one less the cosine as half of a squared difference.

        Differences are squared and never products subtracted, so that copies are at exactly 0 and nothing cancels;
        the same pair gives the same bits, whichever way round and in whatever company it is asked.
        """
        halves = np.empty(len(first), np.float32)
        for start in range(0, len(first), PAIRS):
            difference = self.rows[first[start : start + PAIRS]]
            difference -= self.rows[second[start : start + PAIRS]]
            np.einsum("ij,ij->i", difference, difference, out=halves[start : start + PAIRS])
        halves *= np.float32(0.5)
        return SCALES[self.metric].distances(halves)

    def halves(self, distances: Array) -> Singles:
        """Distances as halves of squared differences, and what those may be off by added: the least that is safe."""
        wide = SCALES[self.metric].halves(np.asarray(distances, np.float32))
        safe: Singles = wide * np.float32(1 + 1e-6) + np.float32(self.margin)
        return safe

    def closeness(self, first: Array | slice, second: Array | slice) -> Singles:
        """[first, second] halves of squared differences, negative, so that the nearest are largest. Fast, not exact."""
        products: Singles = self.rows[first] @ self.rows[second].T
        products -= self.lengths[first][:, None]
        products -= self.lengths[second]
        return products

    def ordered(self, order: Array) -> "Points":
        """The same rows in another order."""
        return self._replace(rows=self.rows[order], lengths=self.lengths[order])


def placed(vectors: Array, metric: BatchMetric) -> Points:
    """The rows in the metric's geometry. ``vectors`` may be a memory map: a block at a time is widened."""
    rows = np.empty(vectors.shape, np.float32)
    for start in range(0, len(rows), CACHEFUL):
        rows[start : start + CACHEFUL] = TAKEN[metric](vectors[start : start + CACHEFUL])
    lengths = np.einsum("ij,ij->i", rows, rows) / np.float32(2)
    rounding = (vectors.shape[1] + 8) * float(np.finfo(np.float32).eps)
    return Points(rows, lengths, 2 * rounding * float(lengths.max(initial=0.0)), metric)
