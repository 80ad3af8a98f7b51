"""Fewer dimensions before clustering: principal directions, then for the cosine unit length again.

Density means little in 512 to 1280 dimensions, and the tree searches of HDBSCAN stop saving work
there. Principal component analysis keeps the directions in which photos differ most. The points
that come out are compared by straight distance, with a tree and never as a matrix of all pairs;
what that distance means is the metric's choice:

- cosine: vectors are taken at unit length, and points are divided by their length. A distance is
  then the angle seen from the centre of the library, which separates subjects better than the
  angle seen from the origin, because all embeddings of one model share a large common part.
- euclidean: vectors are taken as they are stored, and points stay where the projection puts them.
  A distance is then that of the vectors, less what lies outside the principal directions: photos
  near the centre, of which there is nothing special to say, lie close together and far from none.

Clustering itself needs no projection any more: it weighs the neighbour graph of the vectors anew
(:mod:`.reweight`), which agrees better with labelled photos.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.records import BatchMetric

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

NEAR_CENTRE = 0.5
"""Photos nearer to the centre than this share of the farthest are not pushed out to unit length.
Where one subject makes up most of a library the centre lies inside it, and only noise would be left of it."""

BLOCK = 4096
"""Rows widened to float64 at a time."""

_RELATIVE_NOISE = 1e-9
"""Directions with a smaller share of the largest variance hold rounding errors only."""


def unit(rows: Array) -> Floats:
    """Rows as float64 of length one; a row without length stays zero."""
    wide = np.asarray(rows, np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    scaled: Floats = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    return scaled


def _wide(rows: Array) -> Floats:
    """Rows as float64."""
    return np.asarray(rows, np.float64)


def _on_the_sphere(points: Floats) -> Floats:
    """Points divided by their length, in place."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    points /= np.maximum(length, NEAR_CENTRE * length.max())
    return points


def _in_place(points: Floats) -> Floats:
    """Points as they are."""
    return points


class Geometry(NamedTuple):
    """What a metric makes of vectors and of projected points, so that straight distance means it."""

    taken: Callable[[Array], Floats]
    placed: Callable[[Floats], Floats]


GEOMETRIES: Mapping[BatchMetric, Geometry] = {
    BatchMetric.COSINE: Geometry(unit, _on_the_sphere),
    BatchMetric.EUCLIDEAN: Geometry(_wide, _in_place),
}


def reduced(vectors: Array, dimensions: int, metric: BatchMetric = BatchMetric.COSINE) -> Floats:
    """[n, at most ``dimensions``] points whose distances mean ``metric``, for cosine of length at most one.

    Deterministic for the same rows in the same order.

    ``vectors`` may be a memory map: one block of it at a time is widened to float64.
    Photos that are all alike come back with no columns.
    """
    geometry = GEOMETRIES[metric]
    count, dim = vectors.shape
    total, squares = np.zeros(dim), np.zeros((dim, dim))
    for rows in blocks(vectors, geometry.taken):
        total += rows.sum(0)
        squares += rows.T @ rows
    centre = total / max(count, 1)
    directions = _principal(squares - count * np.outer(centre, centre), dimensions)
    projected = [np.empty((0, directions.shape[1]))]
    projected += [(rows - centre) @ directions for rows in blocks(vectors, geometry.taken)]
    out: Floats = np.concatenate(projected)
    return geometry.placed(out) if out.size else out


def blocks(vectors: Array, taken: Callable[[Array], Floats] = unit) -> Iterator[Floats]:
    """All rows in their order, as ``taken`` makes them (at unit length), a block at a time."""
    for start in range(0, len(vectors), BLOCK):
        yield taken(vectors[start : start + BLOCK])


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
