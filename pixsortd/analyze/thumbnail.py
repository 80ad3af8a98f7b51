"""Smaller pictures: the thumbnail, and the picture that is scored."""

import io

from PIL import Image

from pixsortd.analyze.view import ImageView

QUALITY = 82
"""JPEG: encodes in about 1 ms at 512 pixels, an eighth of WebP's time for a third more bytes."""


def fitted(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """``size`` scaled down, aspect kept, so that neither side exceeds ``long_side``; never up."""
    width, height = size
    longest = max(width, height)
    if longest <= long_side:
        return size
    return max(1, round(width * long_side / longest)), max(1, round(height * long_side / longest))


def resized(view: ImageView, long_side: int, resample: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    """The photo with its long side at ``long_side`` if it was longer, else at its own size."""
    return view.resized(fitted((view.width, view.height), long_side), resample, reducing_gap=2.0)


def thumbnail(view: ImageView, long_side: int) -> bytes:
    """The photo to look at: a small JPEG without any metadata."""
    # Half as wide a filter as the bicubic one, and nearly as good.
    small = resized(view, long_side, Image.Resampling.HAMMING)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
