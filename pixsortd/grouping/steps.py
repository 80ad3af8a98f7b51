"""The phases of one clustering, from a file of vectors to described groups."""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pixsortd.grouping import judging, levelled
from pixsortd.grouping.cluster import Clusters, cluster, cluster_plainly
from pixsortd.grouping.describe import describe
from pixsortd.grouping.identity import Assignment, match
from pixsortd.grouping.kept import graph
from pixsortd.grouping.neighbours import Graph
from pixsortd.grouping.packing import hashes, numbers
from pixsortd.grouping.points import Points
from pixsortd.grouping.request import GRAPH, LEVELS, FoundGroup, Request
from pixsortd.grouping.rows import CACHEFUL, Array
from pixsortd.records import Selection, Weights


class Rows(NamedTuple):
    """What is clustered, by rising hash, so that the order of arrival changes nothing."""

    contents: list[bytes]
    vectors: Array
    places: Array
    """Where each of them is in the request."""


def read(request: Request) -> Rows:
    """The usable vectors. Raises ``OSError`` or ``ValueError`` for a file that does not fit the request."""
    photos = hashes(request.contents)
    stored = np.load(request.vectors, mmap_mode="r", allow_pickle=False)
    if stored.ndim != 2 or len(stored) != len(photos):
        raise ValueError(f"{len(photos)} photos do not fit vectors of shape {stored.shape}")
    if len(set(photos)) != len(photos):
        raise ValueError("a photo is named twice")
    order = np.array(sorted(range(len(stored)), key=photos.__getitem__), np.int64)
    usable = np.concatenate(
        [np.zeros(0, bool)] + [_usable(stored[order[s : s + CACHEFUL]]) for s in range(0, len(order), CACHEFUL)]
    )
    kept = order[usable]
    return Rows([photos[row] for row in kept], stored[kept], kept)


def _usable(rows: Array) -> Array:
    wide = np.asarray(rows, np.float64)
    squares = np.einsum("ij,ij->i", wide, wide)
    usable: Array = np.isfinite(squares) & (squares > 0)
    return usable


def taught(rows: Rows, request: Request) -> judging.Outcome:
    """What the user's edits teach of likeness."""
    return judging.learned(rows.contents, rows.vectors, request.lessons, request.use_learned)


def seen(rows: Rows, taught: judging.Outcome) -> Rows:
    """The rows as they are clustered: through the learned likeness, if it is to be used."""
    return rows if taught.likeness is None else rows._replace(vectors=taught.likeness.applied(rows.vectors))


_CLUSTERINGS = {Weights.SHARED: cluster, Weights.PLAIN: cluster_plainly}


def cluster_rows(rows: Rows, request: Request) -> Clusters:
    """The clustering that the request's parameters ask for."""
    return _CLUSTERINGS[request.weights](
        rows.vectors,
        request.min_cluster_size,
        request.min_samples,
        request.metric,
        graph_of=lambda points, need: _graph(rows, request, points, need),
        links=linked(rows, request),
        selection=request.selection,
        epsilon=request.epsilon,
    )


def _graph(rows: Rows, request: Request, points: Points, need: int) -> Graph:
    """The neighbour graph: the last run's patched where it was kept."""
    path = Path(request.kept) / GRAPH if request.kept else None
    return graph(path, rows.contents, rows.vectors, points, need)


def linked(rows: Rows, request: Request) -> list[tuple[int, int]]:
    """Pairs of rows that chain together what the user keeps together."""
    row_of = {int(place): row for row, place in enumerate(rows.places)} if request.together else {}
    units = ([row_of[place] for place in numbers(unit) if place in row_of] for unit in request.together)
    return [pair for unit in units for pair in pairwise(unit)]


def keep(rows: Rows, clusters: Clusters, request: Request, at: float) -> None:
    """Keep the tree for coarser and finer views. It is disposable: where it cannot be written the last one stays."""
    times = np.frombuffer(request.times, "<f8") if request.times else np.full(len(rows.places), np.nan)
    try:
        levelled.save(
            Path(request.kept) / LEVELS,
            space=request.space,
            at=at,
            contents=rows.contents,
            vectors=rows.vectors,
            times=times[rows.places] if request.times else times,
            graph=clusters.graph,
            spanning=clusters.spanning,
            labels=clusters.labels,
        )
    except OSError as error:
        sys.stderr.write(f"the tree could not be kept: {error}\n")


def matched(rows: Rows, clusters: Clusters, request: Request) -> Assignment:
    """Ids for the clusters, by label."""
    found = [frozenset(rows.contents[row] for row in members) for members in _members(clusters)]
    photos = hashes(request.contents)

    def named(groups: Mapping[str, bytes]) -> dict[str, list[bytes]]:
        return {group: [photos[row] for row in numbers(packed)] for group, packed in groups.items()}

    return match(named(request.previous), found, request.touched, named(request.exemplars), request.merged)


def described(rows: Rows, clusters: Clusters, ids: Sequence[str]) -> tuple[FoundGroup, ...]:
    """The groups, the largest first, with the why of every member."""
    groups = []
    for label, members in enumerate(_members(clusters)):
        strengths = clusters.strengths[members]
        seen = describe(rows.vectors[members], strengths)
        places = rows.places[members].astype("<i4")
        groups.append(
            FoundGroup(
                id=ids[label],
                rows=places.tobytes(),
                strengths=strengths.astype("<f4").tobytes(),
                nearest=places[seen.nearest].tobytes(),
                similarities=seen.similarity.astype("<f4").tobytes(),
                exemplars=tuple(rows.contents[members[i]] for i in seen.exemplars),
                floor=seen.floor,
                cohesion=clusters.cohesions[label],
            )
        )
    return tuple(groups)


def method(request: Request, taught: judging.Outcome, proved: float | None = None) -> str:
    """The clustering in words, for people and for comparing runs."""
    learned = "" if taught.likeness is None else f"a likeness learned from {taught.learning.edits} edits, "
    what = "shared neighbours by" if request.weights is Weights.SHARED else "plain"
    listed = "" if proved is None else f"; {int(proved * 1000) / 10:g} % proved by the lists of neighbours"
    searched = ", the rest by comparing all pairs" if proved is not None and proved < 1 else ""
    return (
        f"{learned}{what} {request.metric} distance, HDBSCAN {version('hdbscan')} with "
        f"min_cluster_size={request.min_cluster_size} and min_samples={request.min_samples}"
        + (f", {request.selection} clusters" if request.selection is not Selection.EOM else "")
        + (f", undivided below {request.epsilon:g}" if request.epsilon else "")
        + listed
        + searched
    )


def _members(clusters: Clusters) -> list[Array]:
    """Rows of each label, rising."""
    return [np.flatnonzero(clusters.labels == label) for label in range(len(clusters.cohesions))]
