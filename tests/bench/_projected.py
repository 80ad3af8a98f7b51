"""Principal directions at unit length, the space that plain HDBSCAN does best in: a contender.

Vectors are taken at unit length, and the projected points are divided by their length. A distance is then the angle
seen from the centre of the library, which separates subjects better than the angle seen from the origin,
because all embeddings of one model share a large common part.
"""

import numpy as np

from pixsortd.grouping.rows import Array, Floats, blocks

NEAR_CENTRE = 0.5
"""Photos nearer to the centre than this share of the farthest are not pushed out to unit length.
Where one subject makes up most of a library the centre lies inside it, and only noise would be left of it."""

_RELATIVE_NOISE = 1e-9
"""Directions with a smaller share of the largest variance hold rounding errors only."""


def reduced(vectors: Array, dimensions: int) -> Floats:
    """[n, at most ``dimensions``] points of length at most one; deterministic for the same rows in the same order."""
    count, dim = vectors.shape
    total, squares = np.zeros(dim), np.zeros((dim, dim))
    for rows in blocks(vectors):
        total += rows.sum(0)
        squares += rows.T @ rows
    centre = total / max(count, 1)
    directions = _principal(squares - count * np.outer(centre, centre), dimensions)
    projected = [np.empty((0, directions.shape[1]))]
    projected += [(rows - centre) @ directions for rows in blocks(vectors)]
    points: Floats = np.concatenate(projected)
    if points.size:
        length = np.linalg.norm(points, axis=1, keepdims=True)
        points /= np.maximum(length, NEAR_CENTRE * length.max())
    return points


def _principal(scatter: Floats, dimensions: int) -> Floats:
    """The directions of most variance as columns, each with its largest entry positive."""
    variance, directions = np.linalg.eigh(scatter)
    order = np.argsort(-variance, kind="stable")[:dimensions]
    # The scatter of unit rows sums to at most their number; below the first bound all photos are one.
    kept = order[variance[order] > max(_RELATIVE_NOISE * variance[order[0]], _RELATIVE_NOISE)]
    chosen = directions[:, kept]
    signs = np.sign(chosen[np.abs(chosen).argmax(0), np.arange(chosen.shape[1])])
    principal: Floats = chosen * signs
    return principal
