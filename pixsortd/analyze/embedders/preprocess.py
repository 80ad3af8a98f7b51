"""From a decoded photo to a model's input: resize, crop, and nothing that is not written down.

Pixel for pixel what torchvision's transforms do on a Pillow image (the models were trained with
them), but with Pillow and numpy alone, so that no library update can change it silently. The
canonical text of the whole chain is part of the embedding space.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from pixsortd.analyze.ports import Array
from pixsortd.analyze.view import ImageView
from pixsortd.errors import ModelProblem
from pixsortd.records import Record

VERSION = 1
_WIDEST = 4.0
"""Aspect ratio beyond which the ends are cut off before resizing: they never reach the crop."""
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}

Size = tuple[int, int]
"""(height, width)."""


class Preprocessing(Record, frozen=True, kw_only=True):
    """What is done to the pixels before the model sees them."""

    resize: str = "shortest"
    """``shortest``: that side to ``size[0]``; ``longest``: to fit into ``size``; ``cover``: to fill it;
    ``squash``: to it exactly, whatever the aspect."""
    size: Size
    crop: Size
    """The centre that is kept, padded with ``fill`` where the picture is smaller."""
    interpolation: str = "bicubic"
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fill: tuple[int, ...] = (0, 0, 0)

    def __post_init__(self) -> None:
        if self.resize not in _RESIZERS or self.interpolation not in _FILTERS:
            raise ModelProblem(
                f"this model wants {self.resize!r} resizing with {self.interpolation!r} interpolation, "
                "which is not supported",
                next_step=f"Supported: {', '.join(_RESIZERS)} with {', '.join(_FILTERS)}.",
            )

    @property
    def text(self) -> str:
        """The chain in words that never change for equal results."""
        numbers = "; ".join(
            f"{name}={','.join(f'{value:.6g}' for value in values)}"
            for name, values in (("mean", self.mean), ("std", self.std))
        )
        return (
            f"v{VERSION}; rgb; resize={self.resize}:{self.size[0]}x{self.size[1]}:{self.interpolation}; "
            f"crop=center:{self.crop[0]}x{self.crop[1]}:{'.'.join(map(str, self.fill))}; scale=1/255; {numbers}"
        )

    @property
    def needs(self) -> int:
        """Pixels of the short side below which resizing would have to invent detail."""
        return max(self.size)

    def apply(self, view: ImageView) -> Array:
        """uint8 [height, width, 3], RGB; mean and deviation are applied on the device."""
        view = view.middle(_WIDEST)
        target = _RESIZERS[self.resize](view.width, view.height, self.size)
        return np.array(_center(view.resized(target, _FILTERS[self.interpolation]), self.crop, self.fill))


def _shortest(width: int, height: int, size: Size) -> tuple[int, int]:
    short = size[0]
    return (short, int(short * height / width)) if width <= height else (int(short * width / height), short)


def _longest(width: int, height: int, size: Size) -> tuple[int, int]:
    ratio = max(height / size[0], width / size[1])
    return max(1, round(width / ratio)), max(1, round(height / ratio))


def _cover(width: int, height: int, size: Size) -> tuple[int, int]:
    ratio = min(height / size[0], width / size[1])
    return round(width / ratio), round(height / ratio)


def _squash(width: int, height: int, size: Size) -> tuple[int, int]:  # noqa: ARG001 - as its sisters
    return size[1], size[0]


_RESIZERS: dict[str, Callable[[int, int, Size], tuple[int, int]]] = {
    "shortest": _shortest,
    "longest": _longest,
    "cover": _cover,
    "squash": _squash,
}
"""From the photo's width and height to the width and height it is resized to."""


def _center(image: Image.Image, crop: Size, fill: tuple[int, ...]) -> Image.Image:
    height, width = crop
    if image.width < width or image.height < height:
        padded = Image.new("RGB", (max(width, image.width), max(height, image.height)), fill)
        padded.paste(image, (max(0, (width - image.width) // 2), max(0, (height - image.height) // 2)))
        image = padded
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return image.crop((left, top, left + width, top + height))
