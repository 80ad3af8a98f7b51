"""``builtin``: a descriptor that needs no weights, so that grouping works before any model is there.

Five views of one small picture, each a block of the vector: colour layout, colour histogram, edge
directions, local binary patterns, and the covariance of position, colour and gradient. Every block
is centred on what it gives for synthetic pictures of natural statistics, brought to unit length, and
weighted; so the cosine of two photos is the weighted mean of five cosines. A fixed function of the
pixels in numpy alone.

Papers: Dalal and Triggs 2005 (edge directions); Ojala, Pietikäinen and Mäenpää 2002 (uniform local
binary patterns); Tuzel, Porikli and Meer 2006 with Arsigny et al. 2006 (log-Euclidean region
covariance); Ruderman and Bialek 1994 (the 1/f spectrum of natural scenes).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from pixsortd.analyze.ports import Array, Floats
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.records import Space

SIDE = 96
VERSION = 1
_SYNTHETIC = 32
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_STEP = 0.01
"""A neighbour counts as brighter from this on, in 0..1: a little above sensor noise."""


class Planes(NamedTuple):
    """One batch of small pictures in the forms the views look at."""

    pixels: Floats
    """Red, green, blue in 0..1, [n, SIDE, SIDE, 3]."""
    opponent: Floats
    """Brightness, red against green, yellow against blue, of the same shape."""
    half: Floats
    """``opponent`` at half the size."""

    @property
    def grey(self) -> Floats:
        """Brightness alone, [n, SIDE, SIDE]."""
        return self.opponent[..., 0]


class Builtin:
    """The family of one."""

    names = ("builtin",)
    license = "MIT"
    needs_weights = False

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> "Descriptor":  # noqa: ARG002 - the port's
        """The descriptor; it runs on the CPU whatever ``device`` says."""
        return Descriptor(name)


class Descriptor:
    """The weight-free embedder behind the :class:`pixsortd.analyze.ports.Embedder` port."""

    device = "cpu"
    needs = SIDE

    def __init__(self, name: str) -> None:
        self._centres = [view(_planes(_synthetic(_SYNTHETIC))).mean(0) for view, _ in VIEWS]
        dim = sum(centre.size for centre in self._centres)
        self.space = Space(
            name=name,
            model="builtin",
            revision=f"v{VERSION}",
            preprocessing=f"v1; rgb; resize=squash:{SIDE}x{SIDE}:bilinear; scale=1/255",
            dim=dim,
        )

    def prepare(self, view: ImageView) -> Array:
        """The vector already, of the whole picture whatever its aspect: here all threads work on it, later one."""
        pixels = np.asarray(view.resized((SIDE, SIDE), Image.Resampling.BILINEAR))
        vector: Array = self._described(pixels[None])[0]
        return vector

    def embed(self, batch: Array) -> Floats:
        """Unit vectors, float32 [n, dim]."""
        return batch

    def _described(self, pixels: Array) -> Floats:
        """Unit vectors of uint8 [n, SIDE, SIDE, 3]."""
        planes = _planes(np.divide(pixels, 255, dtype=np.float32))
        blocks = [
            weight**0.5 * _unit(view(planes) - centre)
            for (view, weight), centre in zip(VIEWS, self._centres, strict=True)
        ]
        return _unit(np.concatenate(blocks, axis=1)).astype(np.float32)


def _planes(pixels: Floats) -> Planes:
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    opponent = np.stack([grey, red - green, (red + green) / 2 - blue], axis=-1)
    return Planes(pixels, opponent, _pooled(opponent, SIDE // 2))


def _pooled(planes: Floats, cells: int) -> Floats:
    n, side, _, channels = planes.shape
    step = side // cells
    pooled: Floats = planes.reshape(n, cells, step, cells, step, channels).mean(axis=(2, 4), dtype=np.float32)
    return pooled


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.maximum(length, 1e-9)
    return unit


def _histograms(codes: Array, weights: Floats | None, bins: int, cells: int) -> Floats:
    """Per picture and cell of a ``cells`` x ``cells`` grid, how often (or how much) each code occurs."""
    n, height, width = codes.shape
    rows = (np.arange(height) * cells // height)[:, None] * cells
    place = rows + np.arange(width) * cells // width
    flat = ((np.arange(n)[:, None, None] * cells * cells + place) * bins + codes).ravel()
    counts = np.bincount(flat, None if weights is None else weights.ravel(), n * cells * cells * bins)
    return counts.reshape(n, cells * cells, bins).astype(np.float32)


def _layout(planes: Planes) -> Floats:
    """Mean colour on a 6 x 6 grid: what is where."""
    return _pooled(planes.opponent, 6).reshape(len(planes.opponent), -1)


def _edges(planes: Planes) -> Floats:
    """Edge directions, 8 of them, on a 4 x 4 grid; the square root tames single strong edges."""
    dy, dx = _gradient(planes.grey)
    strength: Floats = np.hypot(dx, dy)
    turn = np.arctan2(dy, dx) / np.pi % 1 * 8
    lower = turn.astype(np.int64)
    share: Floats = (turn - lower).astype(np.float32)
    near = _histograms(lower % 8, strength * (1 - share), 8, 4)
    far = _histograms((lower + 1) % 8, strength * share, 8, 4)
    return _unit(np.sqrt(near + far).reshape(len(dx), -1))


def _gradient(plane: Floats) -> tuple[Floats, Floats]:
    dy, dx = np.zeros_like(plane), np.zeros_like(plane)
    dy[:, 1:-1] = plane[:, 2:] - plane[:, :-2]
    dx[:, :, 1:-1] = plane[:, :, 2:] - plane[:, :, :-2]
    return dy, dx


def _uniform_codes() -> Array:
    """The number of each 8-bit ring pattern: the 58 with at most two changes, all others together."""
    rings = (np.arange(256)[:, None] >> np.arange(8)) & 1
    smooth = (rings != np.roll(rings, -1, axis=1)).sum(axis=1) <= 2
    return np.where(smooth, np.cumsum(smooth) - 1, smooth.sum())


_CODES = _uniform_codes()
_BINS = int(_CODES.max()) + 1


def _texture(planes: Planes) -> Floats:
    """Local patterns of brightness in four quarters."""
    grey = planes.grey
    side = grey.shape[1]
    centre = grey[:, 1:-1, 1:-1] + _STEP
    codes = np.zeros(centre.shape, np.int64)
    for bit, (dy, dx) in enumerate(_RING):
        codes |= (grey[:, 1 + dy : side - 1 + dy, 1 + dx : side - 1 + dx] >= centre).astype(np.int64) << bit
    return _unit(np.sqrt(_histograms(_CODES[codes], None, _BINS, 2)).reshape(len(grey), -1))


def _colours(planes: Planes) -> Floats:
    """Which colours there are: 12 hues of 3 saturations and 3 brightnesses, and 8 greys."""
    red, green, blue = np.moveaxis(planes.pixels, -1, 0)
    bright, dark = planes.pixels.max(axis=-1), planes.pixels.min(axis=-1)
    saturation = (bright - dark) / np.maximum(bright, 1e-3)
    hue = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * np.pi) % 1
    chromatic = (_level(hue, 12) * 3 + _level(saturation, 3)) * 3 + _level(bright, 3)
    codes = np.where((saturation > 0.12) & (bright > 0.15), chromatic, 12 * 3 * 3 + _level(bright, 8))
    return _unit(np.sqrt(_histograms(codes, None, 12 * 3 * 3 + 8, 1)).reshape(len(codes), -1))


def _level(values: Floats, levels: int) -> Array:
    return np.minimum((values * levels).astype(np.int64), levels - 1)


def _covariance(planes: Planes) -> Floats:
    """How position, colour and gradient vary together in four quarters: logarithms of covariance matrices."""
    n, side = planes.half.shape[:2]
    dy, dx = _gradient(planes.half[..., 0])
    places = np.broadcast_to(np.linspace(0, 1, side, dtype=np.float32), (n, side, side))
    colours = [4 * planes.half[..., channel] for channel in range(3)]
    fields = np.stack([*colours, *(4 * f for f in (dx, dy, np.abs(dx), np.abs(dy))), places, places.swapaxes(1, 2)], -1)
    count, half = fields.shape[-1], side // 2
    quarters = fields.reshape(n, 2, half, 2, half, count).swapaxes(2, 3).reshape(n, 4, half * half, count)
    quarters = quarters - quarters.mean(axis=2, keepdims=True)
    matrices = quarters.swapaxes(2, 3) @ quarters / quarters.shape[2] + 1e-3 * np.eye(count, dtype=np.float32)
    values, vectors = np.linalg.eigh(matrices)
    logarithms = (vectors * np.log(values)[..., None, :]) @ vectors.swapaxes(2, 3)
    upper = np.triu_indices(count)
    return np.asarray(logarithms[..., upper[0], upper[1]].reshape(n, -1), np.float32)


VIEWS: tuple[tuple[Callable[[Planes], Floats], float], ...] = (
    (_layout, 0.25),
    (_colours, 0.25),
    (_edges, 1.5),
    (_texture, 0.75),
    (_covariance, 1.0),
)
"""The blocks and their shares of the cosine, chosen by nearest neighbours on labelled photos."""


def _synthetic(count: int) -> Floats:
    """Pictures of 1/f colour noise, the spectrum of natural scenes: what "average" means here.

    The legacy generator is used because numpy promises that its numbers never change.
    """
    random = np.random.RandomState(20240229)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(random.standard_normal((count, 3, SIDE, SIDE))) / frequency
    noise = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    noise /= noise.std(axis=(2, 3), keepdims=True)
    colour = np.stack(
        [noise[:, 0] + 0.3 * noise[:, 1], noise[:, 0] - 0.15 * noise[:, 1], noise[:, 0] + 0.3 * noise[:, 2]], -1
    )
    return (0.5 + 0.2 * colour).clip(0, 1).astype(np.float32)


family = Builtin()
