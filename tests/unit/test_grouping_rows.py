"""Rows at unit length or as they are, a block at a time."""

from pathlib import Path

import numpy as np

from pixsortd.grouping.rows import BLOCK, TAKEN, blocks, unit
from pixsortd.records import BatchMetric


def test_unit_leaves_a_row_without_length_alone() -> None:
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0.0, 0.0]]


def test_euclidean_takes_the_vectors_themselves() -> None:
    vectors = np.array([[3.0, 4.0], [0.5, 0.0]], np.float16)
    assert TAKEN[BatchMetric.EUCLIDEAN](vectors).tolist() == vectors.tolist()
    assert TAKEN[BatchMetric.COSINE](vectors).tolist() == [[0.6, 0.8], [1.0, 0.0]]


def test_blocks_and_memory_maps_give_what_one_array_gives(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(2 * BLOCK + 7, 16)).astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert np.array_equal(np.concatenate(list(blocks(mapped))), unit(vectors))
    assert not list(blocks(vectors[:0]))
