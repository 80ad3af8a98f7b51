"""A likeness learned from pairs of photos: a linear map close to the identity. Pure.

It is that of relevant component analysis (Bar-Hillel, Hertz, Shental and Weinshall 2003): directions in
which photos that belong together differ count for less. Here those in which photos that do not belong
together differ count for a little more, and all is shrunk towards the plain embedding, the more so
the fewer edits there are. Closed form, low rank, and the same for the same pairs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.lessons import Lesson
from pixsortd.grouping.rows import Array, Floats, blocks, unit

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TOGETHER, APART = 0.6, 0.05
"""What differences within and between count, in shares of how photos differ anyway. Chosen on labelled photos:
from 0.3 to 1 the first hardly matters; counting the second as much as the first costs half of the groups."""

LARGEST = 2.0
"""No direction counts for more than this, squared."""

PRIOR = 5
"""Edits that the plain embedding counts for."""

RANK = 64
"""Most directions that the map changes."""


_NOTHING = 1e-6


class Pairs(NamedTuple):
    """Labelled pairs of rows."""

    photos: Rows
    others: Rows
    same: Flags
    edits: Rows
    """Which edit each comes from."""

    def where(self, chosen: Flags) -> "Pairs":
        """Some of them."""
        return Pairs(self.photos[chosen], self.others[chosen], self.same[chosen], self.edits[chosen])


class Likeness(NamedTuple):
    """x becomes x + (x - centre) directions (shares - 1) directions'."""

    centre: Floats
    """[dim], mean of the library's unit vectors: what all photos have in common stays as it is."""
    directions: Floats
    """[dim, rank], orthonormal."""
    shares: Floats
    """[rank], what each direction is multiplied by."""

    def applied(self, vectors: Array) -> Array:
        """[n, dim] of unit length, stored as they were given. A vector without length stays without one."""
        mapped = np.zeros_like(vectors)
        start = 0
        for rows in blocks(vectors):
            moved = unit(rows + self._change(rows - self.centre))
            here = rows.any(1)
            mapped[start : start + len(rows)][here] = moved[here]
            start += len(rows)
        return mapped

    def seen(self, points: Floats) -> Floats:
        """[..., dim] unit vectors seen from the centre, as they are after the map."""
        moved = (points + self._change(points)).reshape(-1, points.shape[-1])
        return unit(moved).reshape(points.shape)

    def _change(self, centred: Floats) -> Floats:
        added: Floats = ((centred @ self.directions) * (self.shares - 1.0)) @ self.directions.T
        return added


def pairs_of(contents: Sequence[bytes], given: Sequence[Lesson]) -> Pairs:
    """The lessons whose photos both are among ``contents``, by row there."""
    row = {photo: place for place, photo in enumerate(contents)}
    here = [lesson for lesson in given if lesson.photo in row and lesson.other in row]
    return Pairs(
        np.array([row[lesson.photo] for lesson in here], np.int64),
        np.array([row[lesson.other] for lesson in here], np.int64),
        np.array([lesson.same for lesson in here], bool),
        np.array([lesson.edit for lesson in here], np.int64),
    )


def centre_of(vectors: Array) -> Floats:
    """Mean of the unit vectors."""
    total = np.zeros(vectors.shape[1])
    for rows in blocks(vectors):
        total += rows.sum(0)
    return total / max(len(vectors), 1)


def fitted(points: Floats, pairs: Pairs, centre: Floats) -> Likeness:
    """The map that these pairs, of rows of ``points``, teach. The points are unit vectors seen from ``centre``."""
    dim, edits = points.shape[1], len(np.unique(pairs.edits))
    trust = edits / (edits + PRIOR)
    # Two unrelated points of unit length differ by 2 in all.
    scatter = trust * dim / 2.0 * (TOGETHER * _scatter(points, pairs, True) - APART * _scatter(points, pairs, False))
    weights, directions = np.linalg.eigh(scatter)
    order = np.argsort(-np.abs(weights), kind="stable")[:RANK]
    kept = order[np.abs(weights[order]) > _NOTHING]
    return Likeness(centre, directions[:, kept], np.maximum(1.0 + weights[kept], 1.0 / LARGEST) ** -0.5)


def _scatter(points: Floats, pairs: Pairs, same: bool) -> Floats:
    """Mean outer product of the differences; an edit of many pairs counts more than one of few, by the root."""
    chosen = pairs.where(pairs.same == same)
    _, of, counts = np.unique(chosen.edits, return_inverse=True, return_counts=True)
    weights = counts[of] ** -0.5
    differences = (points[chosen.photos] - points[chosen.others]) * np.sqrt(weights)[:, None]
    mean: Floats = differences.T @ differences / max(float(weights.sum()), 1e-12)
    return mean
