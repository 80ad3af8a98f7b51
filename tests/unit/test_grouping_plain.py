"""Plain weights: what the hdbscan package finds."""

import hdbscan
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pixsortd.grouping.cluster import cluster_plainly
from pixsortd.grouping.rows import Array, unit
from pixsortd.records import BatchMetric, Selection
from tests.unit.test_grouping_neighbours import measured
from tests.unit.test_grouping_spanning import clumps


def package(vectors: Array, metric: BatchMetric, size: int, samples: int, selection: Selection) -> Array:
    """What the package says of all pairs."""
    model = hdbscan.HDBSCAN(
        min_cluster_size=size,
        min_samples=samples,
        metric="precomputed",
        cluster_selection_method=selection.value,
    )
    return np.asarray(model.fit(measured(vectors, metric).astype(np.float64)).labels_)


@pytest.mark.parametrize("selection", list(Selection))
@pytest.mark.parametrize("metric", list(BatchMetric))
@pytest.mark.parametrize(("size", "samples"), [(5, 5), (8, 3), (20, 40)])
def test_it_is_what_the_package_finds(metric: BatchMetric, selection: Selection, size: int, samples: int) -> None:
    vectors = clumps(600, samples)
    found = cluster_plainly(vectors, size, samples, metric, selection=selection)
    wanted = package(vectors, metric, size, samples, selection)
    both = (found.labels >= 0) & (wanted >= 0)
    assert both.sum() > 150
    assert adjusted_rand_score(wanted[both], found.labels[both]) >= 0.98
    assert ((found.labels < 0) == (wanted < 0)).mean() >= 0.98
    assert found.spanning.proved == 1.0
    assert found.proved is not None
    assert found.proved <= 1.0


def test_short_lists_prove_a_part_and_the_rest_is_looked_for() -> None:
    """Forty copies of each subject, a little apart: no list of sixteen sees out of its subject."""
    generator = np.random.default_rng(3)
    centres = unit(generator.normal(size=(12, 32)))
    vectors = unit(np.repeat(centres, 40, axis=0) + generator.normal(size=(480, 32)) * 0.01).astype(np.float32)
    found = cluster_plainly(vectors, 5, 5)
    assert found.proved is not None
    assert found.proved < 1.0
    assert found.spanning.proved == 1.0
    wanted = package(vectors, BatchMetric.COSINE, 5, 5, Selection.EOM)
    both = (found.labels >= 0) & (wanted >= 0)
    assert adjusted_rand_score(wanted[both], found.labels[both]) >= 0.98


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_fewer_photos_than_a_group_needs_stay_ungrouped(count: int) -> None:
    found = cluster_plainly(clumps(8, 0)[:count], 5, 5)
    assert found.labels.tolist() == [-1] * count
    assert found.cohesions == ()
