"""Separable filters in float32 as small matrix products, which the BLAS does at full speed without the GIL.

A filter over a line of pixels is a banded matrix; cut into tiles of ``_TILE`` outputs the band is nearly
all there is of it, so that hardly a multiplication is wasted.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from pixsortd.analyze.ports import Floats

_TILE = 16
"""Outputs per matrix product: of 16, 32, 64 and 128 the fastest."""


class Band(NamedTuple):
    """A one-dimensional filter as the matrix [inputs, outputs] of one tile."""

    matrix: Floats
    taps: int
    step: int
    """Inputs from one output to the next."""


def band(weights: Floats, step: int = 1) -> Band:
    """The matrix of the filter ``weights`` at every ``step``-th input."""
    taps = len(weights)
    matrix = np.zeros(((_TILE - 1) * step + taps, _TILE), np.float32)
    for output in range(_TILE):
        matrix[output * step : output * step + taps, output] = weights
    return Band(matrix, taps, step)


def filtered(stack: Floats, by: Band) -> Floats:
    """Pictures [n, h, w] filtered along both axes, without their rims: [n, (h - taps) // step + 1, ...]."""
    return _down(_across(stack, by), by)


def _across(stack: Floats, by: Band) -> Floats:
    count, height, width = stack.shape
    outputs = (width - by.taps) // by.step + 1
    tiles, rest = divmod(outputs, _TILE)
    result = np.empty((count, height, outputs), np.float32)
    plane, line, pixel = stack.strides
    windows = as_strided(
        stack,
        (count, tiles, height, len(by.matrix)),
        (plane, _TILE * by.step * pixel, line, pixel),
        writeable=False,
    )
    np.matmul(windows, by.matrix, out=_tiled(result, tiles))
    if rest:
        start = tiles * _TILE
        np.matmul(stack[:, :, start * by.step :][:, :, : _inputs(rest, by)], _part(by, rest), out=result[:, :, start:])
    return result


def _down(stack: Floats, by: Band) -> Floats:
    count, height, width = stack.shape
    outputs = (height - by.taps) // by.step + 1
    tiles, rest = divmod(outputs, _TILE)
    result = np.empty((count, outputs, width), np.float32)
    plane, line, pixel = stack.strides
    windows = as_strided(
        stack,
        (count, tiles, len(by.matrix), width),
        (plane, _TILE * by.step * line, line, pixel),
        writeable=False,
    )
    start = tiles * _TILE
    np.matmul(by.matrix.T, windows, out=result[:, :start].reshape(count, tiles, _TILE, width))
    if rest:
        np.matmul(_part(by, rest).T, stack[:, start * by.step :][:, : _inputs(rest, by)], out=result[:, start:])
    return result


def _tiled(result: Floats, tiles: int) -> Floats:
    """A view [n, tiles, h, _TILE] of the first tiles of [n, h, w]."""
    count, height, _ = result.shape
    plane, line, pixel = result.strides
    return as_strided(result, (count, tiles, height, _TILE), (plane, _TILE * pixel, line, pixel))


def _inputs(outputs: int, by: Band) -> int:
    return (outputs - 1) * by.step + by.taps


def _part(by: Band, outputs: int) -> Floats:
    return by.matrix[: _inputs(outputs, by), :outputs]
