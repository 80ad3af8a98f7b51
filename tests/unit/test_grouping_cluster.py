"""Clusters by row: what is found, what stays ungrouped, and the small and odd cases."""

import numpy as np
import pytest

from pixsortd.grouping.cluster import ALIKE, cluster, cohesions
from pixsortd.grouping.rows import unit
from pixsortd.records import BatchMetric

DIM = 64


def subjects(sizes: list[int], loners: int = 0, spread: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(unit vectors, subject by row): members at about 1 / (1 + spread²) from one another, loners at chance."""
    generator = np.random.default_rng(seed)
    centres = unit(generator.normal(size=(len(sizes), DIM)))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    members = centres[labels] + spread * unit(generator.normal(size=(len(labels), DIM)))
    alone = generator.normal(size=(loners, DIM))
    return unit(np.concatenate([unit(members), unit(alone)])), np.concatenate([labels, np.full(loners, -1)])


def test_subjects_are_found_and_loners_stay_ungrouped() -> None:
    vectors, truth = subjects([30, 20, 10], loners=40)
    found = cluster(vectors, 5, 5)
    assert len(found.cohesions) == 3
    for subject, label in enumerate([0, 1, 2]):
        assert (found.labels[truth == subject] == label).mean() > 0.9
    assert (found.labels[truth < 0] < 0).mean() > 0.9
    assert found.strengths[found.labels < 0].max() == 0
    assert found.strengths[found.labels >= 0].min() > 0
    assert found.strengths.max() <= 1
    assert min(found.cohesions) > 0.3


def test_labels_are_by_size() -> None:
    vectors, _ = subjects([8, 25, 14])
    labels = cluster(vectors, 5, 5).labels
    sizes = np.bincount(labels[labels >= 0])
    assert sizes.tolist() == sorted(sizes, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_fewer_photos_than_a_group_needs_stay_ungrouped(count: int) -> None:
    found = cluster(subjects([count], spread=0.01)[0], 5, 5)
    assert found.labels.tolist() == [-1] * count
    assert found.cohesions == ()


@pytest.mark.parametrize("count", [5, 6, 300])
def test_identical_photos_are_one_group(count: int) -> None:
    found = cluster(np.repeat(subjects([1])[0], count, axis=0), 5, 5)
    assert found.labels.tolist() == [0] * count
    assert found.strengths == pytest.approx(np.ones(count))
    assert found.cohesions == pytest.approx((1.0,))


def test_six_look_alikes_are_one_group() -> None:
    assert cluster(subjects([6], spread=0.2)[0], 5, 5).labels.tolist() == [0] * 6


def test_six_unrelated_photos_are_no_group() -> None:
    assert cluster(subjects([], loners=6)[0], 5, 5).labels.tolist() == [-1] * 6


def test_min_samples_beyond_the_number_of_photos() -> None:
    vectors, _ = subjects([6, 6])
    assert len(cluster(vectors, 5, 500).labels) == 12


def test_only_loners_are_no_group() -> None:
    assert (cluster(subjects([], loners=200)[0], 5, 5).labels < 0).mean() > 0.9


def test_copies_within_a_library_are_a_group() -> None:
    vectors, _ = subjects([20, 20], loners=20)
    copies = np.repeat(vectors[-1:], 7, axis=0)
    found = cluster(np.concatenate([vectors, copies]), 5, 5)
    assert len(set(found.labels[-8:])) == 1
    assert found.labels[-1] >= 0
    assert np.isfinite(found.strengths).all()
    assert len(found.cohesions) == 3


@pytest.mark.parametrize("burst", [100, 1000])
def test_one_long_burst_neither_breaks_nor_hides_the_rest(burst: int) -> None:
    vectors, truth = subjects([20, 15], loners=30)
    same = unit(np.eye(DIM)[0] + 0.2 * unit(np.random.default_rng(3).normal(size=(burst, DIM))))
    found = cluster(np.concatenate([same, vectors]), 5, 5)
    assert set(found.labels[:burst]) == {0}
    rest = found.labels[burst:]
    for subject in (0, 1):
        assert (rest[truth == subject] > 0).mean() > 0.9
        assert len(set(rest[truth == subject]) - {-1}) == 1


def test_a_burst_and_too_few_others_for_a_group() -> None:
    same = unit(np.eye(DIM)[0] + 0.2 * unit(np.random.default_rng(3).normal(size=(30, DIM))))
    found = cluster(np.concatenate([same, subjects([], loners=3)[0]]), 5, 5)
    assert found.labels.tolist() == [0] * 30 + [-1] * 3


def test_cohesion_is_the_mean_over_pairs() -> None:
    vectors, truth = subjects([9, 12], loners=10)
    inside, outside = vectors[truth == 0], vectors[truth != 0]
    within = (inside @ inside.T - np.eye(9)).sum(1) / 8
    across = (inside @ outside.T).mean(1)
    assert cohesions(inside, vectors.sum(0), len(vectors)) == pytest.approx((within - across) / (1 - across))


def test_cohesion_of_copies_is_one_and_without_outsiders_the_mean_cosine() -> None:
    vectors, _ = subjects([9])
    copies = np.repeat(vectors[:1], 4, axis=0)
    assert cohesions(copies, copies.sum(0) + vectors[1:].sum(0), 12) == pytest.approx(np.ones(4))
    assert cohesions(vectors, vectors.sum(0), 9).mean() == pytest.approx(
        (vectors @ vectors.T)[~np.eye(9, dtype=bool)].mean()
    )


def test_look_alikes_are_measured_by_pairs() -> None:
    for spread, lump in ((0.25, True), (0.6, False)):  # cosines of about 0.94 and 0.74
        vectors, _ = subjects([200], spread=spread)
        cosine = float((vectors @ vectors.T)[np.triu_indices(200, 1)].mean())
        assert (cosine > ALIKE) is lump
        assert (set(cluster(vectors, 5, 5).labels) == {0}) is lump


def test_cosine_sees_directions_and_euclidean_sees_distances() -> None:
    generator = np.random.default_rng(1)
    directions = np.eye(16)[[0, 0, 1, 1]]
    lengths = np.array([1.0, 3.0, 1.0, 3.0])
    centres = np.repeat(directions * lengths[:, None], 20, axis=0)
    vectors = centres + 0.05 * lengths.repeat(20)[:, None] * generator.normal(size=centres.shape)
    place = np.repeat(np.arange(4), 20)
    cosine = cluster(vectors, 5, 5, BatchMetric.COSINE)
    assert len(cosine.cohesions) == 2
    assert all(len(set(cosine.labels[place // 2 == one]) - {-1}) == 1 for one in range(2)), "length is no difference"
    euclidean = cluster(vectors, 5, 5, BatchMetric.EUCLIDEAN)
    assert len(euclidean.cohesions) == 4
    assert all(len(set(euclidean.labels[place == one]) - {-1}) == 1 for one in range(4)), "length is one"


@pytest.mark.parametrize("metric", list(BatchMetric))
def test_either_metric_finds_subjects_and_leaves_loners(metric: BatchMetric) -> None:
    vectors, truth = subjects([30, 20, 10], loners=40)
    found = cluster(vectors, 5, 5, metric)
    assert len(found.cohesions) == 3
    assert (found.labels[truth >= 0] >= 0).mean() > 0.9
    assert (found.labels[truth < 0] < 0).mean() > 0.9
