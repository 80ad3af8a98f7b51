"""Groups of a library: density on a neighbour graph that is weighed anew, and the cases where density misleads.

The steps: the exact graph of nearest neighbours, new weights from shared neighbours (:mod:`.reweight`), the
spanning tree of mutual reachability (:mod:`.spanning`), HDBSCAN's own choice of clusters (:mod:`.density`), and
then who of them is a member (:mod:`.members`).

How the numbers were chosen: parts of 17 labelled classes were drawn, 6 to 13 of them, every other part with
6 to 28 photos a class, and loners up to three in ten; 12 parts on each of two backbones and 5 on ``builtin``. The
mean of the adjusted Rand index less a tenth of the share of loners drawn in led the choice, over the numbers
of :mod:`.reweight` and :mod:`.members` and ``min_samples``: over all that were tried it ran from 0.77 to 0.80. The
figure on all classes of the first backbone was looked at too, and among settings within 0.005 of the best it decided:
it is no unseen set, and nearby settings have 0.90 to 0.935 there. There the index is 0.93 at 7 of 40 loners drawn
in, where HDBSCAN on the vectors has 0.66 at 2, on 32 principal components 0.88 at 1, and on UMAP 0.90 at 33. On ten
other parts of the same classes it is 0.94 at 9 of 100 loners, on the second backbone 0.90 at 17 and on ``builtin``
0.37 at 52.
``python -m tests.bench groups`` measures it.

Papers: Campello, Moulavi and Sander 2013; McInnes, Healy and Astels 2017 (the ``hdbscan`` package).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pixsortd.grouping.density import extract
from pixsortd.grouping.members import Labels, Membership, settled
from pixsortd.grouping.neighbours import Graph, built
from pixsortd.grouping.points import SCALES, Points, Singles, placed
from pixsortd.grouping.reweight import FAR, reweighed, width
from pixsortd.grouping.rows import Array, Floats
from pixsortd.grouping.spanning import Spanning, completed, mutual, tree
from pixsortd.records import BatchMetric, Selection

ALIKE = 0.9
"""Cosine from which photos are look-alikes in every space: unrelated ones stay below 0.8."""


_PLAIN_NEIGHBOURS = 16
"""Entries of a photo's list where distances alone count: they prove nearly all of the tree."""


class Clusters(NamedTuple):
    """A clustering by row."""

    labels: Labels
    """0 for the first cluster and so on, the largest first; -1 for ungrouped."""
    strengths: Floats
    """0 to 1, how firmly a row belongs; 0 for ungrouped."""
    cohesions: tuple[float, ...]
    """Mean over the members, by label."""
    spanning: Spanning
    """The tree that all coarser and finer clusters are cut from."""
    graph: Graph
    """The nearest rows of every row, in the metric that was asked for."""
    proved: float | None = None
    """Share of the tree that the graph alone proves to be that of all pairs; None where weights know only the graph."""


def cluster(
    vectors: Array,
    min_cluster_size: int,
    min_samples: int,
    metric: BatchMetric = BatchMetric.COSINE,
    graph_of: Callable[[Points, int], Graph] = built,
    links: Sequence[tuple[int, int]] = (),
    selection: Selection = Selection.EOM,
    epsilon: float = 0.0,
) -> Clusters:
    """Group rows by density. The outcome depends on the order of rows only where distances tie.

    ``graph_of`` gives the graph of points, complete in as many columns as it is asked for. ``links`` are pairs of
    rows that belong together. ``epsilon`` is in the new weights, 0 to 1: clusters below it are
    not divided. Memory grows with the rows, not their pairs.

    ``allow_single_cluster`` stays off: with it, HDBSCAN takes an ordinary library for one group. What
    that misses, a library that is mostly one burst, is put together by :func:`_lump`: nothing is
    left to tell it apart from, and density would only divide its noise.
    """
    points = placed(vectors, metric)
    wide = width(min_samples, len(vectors))
    graph = graph_of(points, wide)
    neighbours, halves = graph.neighbours[:, :wide], SCALES[metric].halves(graph.distances[:, :wide])
    spanning = tree(reweighed(neighbours, halves, min_samples), links, far=FAR)
    least = max(min_cluster_size, 2)
    faces = points if metric is BatchMetric.COSINE else placed(vectors, BatchMetric.COSINE)
    closeness = _lump(faces.rows, least)
    found = extract(spanning, least, selection, epsilon)
    lumped, labels = closeness > 0.0, found.labels.copy()
    labels[lumped] = labels.max(initial=-1) + 1
    held = Membership(labels, np.where(lumped, closeness, found.strengths))
    return _by_size(faces.rows, settled(points, neighbours, halves, held, least), spanning, graph)


