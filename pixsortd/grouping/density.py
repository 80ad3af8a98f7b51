"""Clusters from a spanning tree: the ``hdbscan`` package's own condensing and selecting.

Papers: Campello, Moulavi and Sander 2013; McInnes, Healy and Astels 2017; Malzer and Baum 2019 (epsilon).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.compiled import compute_stability, condense_tree, get_clusters
from pixsortd.grouping.rows import Array, Floats
from pixsortd.grouping.spanning import Spanning
from pixsortd.records import Selection


class Extraction(NamedTuple):
    """Flat clusters, and the tree they were taken from."""

    labels: npt.NDArray[np.int64]
    """[n], -1 for noise."""
    strengths: Floats
    """[n] 0 to 1, how long a row stays with its cluster; 0 for noise."""
    condensed: Array
    """Records (parent, child, lambda_val, child_size) as hdbscan makes them: rows are 0 to n - 1, the root is n."""


def extract(
    spanning: Spanning, min_cluster_size: int, method: Selection = Selection.EOM, epsilon: float = 0.0
) -> Extraction:
    """What HDBSCAN makes of the tree; clusters below the distance ``epsilon`` are not divided."""
    count = len(spanning.edges) + 1
    tree = condensed(spanning, min_cluster_size)
    if not len(tree):
        return Extraction(np.full(count, -1), np.zeros(count), tree)
    labels, strengths, _ = get_clusters(tree, compute_stability(tree), method.value, False, False, epsilon)
    return Extraction(np.asarray(labels, np.int64), np.asarray(strengths, np.float64), tree)


def condensed(spanning: Spanning, min_cluster_size: int) -> Array:
    """The condensed tree alone, as in ``Extraction``."""
    if not len(spanning.merges):
        return np.empty(0, [("parent", np.intp), ("child", np.intp), ("lambda_val", float), ("child_size", np.intp)])
    records: Array = condense_tree(spanning.merges, max(min_cluster_size, 2))
    return records
