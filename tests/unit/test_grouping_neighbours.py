"""The neighbour graph: exact, the same however it came about, and kept in a file that may be damaged."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.grouping import kept, nearest, neighbours
from pixsortd.grouping.neighbours import NOBODY, build, patched
from pixsortd.grouping.points import placed
from pixsortd.grouping.rows import Array, unit
from pixsortd.records import BatchMetric

METRICS = list(BatchMetric)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few hundred rows make many tiles."""
    monkeypatch.setattr(neighbours, "TILE", 64)
    monkeypatch.setattr(neighbours, "SEARCH", 16)
    monkeypatch.setattr(nearest, "OFFERS", 500)


def scattered(count: int, seed: int) -> Array:
    """Rows in clumps, some of them copies, some alone."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(max(count // 20, 1), 12))
    rows = centres[generator.integers(0, len(centres), count)] + generator.normal(size=(count, 12)) * 0.2
    rows[::7] = generator.normal(size=rows[::7].shape)
    rows[1::11] = rows[0]
    return rows.astype(np.float16)


def measured(vectors: Array, metric: BatchMetric) -> Array:
    """All distances, by the book."""
    rows = unit(vectors) if metric is BatchMetric.COSINE else vectors.astype(np.float64)
    squares = np.square(rows[:, None] - rows[None]).sum(-1)
    return squares / 2 if metric is BatchMetric.COSINE else np.sqrt(squares)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("count", [2, 3, 63, 65, 300])
def test_the_graph_holds_the_nearest(metric: BatchMetric, count: int) -> None:
    vectors = scattered(count, count)
    graph = build(vectors, 9, metric)
    every = measured(vectors, metric)
    np.fill_diagonal(every, np.inf)
    width = min(9, count - 1)
    assert graph.neighbours.shape == graph.distances.shape == (count, width)
    np.testing.assert_allclose(graph.distances, np.sort(every, 1)[:, :width], atol=2e-6)
    np.testing.assert_allclose(np.take_along_axis(every, graph.neighbours, 1), graph.distances, atol=2e-6)
    assert (np.diff(graph.distances, axis=1) >= 0).all()
    ties = np.diff(graph.distances, axis=1) == 0
    assert (np.diff(graph.neighbours, axis=1)[ties] > 0).all()


def test_copies_are_at_no_distance_and_pairs_the_same_both_ways() -> None:
    vectors = scattered(200, 1)
    points = placed(vectors, BatchMetric.COSINE)
    first, second = np.triu_indices(200, 1)
    distances = points.distances(first, second)
    assert np.array_equal(distances, points.distances(second, first))
    same = (vectors[first] == vectors[second]).all(1)
    assert same.any()
    assert (distances[same] == 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_has_no_neighbours(count: int) -> None:
    graph = build(np.ones((count, 4), np.float16), 5)
    assert graph.neighbours.shape == (count, 0)


def test_a_large_common_part_does_not_blur_what_is_near() -> None:
    generator = np.random.default_rng(0)
    vectors = (1000 + generator.integers(0, 40, (200, 8))).astype(np.float16)
    graph = build(vectors, 5, BatchMetric.EUCLIDEAN)
    every = measured(vectors, BatchMetric.EUCLIDEAN)
    np.fill_diagonal(every, np.inf)
    np.testing.assert_allclose(graph.distances, np.sort(every, 1)[:, :5], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), metric=st.sampled_from(METRICS), nights=st.integers(1, 5))
def test_a_patched_graph_says_what_a_new_one_says(seed: int, metric: BatchMetric, nights: int) -> None:
    generator = np.random.default_rng(seed)
    vectors, need, width = scattered(260, seed % 1000), 6, 10
    present = np.sort(generator.permutation(260)[:200])
    graph = build(vectors[present], width, metric)
    for _ in range(nights):
        leaving = generator.random(len(present)) < generator.choice([0.02, 0.3])
        others = np.setdiff1d(np.arange(260), present)
        coming = others[generator.random(len(others)) < 0.3]
        after = np.sort(np.concatenate([present[~leaving], coming]))
        place = {row: number for number, row in enumerate(present.tolist())}
        origin = np.array([place.get(row, -1) for row in after.tolist()], np.int64)
        graph = patched(graph, vectors[after], origin, need, metric)
        present = after
        fresh = build(vectors[present], width, metric)
        assert np.array_equal(graph.neighbours[:, :need], fresh.neighbours[:, :need])
        assert np.array_equal(graph.distances[:, :need], fresh.distances[:, :need])
        there = graph.neighbours != NOBODY
        assert np.array_equal(graph.neighbours[there], fresh.neighbours[there])


def hashes(rows: Array) -> list[bytes]:
    """A photo's hash by row, rising."""
    return [int(row).to_bytes(32, "big") for row in rows]


