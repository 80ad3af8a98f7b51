"""Who stays in a group that density found, who leaves it and who joins."""

import numpy as np
import pytest

from pixsortd.grouping.members import WITNESSES, Membership, Outsiders, contrasts, settled
from pixsortd.grouping.neighbours import build
from pixsortd.grouping.points import SCALES, placed
from pixsortd.grouping.rows import unit
from pixsortd.records import BatchMetric

SIZE = 20


def scene(metric: BatchMetric = BatchMetric.COSINE, loners: int = 15) -> tuple:
    """Points, lists and halves of two subjects of ``SIZE`` and some loners."""
    generator = np.random.default_rng(2)
    centres = unit(generator.normal(size=(2, 48)))
    members = unit(np.repeat(centres, SIZE, axis=0) + 0.6 * unit(generator.normal(size=(2 * SIZE, 48))))
    vectors = np.concatenate([members, unit(generator.normal(size=(loners, 48)))])
    graph = build(vectors, 20, metric)
    return placed(vectors, metric), graph.neighbours, SCALES[metric].halves(graph.distances)


def truth(loners: int = 15) -> np.ndarray:
    return np.concatenate([np.repeat([0, 1], SIZE), np.full(loners, -1)])


@pytest.mark.parametrize("metric", list(BatchMetric))
def test_contrast_is_how_much_nearer_members_are_than_outsiders(metric: BatchMetric) -> None:
    points, neighbours, halves = scene(metric)
    labels = truth()
    apart = np.square(points.rows[:, None] - points.rows[None]).sum(-1) / 2
    held = contrasts(Outsiders(points, 2), neighbours, halves, labels, labels)
    for row in range(2 * SIZE):
        own = np.flatnonzero((labels == labels[row]) & (np.arange(len(labels)) != row))
        near = np.sort(apart[row, own])[:WITNESSES].mean()
        assert held[row] == pytest.approx(1 - near / apart[row, labels != labels[row]].mean(), abs=1e-4)
    assert (held[2 * SIZE :] == 0).all()


def test_contrast_of_an_outsider_leaves_itself_out() -> None:
    points, neighbours, halves = scene()
    labels = truth()
    labels[3] = -1
    asked = np.full(len(labels), -1)
    asked[3] = 0
    apart = np.square(points.rows[3] - points.rows).sum(-1) / 2
    outside = np.setdiff1d(np.flatnonzero(labels != 0), [3])
    near = np.sort(apart[labels == 0])[:WITNESSES].mean()
    held = contrasts(Outsiders(points, 2), neighbours, halves, labels, asked)
    assert held[3] == pytest.approx(1 - near / apart[outside].mean(), abs=1e-4)
    assert np.count_nonzero(held) == 1


def test_contrasts_follow_groups_that_change() -> None:
    points, neighbours, halves = scene()
    generator = np.random.default_rng(5)
    outsiders, labels = Outsiders(points, 2), truth()
    for _ in range(4):
        for asked in (labels, np.where(labels < 0, generator.integers(-1, 2, len(labels)), -1)):
            held = contrasts(outsiders, neighbours, halves, labels, asked)
            assert held == pytest.approx(contrasts(Outsiders(points, 2), neighbours, halves, labels, asked), abs=1e-9)
        moved = generator.integers(0, len(labels), 3)
        labels = labels.copy()
        labels[moved] = generator.integers(-1, 2, 3)


def test_loners_that_were_drawn_in_leave() -> None:
    points, neighbours, halves = scene()
    labels = truth()
    labels[2 * SIZE :] = np.arange(15) % 2
    held = settled(points, neighbours, halves, Membership(labels, np.ones(len(labels))), 5)
    assert (held.labels[: 2 * SIZE] == truth()[: 2 * SIZE]).all()
    assert (held.labels[2 * SIZE :] < 0).mean() > 0.8
    assert (held.strengths[held.labels < 0] == 0).all()


def test_members_that_were_left_out_join() -> None:
    points, neighbours, halves = scene()
    labels = truth()
    labels[[0, 7, 25]] = -1
    held = settled(points, neighbours, halves, Membership(labels, (labels >= 0).astype(float)), 5)
    assert held.labels.tolist() == truth().tolist()
    assert ((held.strengths[[0, 7, 25]] > 0.5) & (held.strengths[[0, 7, 25]] <= 1)).all()


def test_a_group_of_loners_is_none() -> None:
    points, neighbours, halves = scene()
    labels = truth()
    labels[2 * SIZE : 2 * SIZE + 8] = 2
    held = settled(points, neighbours, halves, Membership(labels, np.ones(len(labels))), 5)
    assert held.labels.tolist() == truth().tolist()


def test_without_outsiders_everybody_stays() -> None:
    points, neighbours, halves = scene(loners=0)
    labels = np.zeros(2 * SIZE, np.int64)
    held = settled(points, neighbours, halves, Membership(labels, np.ones(2 * SIZE)), 5)
    assert (held.labels == 0).all()


def test_copies_stay_together() -> None:
    vectors = np.concatenate([np.repeat(unit(np.eye(48)[:1]), 40, axis=0), unit(np.eye(48)[1:30])])
    graph = build(vectors, 20)
    labels = np.where(np.arange(len(vectors)) < 40, 0, -1)
    points = placed(vectors, BatchMetric.COSINE)
    held = settled(points, graph.neighbours, graph.distances, Membership(labels, np.ones(len(labels))), 5)
    assert held.labels.tolist() == labels.tolist()


def test_nothing_was_found() -> None:
    points, neighbours, halves = scene()
    none = np.full(2 * SIZE + 15, -1)
    held = settled(points, neighbours, halves, Membership(none, np.zeros(len(none))), 5)
    assert (held.labels < 0).all()
