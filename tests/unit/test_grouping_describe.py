"""Exemplars, floors and who is near whom."""

import numpy as np
import pytest

from pixsortd.grouping.describe import EXEMPLARS, describe
from pixsortd.grouping.join import NEAREST
from pixsortd.grouping.rows import unit


def group(count: int, seed: int = 0, spread: float = 0.6) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return unit(np.eye(32)[0] + spread * unit(generator.normal(size=(count, 32)))).astype(np.float16)


def test_nearest_and_similarity_are_those_of_brute_force() -> None:
    vectors = group(50)
    seen = describe(vectors, np.ones(50))
    cosines = unit(vectors) @ unit(vectors).T
    np.fill_diagonal(cosines, -2)
    for i in range(50):
        assert set(seen.nearest[i]) == set(np.argsort(-cosines[i])[:NEAREST])
        assert seen.similarity[i] == pytest.approx(np.sort(cosines[i])[-NEAREST:].mean(), abs=1e-6)
    assert (seen.similarity >= seen.floor).mean() >= 0.94


@pytest.mark.parametrize("count", [2, 3, 5, 6])
def test_small_groups_have_as_many_nearest_as_there_are(count: int) -> None:
    seen = describe(group(count), np.ones(count))
    assert seen.nearest.shape == (count, min(NEAREST, count - 1))
    assert all(i not in seen.nearest[i] for i in range(count))
    assert len(set(seen.exemplars)) == min(EXEMPLARS, count)


def test_the_first_exemplar_is_the_medoid_and_the_next_shows_the_other_kind() -> None:
    generator = np.random.default_rng(0)
    most = unit(np.eye(32)[0] + 0.3 * unit(generator.normal(size=(40, 32))))
    few = unit(np.eye(32)[0] + np.eye(32)[1] + 0.3 * unit(generator.normal(size=(10, 32))))
    vectors = np.concatenate([most, few])
    seen = describe(vectors, np.ones(50))
    assert seen.exemplars[0] == int((vectors @ vectors.sum(0)).argmax())
    assert seen.exemplars[1] >= 40


def test_fringe_members_are_no_exemplars() -> None:
    strengths = np.r_[np.ones(10), np.full(10, 0.1)]
    assert max(describe(group(20), strengths).exemplars) < 10


def test_large_groups_are_compared_with_a_spread_of_witnesses() -> None:
    vectors = group(5000)
    seen = describe(vectors, np.ones(5000))
    assert seen.nearest.shape == (5000, NEAREST)
    cosines = unit(vectors[:200]) @ unit(vectors).T
    cosines[np.arange(200), np.arange(200)] = -2
    exact = np.sort(cosines, axis=1)[:, -NEAREST:].mean(1)
    assert np.abs(seen.similarity[:200] - exact).max() < 0.05


def test_copies_have_a_floor_of_one() -> None:
    seen = describe(np.repeat(group(1), 6, axis=0), np.ones(6))
    assert seen.floor == pytest.approx(1.0, abs=1e-6)
    assert seen.similarity.max() <= 1.0