def cluster_plainly(
    vectors: Array,
    min_cluster_size: int,
    min_samples: int,
    metric: BatchMetric = BatchMetric.COSINE,
    graph_of: Callable[[Points, int], Graph] = built,
    links: Sequence[tuple[int, int]] = (),
    selection: Selection = Selection.EOM,
    epsilon: float = 0.0,
) -> Clusters:
    """What HDBSCAN itself finds, from the graph: the same as of all pairs, but for ties.

    Parameters are those of :func:`cluster`; ``epsilon`` is a distance here. What the graph does not prove is
    looked for among all pairs.
    """
    points = placed(vectors, metric)
    wide = min(max(_PLAIN_NEIGHBOURS, min_samples), max(len(vectors) - 1, 0))
    graph = graph_of(points, wide)
    edges = mutual(graph, min_samples, wide)
    listed = tree(edges, links, points)
    spanning = completed(listed, points, edges.core)
    found = extract(spanning, max(min_cluster_size, 2), selection, epsilon)
    faces = points if metric is BatchMetric.COSINE else placed(vectors, BatchMetric.COSINE)
    clusters = _by_size(faces.rows, Membership(found.labels, found.strengths), spanning, graph)
    return clusters._replace(proved=listed.proved)


def cohesions(rows: Singles, whole: Floats, count: int) -> Floats:
    """(a - b) / (1 - b) for each member: a its mean cosine to the other members, b to all outsiders.

    ``rows`` are the members at unit length, at least two; ``whole`` is the sum of all ``count`` photos' rows.
    Without outsiders b is 0.
    """
    size, inside = len(rows), rows.sum(0, dtype=np.float64)
    toward = rows @ np.stack([inside, whole - inside], 1).astype(np.float32)
    within, across = (toward[:, 0] - 1.0) / (size - 1), toward[:, 1] / max(count - size, 1)
    held: Floats = ((within - across) / np.maximum(1.0 - across, 1e-9)).astype(np.float64)
    return held


def _by_size(faces: Singles, held: Membership, spanning: Spanning, graph: Graph) -> Clusters:
    """Relabelled, the largest first, ties by the first row."""
    whole, count = faces.sum(0, dtype=np.float64), len(faces)
    order = np.argsort(held.labels, kind="stable")[np.count_nonzero(held.labels < 0) :]
    groups = np.split(order, np.flatnonzero(np.diff(held.labels[order])) + 1) if len(order) else []
    groups.sort(key=lambda rows: (-len(rows), int(rows[0])))
    renamed = np.full(count, -1)
    for new, rows in enumerate(groups):
        renamed[rows] = new
    cohesive = tuple(float(cohesions(faces[rows], whole, count).mean()) for rows in groups)
    return Clusters(renamed, held.strengths, cohesive, spanning, graph)


def _lump(faces: Singles, min_cluster_size: int) -> Floats:
    """Closeness to the common direction for the rows of a look-alike majority, 0 for all others.

    Rows of pairwise cosine ``ALIKE`` lie at its square root from their common direction.
    """
    count, closeness = len(faces), np.ones(len(faces))
    if count < min_cluster_size:
        return np.zeros(count)
    for _ in range(3):  # once to find the common direction, then without those that bent it
        middle = faces.sum(0, dtype=np.float64, where=(closeness > 0.0)[:, None])
        middle /= max(float(np.linalg.norm(middle)), 1e-9)
        closeness = (faces @ middle.astype(np.float32)).astype(np.float64).clip(0.0, 1.0)
        closeness[closeness < ALIKE**0.5] = 0.0
        if np.count_nonzero(closeness) < max(min_cluster_size, count / 2):
            return np.zeros(count)
    return closeness
