"""PIQE: the share of a photo's active blocks that show blocking artefacts or noise. Ours, for the CPU.

N. Venkatanath, D. Praneeth, M. C. Bh, S. S. Channappayya and S. S. Medasani, "Blind Image Quality Evaluation Using
Perception Based Features", Twenty First National Conference on Communications (2015). Scores equal those of
``pyiqa:piqe``, which is the reference.
"""

import math

import numpy as np

from pixsortd.analyze.metrics.contrast import LONG_SIDE, brightness, contrast, inner_contrast, luma
from pixsortd.analyze.metrics.distributions import Doubles, Truths
from pixsortd.analyze.metrics.pyiqa_registry import ParameterFile
from pixsortd.analyze.ports import Picture
from pixsortd.records import MetricInfo

VERSION = "1"
"""To be raised whenever scores change."""
_BLOCK = 16
_ACTIVE = 0.1
"""Variance from which a block counts."""
_SEGMENT = 6
"""Pixels of the pieces of a block's edge."""
_EVEN = 0.1
"""A piece whose standard deviation is less shows an artefact."""
_CENTRE = (7, 8)
_SURROUND = tuple(column for column in range(_BLOCK) if column not in (7, 9))
"""Columns of a block. That 8 is of both and 9 of neither is the reference's way."""
_PIECES = np.array(
    [[0 <= pixel - piece < _SEGMENT for piece in range(_BLOCK - _SEGMENT + 1)] for pixel in range(_BLOCK)], np.float64
)


class PiqeFamily:
    """The one metric ``piqe``, which needs no file."""

    license = "MIT"
    long_side = LONG_SIDE

    def parameters(self, name: str) -> tuple[ParameterFile, ...]:  # noqa: ARG002 - none, whatever the name
        """The files it needs."""
        return ()

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> "Piqe":  # noqa: ARG002 - CPU only
        """PIQE; there are no ``weights``."""
        return Piqe(
            MetricInfo(
                name=name,
                lower_better=True,
                low=0.0,
                high=100.0,
                long_side=long_side,
                version=f"own {VERSION}",
                license=self.license,
            )
        )


family = PiqeFamily()


class Piqe:
    """PIQE behind the :class:`pixsortd.analyze.ports.PictureMetric` port."""

    device = "cpu"

    def __init__(self, info: MetricInfo) -> None:
        self.info = info

    def measure(self, picture: Picture) -> float:
        """0 to 100; not a number for a black picture or one without a whole block."""
        blocks = _blocks(picture)
        if blocks is None:
            return math.nan
        sums, squares = blocks.sum(axis=1), np.square(blocks).sum(axis=1)
        variance = _variance(sums.sum(axis=-1), squares.sum(axis=-1), _BLOCK**2)
        active = variance > _ACTIVE
        noisy = _noise(sums, squares, variance)
        worse = _artefacts(blocks) * (1 - variance) + noisy * variance
        return 100 * (float(worse[active].sum()) + 1) / (int(active.sum()) + 1)


def _blocks(picture: Picture) -> Doubles | None:
    """The local contrast of whole blocks, [rows of blocks, 16, columns of blocks, 16]; None where there is none."""
    light = picture.once(brightness)
    brightest = light.max()
    if not brightest > 0:
        return None
    spare = [side % _BLOCK for side in light.shape]
    levels = np.rint(light * (255 / brightest))
    ours = picture.once(luma)
    if not any(spare) and np.array_equal(levels, ours):
        contrasts = contrast(ours, "edge", picture.once(inner_contrast))
    else:
        # By as much as a side is too long already, as the reference has it: 8 to 15 pixels too many become a block.
        contrasts = contrast(np.pad(levels, [(0, more) for more in spare], "symmetric"), "edge")
    rows, columns = (side // _BLOCK for side in contrasts.shape)
    if not rows or not columns:
        return None
    whole = contrasts[: rows * _BLOCK, : columns * _BLOCK]
    return whole.astype(float).reshape(rows, _BLOCK, columns, _BLOCK)


def _noise(sums: Doubles, squares: Doubles, variance: Doubles) -> Truths:
    """Blocks whose spread is more than twice as uneven as that between their centre and their surround.

    ``sums`` and ``squares`` are those of each column of each block, [rows of blocks, columns of blocks, 16].
    """
    deviation = np.sqrt(variance)
    inner, outer = (
        np.sqrt(_variance(sums[..., part].sum(-1), squares[..., part].sum(-1), _BLOCK * len(part)))
        for part in (_CENTRE, _SURROUND)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.nan_to_num(inner / outer)
        uneven = np.abs(deviation - between) / np.maximum(deviation, between)
    return deviation > 2 * uneven


def _artefacts(blocks: Doubles) -> Truths:
    """Blocks with an even piece on one of their edges."""
    across = blocks[:, (0, -1)].swapaxes(1, 2)
    along = blocks[..., (0, -1)].transpose(0, 2, 3, 1)
    edges = np.concatenate((across, along), axis=2)
    variance = _variance(edges @ _PIECES, np.square(edges) @ _PIECES, _SEGMENT)
    return np.asarray((variance < _EVEN**2).any(axis=(-1, -2)))


def _variance(total: Doubles, squares: Doubles, count: int) -> Doubles:
    """The unbiased variance from sums."""
    return np.maximum(squares - total**2 / count, 0) / (count - 1)
