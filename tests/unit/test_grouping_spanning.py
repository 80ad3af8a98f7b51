"""The spanning tree and its clusters, against the hdbscan package on all distances."""

import subprocess
import sys
from collections.abc import Sequence

import hdbscan
import numpy as np
import pytest
from hdbscan._hdbscan_linkage import label, mst_linkage_core
from hdbscan._hdbscan_reachability import mutual_reachability
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_rand_score

from pixsortd.grouping import crossing
from pixsortd.grouping.density import extract
from pixsortd.grouping.neighbours import build, built
from pixsortd.grouping.points import placed
from pixsortd.grouping.rows import Array
from pixsortd.grouping.spanning import Edges, Spanning, completed, mutual, tree
from pixsortd.records import BatchMetric, Selection
from tests.unit.test_grouping_neighbours import measured, scattered

METRICS = list(BatchMetric)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few hundred rows make many tiles."""
    monkeypatch.setattr(crossing, "TILE", 64)
    monkeypatch.setattr(crossing, "SEARCH", 16)


def clumps(count: int, seed: int) -> Array:
    """Clumps far denser than a short list reaches over, and loners."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(4, 8))
    rows = centres[generator.integers(0, 4, count)] + generator.normal(size=(count, 8)) * 0.15
    rows[: count // 4] = generator.normal(size=(count // 4, 8)) * 1.2
    return rows.astype(np.float16)


def grid(count: int, seed: int) -> Array:
    """Ties and copies everywhere."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 3, (count, 5)) + 5 * generator.integers(0, 3, (count, 1))
    return (rows + 1).astype(np.float16)


def at_height(pairs: Array, weights: Array, height: float, count: int) -> Array:
    """Components of what is at most so heavy."""
    kept = weights <= height
    return connected_components(coo_array((np.ones(kept.sum()), pairs[kept].T), (count, count)), directed=False)[1]


MATERIAL = [scattered, clumps, grid]


@settings(max_examples=40, deadline=None)
@given(
    made=st.sampled_from(MATERIAL),
    metric=st.sampled_from(METRICS),
    count=st.integers(2, 260),
    samples=st.integers(1, 7),
    width=st.integers(7, 12),
    seed=st.integers(0, 999),
)
def test_an_exact_tree_is_the_tree_of_all_pairs(made, metric, count, samples, width, seed) -> None:
    vectors = made(count, seed)
    points = placed(vectors, metric)
    spanning = whole(points, mutual(built(points, width), samples))
    reach = mutual_reachability(measured(vectors, metric), samples)
    reference = mst_linkage_core(reach)
    heights = np.sort(reference[:, 2])
    np.testing.assert_allclose(spanning.weights, heights, atol=3e-6)
    assert spanning.certified.all()
    assert spanning.proved == 1.0
    for height in heights[:: max(len(heights) // 5, 1)] + 1e-5:
        if np.abs(heights - height).min() > 5e-6:  # else rounding decides
            ours = at_height(spanning.edges, spanning.weights, height, count)
            theirs = at_height(reference[:, :2].astype(int), reference[:, 2], height, count)
            assert adjusted_rand_score(ours, theirs) == 1.0


@settings(max_examples=30, deadline=None)
@given(
    made=st.sampled_from(MATERIAL), metric=st.sampled_from(METRICS), width=st.integers(5, 12), seed=st.integers(0, 999)
)
def test_what_is_certified_is_right(made, metric, width, seed) -> None:
    """Below every certified edge both of its sides are as they are among all pairs, at least one of them whole."""
    points = placed(made(200, seed), metric)
    edges = mutual(built(points, width), 5)
    sparse, exact = tree(edges, points=points), whole(points, edges)
    assert 0.0 <= sparse.proved <= 1.0
    assert (np.sort(sparse.weights) >= exact.weights - 1e-9).all()
    if sparse.certified.all():
        assert np.array_equal(sparse.weights, exact.weights)
    crossing_weight = dense_weights(points, edges)
    for number in np.flatnonzero(sparse.certified):
        part = at_height_before(sparse, number, 200)
        one, other = sparse.edges[number]
        lightest = [crossing_weight[np.ix_(part == part[end], part != part[end])].min() for end in (one, other)]
        assert max(lightest) >= sparse.weights[number] - 1e-9


def whole(points, edges: Edges) -> Spanning:
    """The tree of all pairs, from the graph's."""
    return completed(tree(edges, points=points), points, edges.core)


def dense_weights(points, edges: Edges) -> Array:
    count = len(edges.core)
    first, second = (side.ravel() for side in np.indices((count, count)))
    return crossing.measured(points, edges.core, first, second).weights.reshape(count, count)


def at_height_before(spanning: Spanning, number: int, count: int) -> Array:
    pairs = spanning.edges[:number]
    return connected_components(coo_array((np.ones(number), pairs.T), (count, count)), directed=False)[1]


def reference(vectors: Array, metric: BatchMetric, samples: int, size: int, method: str, epsilon: float) -> Array:
    model = hdbscan.HDBSCAN(
        min_cluster_size=size,
        min_samples=samples,
        metric="precomputed",
        cluster_selection_method=method,
        cluster_selection_epsilon=epsilon,
    )
    return model.fit(measured(vectors, metric)).labels_


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("method", list(Selection))
@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_without_ties_the_clusters_are_those_of_hdbscan(metric, method, epsilon, seed) -> None:
    vectors = clumps(300, seed)
    points = placed(vectors, metric)
    spanning = whole(points, mutual(built(points, 15), 1))
    found = extract(spanning, 5, method, epsilon)
    wanted = reference(vectors, metric, 1, 5, method.value, epsilon)
    assert adjusted_rand_score(wanted, found.labels) == 1.0
    assert np.array_equal(wanted < 0, found.labels < 0)
    assert found.strengths.min() >= 0.0
    assert found.strengths.max() <= 1.0
    assert (found.strengths[found.labels < 0] == 0.0).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("samples", [3, 5, 10])
@pytest.mark.parametrize("exact", [True, False])
def test_with_the_ties_of_core_distances_nearly_all_rows_agree(metric, samples, exact) -> None:
    vectors = clumps(600, samples)
    points = placed(vectors, metric)
    edges = mutual(built(points, 20), samples)
    spanning = whole(points, edges) if exact else tree(edges, points=points)
    found = extract(spanning, 8).labels
    wanted = reference(vectors, metric, samples, 8, "eom", 0.0)
    both = (found >= 0) & (wanted >= 0)
    assert adjusted_rand_score(wanted[both], found[both]) >= 0.98
    assert ((found < 0) == (wanted < 0)).mean() >= (0.98 if exact else 0.96)


def test_the_same_edges_in_any_order_give_the_same_tree() -> None:
    edges = mutual(build(grid(200, 0), 8, BatchMetric.EUCLIDEAN), 3)
    order = np.random.default_rng(0).permutation(len(edges.pairs))
    shuffled = edges._replace(pairs=edges.pairs[order][:, ::-1], weights=edges.weights[order])
    one, other = tree(edges), tree(shuffled)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert one.edges.tobytes() == other.edges.tobytes()


@pytest.mark.parametrize("made", MATERIAL)
def test_merges_are_those_of_hdbscan(made) -> None:
    spanning = tree(mutual(build(made(300, 0), 8, BatchMetric.EUCLIDEAN), 5), far=99.0)
    assert np.array_equal(spanning.merges, label(np.column_stack([spanning.edges, spanning.weights]).astype(float)))


@pytest.mark.parametrize("metric", METRICS)
def test_components_are_joined_by_their_lightest_pair(metric: BatchMetric) -> None:
    generator = np.random.default_rng(2)
    centres = np.eye(12)[:9] * 5 + 1
    vectors = np.concatenate([centre + generator.normal(size=(30, 12)) * 0.1 for centre in centres]).astype(np.float16)
    points = placed(vectors, metric)
    edges = mutual(built(points, 6), 5)
    joined, exact = tree(edges, points=points), whole(points, edges)
    assert np.array_equal(joined.weights[-8:], exact.weights[-8:])
    hung = tree(edges, far=77.0)
    assert (hung.weights[-8:] == 77.0).all()
    assert not hung.certified[-8:].any()
    assert np.array_equal(hung.weights[:-8], joined.weights[:-8])


def linked(vectors: Array, links: Sequence[tuple[int, int]]) -> Array:
    points = placed(vectors, BatchMetric.EUCLIDEAN)
    return extract(tree(mutual(built(points, 12), 5), links, points), 8).labels


def test_links_hold_rows_together() -> None:
    vectors = np.concatenate([clumps(300, 1)])
    before = linked(vectors, ())
    loners = np.flatnonzero(before < 0)[:6]
    member = int(np.flatnonzero(before == 0)[0])
    after = linked(vectors, [(int(loner), member) for loner in loners])
    assert (after[loners] == after[member]).all()
    assert after[member] >= 0


def test_fewer_neighbours_than_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="do not tell"):
        mutual(build(clumps(50, 0), 4), 5)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_too_few_rows_are_noise(count: int) -> None:
    points = placed(clumps(8, 0)[:count], BatchMetric.COSINE)
    found = extract(tree(mutual(built(points, 5), 5), points=points), 5)
    assert found.labels.tolist() == [-1] * count
    assert found.strengths.tolist() == [0.0] * count


def test_clusters_are_made_without_the_whole_package() -> None:
    code = "import sys, pixsortd.grouping.density; assert 'sklearn' not in sys.modules; import hdbscan; hdbscan.HDBSCAN"
    subprocess.run([sys.executable, "-c", code], check=True)