def test_a_kept_graph_is_patched_and_says_what_a_new_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, path = scattered(300, 3), tmp_path / "graph"
    first, second = np.arange(280), np.sort(np.r_[np.arange(5, 280), np.arange(280, 300)])
    points = placed(vectors[first], BatchMetric.COSINE)
    kept.graph(path, hashes(first), vectors[first], points, 6)
    points = placed(vectors[second], BatchMetric.COSINE)
    fresh = neighbours.built(points, 6)
    monkeypatch.setattr(kept, "built", None)
    monkeypatch.setattr(neighbours, "built", None)
    graph = kept.graph(path, hashes(second), vectors[second], points, 6)
    assert np.array_equal(graph.neighbours[:, :6], fresh.neighbours)
    assert np.array_equal(graph.distances[:, :6], fresh.distances)
    assert kept.load(path).hashes.tobytes() == b"".join(hashes(second))


def test_vectors_that_changed_under_the_same_photos_are_measured_anew(tmp_path: Path) -> None:
    vectors, path, rows = scattered(200, 4), tmp_path / "graph", np.arange(200)
    kept.graph(path, hashes(rows), vectors, placed(vectors, BatchMetric.COSINE), 6)
    other = vectors.copy()
    other[[3, 50]] = scattered(2, 5)
    points = placed(other, BatchMetric.COSINE)
    graph = kept.graph(path, hashes(rows), other, points, 6)
    assert np.array_equal(graph.distances[:, :6], neighbours.built(points, 6).distances)


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "missing"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, harm: str) -> None:
    vectors, path, rows = scattered(100, 6), tmp_path / "graph", np.arange(100)
    points = placed(vectors, BatchMetric.COSINE)
    graph = kept.graph(path, hashes(rows), vectors, points, 6)
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-9]), "empty": b"", "missing": b""}[harm])
    if harm == "missing":
        path.unlink()
    with pytest.raises((ValueError, OSError)):
        kept.load(path)
    again = kept.graph(path, hashes(rows), vectors, points, 6)
    assert np.array_equal(again.neighbours, graph.neighbours)
    assert kept.load(path).graph.neighbours.shape == graph.neighbours.shape


def test_another_metric_does_not_use_the_kept_graph(tmp_path: Path) -> None:
    vectors, path, rows = scattered(100, 7), tmp_path / "graph", np.arange(100)
    kept.graph(path, hashes(rows), vectors, placed(vectors, BatchMetric.COSINE), 6)
    points = placed(vectors, BatchMetric.EUCLIDEAN)
    graph = kept.graph(path, hashes(rows), vectors, points, 6)
    assert np.array_equal(graph.distances[:, :6], neighbours.built(points, 6).distances)


def test_a_graph_that_cannot_be_kept_is_a_graph_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors, rows = scattered(50, 8), np.arange(50)
    points = placed(vectors, BatchMetric.COSINE)
    graph = kept.graph(tmp_path / "nowhere" / "graph", hashes(rows), vectors, points, 6)
    assert np.array_equal(graph.neighbours[:, :6], neighbours.built(points, 6).neighbours)
    assert "could not be kept" in capsys.readouterr().err
