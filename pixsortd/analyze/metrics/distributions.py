"""Generalised Gaussian distributions fitted to contrast maps by their moments.

The fits of Lasmar, Stitou and Berthoumieu (2009) as NIQE and BRISQUE use them (Mittal et al. 2012, 2013): the shape is
that of a table whose ratio of moments is nearest. Left and right of zero the distribution has a width of its own.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.analyze.ports import Floats

Doubles = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

SHAPES: Doubles = np.arange(0.2, 10.001, 0.001)
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Right, below, and the two diagonals, as (rows, columns)."""


def _log_gamma(of: Doubles) -> Doubles:
    return np.fromiter(map(math.lgamma, of), float)


GAMMA_1, GAMMA_2, GAMMA_3 = (_log_gamma(k / SHAPES) for k in (1, 2, 3))
"""Logarithms of Gamma(k / shape) for every shape of the table."""
_RATIOS: Doubles = np.exp(2 * GAMMA_2 - GAMMA_1 - GAMMA_3)
"""E|x|^2 / E(x^2), which rises with the shape."""


class Fit(NamedTuple):
    """Fitted distributions; not a number where a side is empty."""

    shape: npt.NDArray[np.intp]
    """Places in ``SHAPES``; the first where there is nothing to fit."""
    left: Doubles
    right: Doubles
    """Root mean square of the values below and above zero."""


class Moments(NamedTuple):
    """How many values lie below and above zero, and means over all; arrays of any one shape."""

    below: Doubles
    above: Doubles
    absolute: Doubles
    squares: Doubles
    signed_squares: Doubles
    """Of squares that keep their value's sign."""
    number: Doubles
    """Of all values."""


def moments(maps: Floats) -> Moments:
    """The moments of each of the pictures [n, h, w]."""
    flat = maps.reshape(len(maps), -1)
    size = np.abs(flat)
    below = _how_many(flat < 0)
    number = np.full(len(flat), flat.shape[1], float)
    return Moments(
        below=below,
        above=number - below - (0 if size.all() else _how_many(size == 0)),
        absolute=np.vecdot(size, np.ones_like(size[0])) / number,
        squares=np.vecdot(flat, flat) / number,
        signed_squares=np.vecdot(flat, size) / number,
        number=number,
    )


def neighbour_moments(maps: Floats) -> Moments:
    """The moments of the products of neighbouring values, arrays [4, n]: right, below and both diagonals."""
    return Moments(*map(np.stack, zip(*map(moments, _neighbour_products(maps)), strict=True)))


def symmetric(of: Moments) -> npt.NDArray[np.intp]:
    """The shapes of distributions that are alike on both sides, as places in ``SHAPES``."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _nearest(of.absolute**2 / of.squares)


def asymmetric(of: Moments) -> Fit:
    """Fitted distributions with two widths."""
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt(np.maximum(of.squares - of.signed_squares, 0) / 2 * of.number / of.below)
        right = np.sqrt(np.maximum(of.squares + of.signed_squares, 0) / 2 * of.number / of.above)
        skew = left / right
        ratio = of.absolute**2 / of.squares * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    return Fit(_nearest(ratio), left, right)


def _neighbour_products(maps: Floats) -> Iterator[Floats]:
    """Each value times its neighbour, which for the outermost ones is at the other end of the picture.

    One after the other in the same memory. The maps must lie in memory in their order.
    """
    count, _, width = maps.shape
    products = np.empty(maps.shape, np.float32)
    flat, into = maps.reshape(count, -1), products.reshape(count, -1)
    for rows, columns in _NEIGHBOURS:
        step = rows * width + columns
        np.multiply(flat[:, step:], flat[:, :-step], out=into[:, step:])
        if rows:
            products[:, 0] = maps[:, 0] * np.roll(maps[:, -1], columns, axis=-1)
        if columns:
            outer, opposite = (0, -1) if columns > 0 else (-1, 0)
            products[:, :, outer] = maps[:, :, outer] * np.roll(maps[:, :, opposite], rows, axis=-1)
        yield products


def _how_many(true: Truths) -> Doubles:
    """How many are true in each row."""
    counted: Doubles = np.bitwise_count(np.packbits(true, axis=-1)).sum(axis=-1, dtype=np.float64)
    return counted


def _nearest(ratio: Any) -> npt.NDArray[np.intp]:
    above = np.searchsorted(_RATIOS, ratio).clip(1, len(_RATIOS) - 1)
    place = above - (ratio - _RATIOS[above - 1] <= _RATIOS[above] - ratio)
    return np.where(np.isnan(ratio), 0, place)
