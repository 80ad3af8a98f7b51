"""Pixels as a camera delivers them: surfaces of 1/f texture with edges, fine detail, blur and sensor noise."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SCENES = 4
"""Distinct scenes of a size and seed; photos differ by cut, mirroring, exposure and noise."""
MARGIN = 256
"""Pixels by which a scene is wider and higher than the photos cut from it."""


@lru_cache(maxsize=SCENES)
def scene(width: int, height: int, seed: int) -> Pixels:
    """A scene without sensor noise, height x width x 3: a sky, a ground, and things with texture before them."""
    random = np.random.default_rng((seed, width, height))
    texture = _texture(random, width, height, 1.25)
    fine = _texture(random, width, height, 0.75)
    colours = Image.new("RGB", (width, height))
    detail = Image.new("L", (width, height), 40)
    pens = ImageDraw.Draw(colours), ImageDraw.Draw(detail)
    horizon = int(height * random.uniform(0.25, 0.55))
    pens[0].rectangle((0, 0, width, horizon), fill=_colour(random, 140, 230))
    pens[0].rectangle((0, horizon, width, height), fill=_colour(random, 60, 150))
    pens[1].rectangle((0, 0, width, horizon), fill=12)
    for _ in range(60):
        _thing(random, pens, width, height)
    soft = detail.filter(ImageFilter.GaussianBlur(2))
    strength = np.asarray(soft, np.float32)[..., None] / np.float32(100)
    light = np.linspace(1.12, 0.88, height, dtype=np.float32)[:, None, None]
    pixels: Floats = np.asarray(colours.filter(ImageFilter.GaussianBlur(0.7)), np.float32) * light
    pixels += texture[..., None] * (np.float32(14) + np.float32(16) * strength)
    pixels += fine[..., None] * (np.float32(22) * strength)
    return pixels.clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=2)
def noise(width: int, height: int, seed: int) -> npt.NDArray[np.int16]:
    """Sensor noise as it looks after demosaicing: neighbours share some of it; standard deviation about 3."""
    random = np.random.default_rng((seed, 7))
    raw = random.standard_normal((height + 1, width + 1, 3), dtype=np.float32)
    mixed = raw[:-1, :-1] + np.float32(0.6) * (raw[1:, :-1] + raw[:-1, 1:]) + np.float32(0.36) * raw[1:, 1:]
    return np.asarray(np.rint(mixed * np.float32(3.0 / 1.36)), np.int16)


def photo(width: int, height: int, seed: int, number: int) -> Pixels:
    """The ``number``-th photo of a seed, height x width x 3: one of the scenes, cut, lit and noisy in its own way."""
    random = np.random.default_rng((seed, number))
    base = scene(width + MARGIN, height + MARGIN, seed * SCENES + number % SCENES)
    x, y = random.integers(0, MARGIN, 2)
    cut = base[y : y + height, x : x + width]
    cut = cut[:, ::-1] if random.random() < 0.5 else cut
    grain = noise(width, height, seed)
    grain = np.roll(grain, (int(random.integers(height)), int(random.integers(width))), (0, 1))
    ramp = np.arange(256, dtype=np.float32) / 255
    lit = np.rint(255 * ramp ** np.float32(random.uniform(0.85, 1.2))).astype(np.int16)
    return (lit[cut] + grain).clip(0, 255).astype(np.uint8)


def _texture(random: np.random.Generator, width: int, height: int, power: float) -> Floats:
    """Noise whose amplitude falls with the frequency's power, as natural surfaces have it; deviation 1."""
    rows = np.fft.fftfreq(height).astype(np.float32)[:, None]
    columns = np.fft.rfftfreq(width).astype(np.float32)[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1
    white = np.fft.rfft2(random.standard_normal((height, width), dtype=np.float32))
    field: Floats = np.fft.irfft2(white * frequency ** np.float32(-power), (height, width)).astype(np.float32)
    field -= field.mean()
    return field / field.std()


def _thing(
    random: np.random.Generator, pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw], width: int, height: int
) -> None:
    """Something with a sharp outline, a colour and a texture of its own."""
    x, y = random.uniform(0, width), random.uniform(0.2 * height, height)
    reach = float(min(width, height)) * float(random.lognormal(-2.6, 0.7))
    corners = int(random.integers(3, 12))
    turns = np.sort(random.uniform(0, 2 * np.pi, corners))
    far = reach * random.uniform(0.5, 1.2, corners)
    outline = [(float(x + r * np.cos(t)), float(y + r * np.sin(t))) for t, r in zip(turns, far, strict=True)]
    pens[0].polygon(outline, fill=_colour(random, 20, 235))
    pens[1].polygon(outline, fill=int(random.choice([8, 30, 60, 100, 140])))
    for _ in range(int(random.integers(0, 8))):
        ends = [(float(x + random.normal(0, reach)), float(y + random.normal(0, reach))) for _ in range(2)]
        pens[0].line(ends, fill=_colour(random, 0, 255), width=int(random.integers(1, 9)))


def _colour(random: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in random.integers(low, high, 3))
    return red, green, blue
