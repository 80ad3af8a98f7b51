"""HDBSCAN on the reduced space, and the two cases where density misleads.

Papers: Campello, Moulavi and Sander 2013; McInnes, Healy and Astels 2017 (the ``hdbscan`` package).
"""

from typing import NamedTuple

import hdbscan
import numpy as np
import numpy.typing as npt

from pixsortd.grouping.reduce import Array, Floats, blocks, reduced
from pixsortd.records import BatchMetric

Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

COHERENT = 0.15
"""Least cohesion of a member. On small sets of labelled photos this keeps out more than half of the loners
that density draws in, at no loss of agreement with the labels; true groups mostly have 0.25 to 0.5."""

ALIKE = 0.9
"""Cosine from which photos are look-alikes in every space: unrelated ones stay below 0.8."""


class Clusters(NamedTuple):
    """A clustering by row."""

    labels: Labels
    """0 for the first cluster and so on, the largest first; -1 for ungrouped."""
    strengths: Floats
    """0 to 1, how firmly a row belongs; 0 for ungrouped."""
    cohesions: tuple[float, ...]
    """Mean over the members, by label."""


def cluster(
    vectors: Array,
    min_cluster_size: int,
    min_samples: int,
    dimensions: int,
    metric: BatchMetric = BatchMetric.COSINE,
) -> Clusters:
    """Group rows by density. The outcome depends on the order of rows only where distances tie.

    ``metric`` says what density is measured in; see :mod:`pixsortd.grouping.reduce`. Who stays in a
    group, and who is a look-alike, is asked in cosines either way. Memory grows with the rows, not their pairs.

    ``allow_single_cluster`` stays off: with it, HDBSCAN takes an ordinary library for one group. What
    that misses, a library that is mostly one burst, is taken out first by :func:`_lump`: nothing is
    left to tell it apart from, and density would only divide its noise.
    """
    count = len(vectors)
    labels, strengths = np.full(count, -1), np.zeros(count)
    if count < max(min_cluster_size, 2):
        return Clusters(labels, strengths, ())
    closeness = _lump(vectors, min_cluster_size)
    rest = np.flatnonzero(closeness == 0.0)
    labels[rest], strengths[rest] = _dense(vectors[rest], min_cluster_size, min_samples, dimensions, metric)
    lumped = closeness > 0.0
    labels[lumped], strengths[lumped] = labels.max() + 1, closeness[lumped]
    return _coherent(vectors, labels, strengths, max(min_cluster_size, 2))


def _dense(
    vectors: Array, min_cluster_size: int, min_samples: int, dimensions: int, metric: BatchMetric
) -> tuple[Labels, Floats]:
    """(labels, strengths) by HDBSCAN."""
    nothing = np.full(len(vectors), -1), np.zeros(len(vectors))
    if len(vectors) < min_cluster_size:
        return nothing
    points = reduced(vectors, dimensions, metric)
    if not points.shape[1]:
        return nothing
    model = hdbscan.HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        approx_min_span_tree=False,
        core_dist_n_jobs=1,  # more would be processes of their own, which outlive a cancelled run
    ).fit(points)
    return np.asarray(model.labels_, np.int64), np.asarray(model.probabilities_, np.float64)


def cohesions(rows: Array, whole: Floats, count: int) -> Floats:
    """(a - b) / (1 - b) for each member: a its mean cosine to the other members, b to all outsiders.

    ``rows`` are the members' vectors, at least two; ``whole`` is the sum of the unit vectors of all
    ``count`` photos. Without outsiders b is 0.
    """
    size, inside = len(rows), _sum(rows)
    outside = whole - inside
    within = np.concatenate([block @ inside - 1.0 for block in blocks(rows)]) / (size - 1)
    across = np.concatenate([block @ outside for block in blocks(rows)]) / max(count - size, 1)
    held: Floats = (within - across) / np.maximum(1.0 - across, 1e-9)
    return held


def _coherent(vectors: Array, labels: Labels, strengths: Floats, min_cluster_size: int) -> Clusters:
    """Without the members that are no nearer to their group than to the rest, and relabelled by size.

    Density alone also finds the rim where loners meet, and halves of one large lump. Who leaves
    changes what the others are compared with, so it is done until nobody leaves.
    """
    whole, count = _sum(vectors), len(vectors)
    kept: list[tuple[int, int, float, Rows]] = []
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == label)
        held = cohesions(vectors[members], whole, count)
        while len(members) >= min_cluster_size and held.min() < COHERENT:
            members = members[held >= COHERENT]
            held = cohesions(vectors[members], whole, count) if len(members) >= min_cluster_size else held
        if len(members) >= min_cluster_size:
            kept.append((-len(members), int(members[0]), float(held.mean()), members))
    kept.sort(key=lambda group: group[:2])
    renamed = np.full(count, -1)
    for new, (_, _, _, members) in enumerate(kept):
        renamed[members] = new
    return Clusters(renamed, np.where(renamed >= 0, strengths, 0.0), tuple(held for _, _, held, _ in kept))


def _lump(vectors: Array, min_cluster_size: int) -> Floats:
    """Closeness to the common direction for the rows of a look-alike majority, 0 for all others.

    Rows of pairwise cosine ``ALIKE`` lie at its square root from their common direction.
    """
    count, closeness = len(vectors), np.ones(len(vectors))
    for _ in range(3):  # once to find the common direction, then without those that bent it
        middle = _sum(vectors[closeness > 0.0])
        middle /= max(float(np.linalg.norm(middle)), 1e-9)
        closeness = np.concatenate([rows @ middle for rows in blocks(vectors)]).clip(0.0, 1.0)
        closeness[closeness < ALIKE**0.5] = 0.0
        if np.count_nonzero(closeness) < max(min_cluster_size, count / 2):
            return np.zeros(count)
    return closeness


def _sum(vectors: Array) -> Floats:
    total = np.zeros(vectors.shape[1])
    for rows in blocks(vectors):
        total += rows.sum(0)
    return total
