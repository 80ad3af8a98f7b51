"""Principal directions at unit length."""

from pathlib import Path

import numpy as np
import pytest

from pixsortd.grouping.rows import unit
from tests.bench._projected import NEAR_CENTRE, reduced


def rows(count: int, dim: int = 40, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, dim)))


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def test_rows_have_the_asked_dimensions_and_unit_length() -> None:
    points = reduced(rows(200), 8)
    assert points.shape == (200, 8)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1.0)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert reduced(rows(100), 8).tobytes() == reduced(rows(100), 8).tobytes()


def test_order_of_rows_does_not_matter() -> None:
    vectors = rows(100)
    order = np.random.default_rng(1).permutation(100)
    assert np.allclose(reduced(vectors, 8)[order], reduced(vectors[order], 8), atol=1e-9)


def test_signs_are_fixed_whatever_the_solver_returns() -> None:
    vectors = rows(300)
    assert np.allclose(reduced(vectors, 5), reduced(np.concatenate([vectors, vectors]), 5)[:300], atol=1e-9)


def test_keeping_all_directions_keeps_the_geometry_seen_from_the_centre() -> None:
    vectors = rows(60, dim=10)
    centred = vectors - vectors.mean(0)
    assert np.allclose(distances(reduced(vectors, 10)), distances(unit(centred)), atol=1e-6)


def test_blocks_and_memory_maps_give_what_one_array_gives(tmp_path: Path) -> None:
    vectors = rows(9000, dim=16).astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert np.array_equal(reduced(mapped, 4), reduced(vectors, 4))


def test_photos_at_the_centre_stay_near_it() -> None:
    generator = np.random.default_rng(0)
    lump = unit(np.eye(40)[0] + 0.01 * generator.normal(size=(900, 40)))
    points = reduced(np.concatenate([lump, rows(100)]), 8)
    assert np.linalg.norm(points[:900], axis=1).max() < 0.5
    assert np.median(np.linalg.norm(points[900:], axis=1)) > NEAR_CENTRE


@pytest.mark.parametrize("count", [1, 2, 7])
def test_identical_photos_have_no_direction(count: int) -> None:
    assert reduced(np.repeat(rows(1), count, axis=0), 8).shape == (count, 0)


def test_no_photos_no_rows() -> None:
    assert reduced(np.empty((0, 40), np.float16), 8).shape[0] == 0


def test_fewer_photos_than_dimensions() -> None:
    assert reduced(rows(3), 32).shape == (3, 2)
