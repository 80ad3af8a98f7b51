"""What there is to say of one group: who is near whom, who stands for it, and how alike a newcomer must be.

All in the original space, where cosines mean the same in every group and at every later search.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping.join import NEAREST
from pixsortd.grouping.rows import Array, Floats, unit

EXEMPLARS = 5
LOOSEST = 0.05
"""Share of the members that lies below the floor: HDBSCAN's own fringe is no measure for newcomers."""

_WITNESSES = 2048
"""Members of a large group that the others are compared with, evenly spread over the hashes."""

_BLOCK = 1024


class Description(NamedTuple):
    """One group, by position among its members."""

    nearest: npt.NDArray[np.int64]
    """[members, up to NEAREST], nearest first."""
    similarity: Floats
    """Mean cosine of each member to its nearest."""
    exemplars: tuple[int, ...]
    floor: float


def describe(vectors: Array, strengths: Floats) -> Description:
    """The group whose members' vectors these are, at least two, in the order of their hashes."""
    count = len(vectors)
    rows = unit(vectors).astype(np.float32)
    witnesses = np.unique(np.linspace(0, count - 1, min(count, _WITNESSES)).round().astype(np.int64))
    shown = rows[witnesses]
    nearest = np.empty((count, min(NEAREST, count - 1)), np.int64)
    similarity = np.empty(count)
    for start in range(0, count, _BLOCK):
        cosines = rows[start : start + _BLOCK] @ shown.T
        own = np.arange(start, start + len(cosines))[:, None] == witnesses
        cosines[own] = -2.0
        order = _largest(cosines, nearest.shape[1])
        nearest[start : start + _BLOCK] = witnesses[order]
        similarity[start : start + _BLOCK] = np.take_along_axis(cosines, order, 1).mean(1)
    return Description(
        nearest,
        similarity.clip(-1, 1),
        _exemplars(shown, witnesses, strengths),
        float(np.quantile(similarity, LOOSEST)),
    )


def _largest(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """[rows, count] the columns of the largest, largest first, ties by column: one number for a value and its column,
    as the bits of floats rise with them."""
    bits = (0.0 - values).view(np.int32)  # without a negative zero
    keys = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits).astype(np.int64) << 32 | np.arange(values.shape[1])
    if count < values.shape[1]:
        keys = np.partition(keys, count - 1, axis=1)[:, :count]
    return np.sort(keys, axis=1) & 0xFFFFFFFF


def _exemplars(rows: npt.NDArray[np.float32], witnesses: npt.NDArray[np.int64], strengths: Floats) -> tuple[int, ...]:
    """Greedy facility location among the firm half of the witnesses, whose rows these are: the medoid, then whoever
    adds most of what is not yet shown."""
    firmly = strengths[witnesses] >= np.median(strengths[witnesses])
    firm, cosines = witnesses[firmly], rows[firmly] @ rows.T
    shown = np.full(len(witnesses), -1.0, np.float32)
    chosen: list[int] = []
    for _ in range(min(EXEMPLARS, len(firm))):
        gains = np.maximum(cosines, shown).sum(1)
        gains[chosen] = -np.inf
        best = int(gains.argmax())
        chosen.append(best)
        shown = np.maximum(shown, cosines[best])
    return tuple(int(firm[position]) for position in chosen)
