"""Vectors as rows: at unit length or as they are stored, a block of them widened at a time."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pixsortd.records import BatchMetric

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

BLOCK = 4096
"""Rows that :func:`blocks` has at a time."""

CACHEFUL = 512
"""Rows widened to float64 at a time where each is for itself: they stay in the processor's cache."""


def unit(rows: Array) -> Floats:
    """Rows as float64 of length one; a row without length stays zero."""
    wide = np.asarray(rows, np.float64)
    length = np.sqrt(np.square(wide).sum(1, keepdims=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled: Floats = wide / length
    scaled[~(length[:, 0] > 0)] = 0.0
    return scaled


def wide(rows: Array) -> Floats:
    """Rows as float64."""
    return np.asarray(rows, np.float64)


TAKEN: Mapping[BatchMetric, Callable[[Array], Floats]] = {BatchMetric.COSINE: unit, BatchMetric.EUCLIDEAN: wide}
"""What a metric makes of vectors, so that straight distance means it."""


def blocks(vectors: Array) -> Iterator[Floats]:
    """All rows in their order at unit length, a block at a time."""
    for start in range(0, len(vectors), BLOCK):
        yield unit(vectors[start : start + BLOCK])
