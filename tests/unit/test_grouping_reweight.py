"""The new weights of the graph: what they mean, copies, short lists, and that order changes nothing."""

import numpy as np
import pytest

from pixsortd.grouping import reweight
from pixsortd.grouping.nearest import NOBODY
from pixsortd.grouping.neighbours import build
from pixsortd.grouping.reweight import FAR, reweighed, width
from pixsortd.grouping.rows import unit


def two_subjects(size: int = 30, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = unit(generator.normal(size=(2, 32)))
    return unit(np.repeat(centres, size, axis=0) + 0.6 * unit(generator.normal(size=(2 * size, 32))))


def test_pairs_of_one_subject_weigh_less_than_pairs_across() -> None:
    graph = build(two_subjects(), 40)
    edges = reweighed(graph.neighbours, graph.distances, 5)
    across = (edges.pairs < 30).sum(1) == 1
    assert across.any()
    assert edges.weights[~across].mean() + 0.2 < edges.weights[across].min()


def test_weights_are_mutual_reachability_and_no_pair_is_named_twice() -> None:
    graph = build(two_subjects(), width(5, 240))
    edges = reweighed(graph.neighbours, graph.distances, 5)
    assert (edges.weights >= 0).all()
    assert (edges.weights <= FAR).all()
    assert (edges.weights >= edges.core[edges.pairs].max(1)).all()
    assert (edges.pairs[:, 0] < edges.pairs[:, 1]).all()
    assert len(np.unique(edges.pairs, axis=0)) == len(edges.pairs)
    listed = {tuple(sorted((row, int(near)))) for row, nears in enumerate(graph.neighbours) for near in nears}
    assert {tuple(pair) for pair in edges.pairs.tolist()} == listed


def test_a_core_distance_is_the_least_weight_that_so_many_neighbours_reach() -> None:
    graph = build(two_subjects(), width(4, 240))
    edges = reweighed(graph.neighbours, graph.distances, 4)
    for row in range(60):
        own = np.sort(edges.weights[(edges.pairs == row).any(1)])
        assert edges.core[row] <= own[3]


def test_fewer_neighbours_than_min_samples_are_far() -> None:
    graph = build(two_subjects(3), 20)
    assert (reweighed(graph.neighbours, graph.distances, 50).core == FAR).all()


def test_the_scale_of_distances_changes_nothing() -> None:
    graph = build(two_subjects(), 20)
    once = reweighed(graph.neighbours, graph.distances, 5)
    scaled = reweighed(graph.neighbours, graph.distances * np.float32(1024), 5)
    assert scaled.weights == pytest.approx(once.weights)


def test_the_order_of_rows_changes_nothing() -> None:
    vectors = two_subjects()
    order = np.random.default_rng(1).permutation(len(vectors))
    graph, mixed = build(vectors, 20), build(vectors[order], 20)
    once = reweighed(graph.neighbours, graph.distances, 5)
    other = reweighed(mixed.neighbours, mixed.distances, 5)
    names = np.sort(order[other.pairs], 1)
    key = np.lexsort((names[:, 1], names[:, 0]))
    first = np.lexsort((once.pairs[:, 1], once.pairs[:, 0]))
    assert names[key].tolist() == once.pairs[first].tolist()
    assert other.weights[key] == pytest.approx(once.weights[first])


def test_more_copies_than_a_list_holds_are_near_one_another() -> None:
    vectors = np.concatenate([np.repeat(two_subjects()[:1], 100, axis=0), two_subjects()])
    graph = build(vectors, 20)
    edges = reweighed(graph.neighbours, graph.distances, 5)
    assert np.isfinite(edges.weights).all()
    copies = (edges.pairs < 100).all(1)
    assert edges.weights[copies].max() < 0.6 < edges.weights[~copies].max()


def test_a_list_cut_short_counts_as_far_as_it_goes() -> None:
    graph = build(two_subjects(), 20)
    neighbours, distances = graph.neighbours.copy(), graph.distances.copy()
    neighbours[:, 19], distances[:, 19] = NOBODY, np.inf
    short = reweighed(neighbours, distances, 5)
    whole = reweighed(graph.neighbours[:, :19], graph.distances[:, :19], 5)
    assert short.pairs.tolist() == whole.pairs.tolist()
    assert np.isfinite(short.weights).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_rows(count: int) -> None:
    graph = build(two_subjects()[:count], 20)
    edges = reweighed(graph.neighbours, graph.distances, 5)
    assert len(edges.core) == count
    assert len(edges.pairs) == count * (count - 1) // 2


def test_pairs_are_compared_a_portion_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = build(two_subjects(), 20)
    once = reweighed(graph.neighbours, graph.distances, 5)
    monkeypatch.setattr(reweight, "_SPREAD", 7)
    assert reweighed(graph.neighbours, graph.distances, 5).weights.tolist() == once.weights.tolist()
