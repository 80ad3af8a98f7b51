"""How alike photos are, told so that the same figure means the same in every embedding space, and the tight levels.

A cosine of 0.75 is a chance meeting in one space and a copy in another. Here a likeness counts from the
background: 0 there, 1 for copies. The background is ``middle + 3 (middle - low)`` of the cosines of random
pairs, with their median and their 16 % quantile: three deviations above the middle, measured below it, because
the subjects that a library is full of only show above.

The cuts were chosen on the labelled photos (476, of 17 subjects and 40 loners), on bursts (35), and on six
altered copies each of 119 of the photos, with MobileNetV2 and with ``builtin``; between the rows of false
pairs (of two labels, joined directly or through others) and of all pairs joined, the two spaces agree:

========  =====================  ============  ==================================================
likeness  false / all pairs      found at      of altered copies, near-duplicates found
          MobileNetV2  builtin   that cut      recompressed, brighter, cropped (MobileNetV2; builtin)
========  =====================  ============  ==================================================
0.75      0 / 8        0 / 5     duplicates    0.92, 0.98, 0.96; 1.00, 1.00, 0.95
0.60      0 / 54       0 / 14
0.50      0 / 442      0 / 44    bursts        1.00, 1.00, 1.00; 1.00, 1.00, 0.97
0.40      0 / 1316     1 / 99    scenes
0.35      18 / 1955    18 / 183
0.30      171 / 2669   98 / 305
========  =====================  ============  ==================================================

All nine shots of a toy from moving viewpoints, 7 to 37 s apart, are linked at 0.40 with MobileNetV2 (six at
0.50), both exposures of a tripod shot at 0.75. Mirrored and grey copies are found as far as the space
sees them alike. Below the cut for duplicates a link counts only when each is among the ``WIDTH`` nearest of the other:
with ``builtin`` that keeps out eight in nine false pairs just below the cuts, and costs no true link with MobileNetV2.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pixsortd.grouping.layout import WIDTH
from pixsortd.grouping.linked import joined
from pixsortd.grouping.neighbours import NOBODY, Graph
from pixsortd.grouping.rows import CACHEFUL, Array, Floats, unit
from pixsortd.records import LevelName

FARTHEST = 0.8
"""The background is never put higher: in a library of one subject random pairs say nothing of strangers."""

_PAIRS = 50_000
_TIMED = frozenset({-1})

Labels = npt.NDArray[np.int32]


class Cut(NamedTuple):
    """What makes a level."""

    likeness: float
    """Photos at least this much alike are linked."""
    gap: float = np.inf
    """Seconds; a longer time without any photo divides a group."""


CUTS: Mapping[LevelName, Cut] = {
    LevelName.NEAR_DUPLICATE: Cut(0.75),
    LevelName.BURST: Cut(0.5, 30.0),
    LevelName.SCENE: Cut(0.4, 2 * 3600.0),
}
"""The finest first."""


class Links(NamedTuple):
    """A forest that joins the same photos at any likeness as all links do, the most alike first."""

    pairs: npt.NDArray[np.int32]
    """[e, 2], the smaller row first."""
    likeness: npt.NDArray[np.float32]


def background(vectors: Array) -> float:
    """The cosine that likeness counts from; the rows are in an order that says nothing of them, as by hash."""
    count = len(vectors)
    steps = range(1, min(count, 1 + -(-_PAIRS // max(count, 1))))
    chosen = np.arange(0, count, max(1, count * len(steps) // _PAIRS))
    parts = np.array_split(chosen, -(-len(chosen) // CACHEFUL)) if len(steps) else []
    cosines = [
        np.einsum("ij,ij->i", unit(vectors[part]), unit(vectors[(part + step) % count]))
        for step in steps
        for part in parts
    ]
    if not cosines:
        return 0.0
    low, middle = np.quantile(np.concatenate(cosines), (0.16, 0.5))
    return float(np.clip(middle + 3 * (middle - low), 0.0, FARTHEST))


def links(graph: Graph, base: float) -> Links:
    """The links down to the loosest cut. ``graph`` is in cosines of the vectors that ``base`` is the background of."""
    count, near = len(graph.neighbours), graph.neighbours[:, :WIDTH]
    kept = near != NOBODY
    likeness = ((1.0 - graph.distances[:, :WIDTH][kept] - base) / (1.0 - base)).astype(np.float32)
    ends = np.stack([np.nonzero(kept)[0], near[kept]], 1)
    alike = likeness >= CUTS[LevelName.SCENE].likeness
    ends, likeness = np.sort(ends[alike], 1), likeness[alike]
    _, first, times = np.unique(ends[:, 0].astype(np.int64) * count + ends[:, 1], return_index=True, return_counts=True)
    counts = (times == 2) | (likeness[first] >= CUTS[LevelName.NEAR_DUPLICATE].likeness)
    ends, likeness = ends[first[counts]], likeness[first[counts]]
    order = np.lexsort((ends[:, 1], ends[:, 0], -likeness))
    ends, likeness = ends[order], likeness[order]
    ranks = coo_array((np.arange(1.0, len(ends) + 1), ends.T), (count, count))
    chosen = np.sort(minimum_spanning_tree(ranks.tocsr()).data).astype(np.int64) - 1
    return Links(ends[chosen].astype(np.int32), likeness[chosen])


def level(found: Links, cut: Cut, times: Floats) -> Labels:
    """[n] the group of every row at that cut, -1 for rows of none; the group of the smallest row is 0.

    ``times`` are seconds, NaN for unknown. A photo without a time goes with the timed one of its
    group that links lead to first. The second that EXIF counts in makes no difference: photos of one
    second are never divided.
    """
    count, alike = len(times), int(np.searchsorted(-found.likeness, -cut.likeness, "right"))
    pairs = found.pairs[:alike]
    _, labels = connected_components(coo_array((np.ones(alike), pairs.T), (count, count)), directed=False)
    if np.isfinite(cut.gap):
        labels = _divided(labels, pairs, times, cut.gap)
    return numbered(labels)


def numbered(labels: Array) -> Labels:
    """The same groups in the order of their first rows, and -1 for rows that are alone."""
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    first = np.where((sizes > 1) & (labels[first] >= 0), first, len(labels))
    places = np.empty(len(first), np.int32)
    places[np.argsort(first, kind="stable")] = np.arange(len(first))
    places[first == len(labels)] = -1
    renamed: Labels = places[inverse]
    return renamed


def _divided(labels: Array, pairs: Array, times: Floats, gap: float) -> Array:
    """The groups divided where ``gap`` passes without a photo."""
    timed = np.flatnonzero(np.isfinite(times))
    timed = timed[np.lexsort((timed, times[timed], labels[timed]))]
    group = labels[timed]
    begins = np.ones(len(timed), bool)
    begins[1:] = (group[1:] != group[:-1]) | (np.diff(times[timed]) > gap)
    divided = np.full(len(labels), -1, np.int64)
    divided[timed] = np.cumsum(begins)
    count = int(labels.max(initial=-1)) + 1
    parts = np.bincount(group[begins], minlength=count)[labels]
    only = np.zeros(count, np.int64)
    only[group] = divided[timed]
    untimed = divided < 0
    divided = np.where(untimed & (parts == 0), len(labels) + 1 + labels, divided)
    divided = np.where(untimed & (parts == 1), only[labels], divided)
    for mixed in np.unique(labels[divided < 0]):
        _attach(divided, np.flatnonzero(labels == mixed), pairs[labels[pairs[:, 0]] == mixed])
    return divided


def _attach(divided: Array, rows: Array, pairs: Array) -> None:
    """Give the rows of one group that have no part that of the rows they are most alike to, in place."""
    timed = [int(row) for row in rows if divided[row] >= 0]
    chains: dict[int, list[int]] = {}
    for row in timed:
        chains.setdefault(int(divided[row]), []).append(row)
    marks = dict.fromkeys(timed, _TIMED)
    for members in joined(rows.tolist(), pairs.tolist(), together=chains.values(), have=marks, shun=marks):
        divided[members] = next(divided[row] for row in members if divided[row] >= 0)
