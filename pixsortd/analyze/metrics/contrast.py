"""What NIQE, BRISQUE and PIQE share of a picture: its luma, that at half the size, and their local contrast.

Local contrast is the "mean subtracted, contrast normalised" (MSCN) map of Mittal, Moorthy and Bovik, "No-Reference
Image Quality Assessment in the Spatial Domain", IEEE Transactions on Image Processing 21 (2012): each pixel less the
mean of its 7 x 7 Gaussian window, over that window's standard deviation plus one.

All maps are float32 [h, w]; luma is on the scale 0..255. Each is derived once of a picture, see ``Picture.once``.
"""

from typing import Literal

import numpy as np

from pixsortd.analyze.metrics.filters import band, filtered
from pixsortd.analyze.ports import Floats, Picture

LONG_SIDE = 768
"""Pixels these metrics are computed at. At 512 they hardly see blur, noise or compression of a photo that fills a
screen (BRISQUE ranked 54 % of such steps rightly, at 768 69 %, at 1024 71 %; see ``tests.bench scoresize``)."""
RIM = 3
"""Pixels that a window reaches beyond its centre."""
_LUMA = np.array((0.299, 0.587, 0.114), np.float32)
_MIDDLE = np.float32(128)
_KEPT = np.float32(1 - 5e-7)
"""Even areas come out as a very small negative number instead of as rounding noise of either sign."""

Border = Literal["edge", "constant"]
"""What lies around a picture: its outermost pixels again, or black. In numpy's words."""


def _gaussian() -> Floats:
    weights = np.exp(-(np.arange(-RIM, RIM + 1) ** 2) / (2 * (7 / 6) ** 2))
    return np.asarray(weights / weights.sum(), np.float32)


def _cubic() -> Floats:
    """Bicubic (a = -1/2) stretched to twice its width, at the distances of the 8 pixels around a new one."""
    far = np.abs(np.arange(-1.75, 2, 0.5))
    inner, outer = 1.5 * far**3 - 2.5 * far**2 + 1, -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
    weights = np.where(far <= 1, inner, outer)
    return np.asarray(weights / weights.sum(), np.float32)


_WINDOW = band(_gaussian())
_HALVING = band(_cubic(), step=2)


def brightness(picture: Picture) -> Floats:
    """Luma (the Y of YIQ) before it is rounded."""
    height, width, _ = picture.pixels.shape
    light: Floats = picture.pixels.reshape(-1, 3).astype(np.float32) @ _LUMA
    return np.reshape(light, (height, width))


def luma(picture: Picture) -> Floats:
    """Luma in whole steps."""
    levels: Floats = np.rint(picture.once(brightness))
    return levels


def half_luma(picture: Picture) -> Floats:
    """Luma at half the size."""
    return halved(picture.once(luma))


def halved(levels: Floats) -> Floats:
    """Half the size, rounded up: bicubic over twice the width (MATLAB's ``imresize``), edges mirrored."""
    height, width = levels.shape
    around = np.pad(levels, ((RIM, RIM + height % 2), (RIM, RIM + width % 2)), "symmetric")
    half: Floats = filtered(around[None], _HALVING)[0]
    return half


def inner_contrast(picture: Picture) -> Floats:
    """Local contrast of the luma where the window lies within the picture: [h - 6, w - 6]."""
    return _normalised(picture.once(luma))


def contrast(levels: Floats, border: Border, inner: Floats | None = None) -> Floats:
    """Local contrast of every pixel; ``inner`` is that away from the edges where it is known already."""
    around = np.pad(levels, RIM, border)
    if inner is None:
        return _normalised(around)
    whole, reach = np.empty_like(levels), 3 * RIM
    whole[RIM:-RIM, RIM:-RIM] = inner
    whole[:RIM], whole[-RIM:] = _normalised(around[:reach]), _normalised(around[-reach:])
    whole[:, :RIM], whole[:, -RIM:] = _normalised(around[:, :reach]), _normalised(around[:, -reach:])
    return whole


def _normalised(levels: Floats) -> Floats:
    """Local contrast without the rim. Squares are taken around the middle grey, where float32 is finest."""
    pair = np.empty((2, *levels.shape), np.float32)
    pair[0] = levels
    np.subtract(levels, _MIDDLE, out=pair[1])
    np.multiply(pair[1], pair[1], out=pair[1])
    mean, spread = filtered(pair, _WINDOW)
    result: Floats = levels[RIM:-RIM, RIM:-RIM] * _KEPT
    result -= mean
    mean -= _MIDDLE
    mean *= mean
    spread -= mean
    np.abs(spread, out=spread)
    np.sqrt(spread, out=spread)
    spread += 1
    result /= spread
    return result
