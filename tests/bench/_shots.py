"""Ten years of somebody's photography, made up: when, in bursts and seasons, with which camera, of what."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

FIRST, LAST = date(2016, 1, 1), date(2025, 12, 31)

CAMERAS = (
    ("Canon", "Canon EOS 6D", "EF24-105mm f/4L IS USM", date(2016, 1, 1), date(2020, 6, 1), 2.0),
    ("Apple", "iPhone SE", None, date(2016, 5, 1), date(2019, 10, 1), 1.5),
    ("Sony", "ILCE-7M3", "FE 24-70mm F2.8 GM", date(2019, 3, 1), LAST, 3.0),
    ("Apple", "iPhone 11 Pro", None, date(2019, 10, 1), date(2023, 3, 1), 2.0),
    ("Google", "Pixel 8", None, date(2023, 3, 1), LAST, 2.5),
    ("FUJIFILM", "X100V", None, date(2021, 4, 1), LAST, 1.0),
    (None, None, None, FIRST, LAST, 0.6),
)
"""Make, model, lens, in use from and until, share. The last one are pictures that came without EXIF."""

FRAMES = (
    ((6000, 4000), 0.36),
    ((4032, 3024), 0.27),
    ((4000, 6000), 0.13),
    ((3024, 4032), 0.14),
    ((3840, 2160), 0.05),
    ((2160, 3840), 0.02),
    ((3000, 3000), 0.02),
    ((9000, 3000), 0.01),
)
"""Width and height, share."""

FORMATS = (("JPEG", 0.93), ("PNG", 0.04), ("WEBP", 0.03))


class Shot(NamedTuple):
    """One photo before it has pixels."""

    taken: float
    camera: int
    frame: int
    format: str
    scene: int
    """Shots of one scene look alike."""
    picture: int
    """Which of the distinct pictures it shows."""


def shots(count: int, pictures: int, seed: int = 0) -> list[Shot]:
    """``count`` shots by rising time; the same for the same arguments."""
    random = np.random.default_rng(seed)
    weights = _days(random)
    found: list[Shot] = []
    scenes = 0
    while len(found) < count:
        day = FIRST + timedelta(days=int(random.choice(len(weights), p=weights)))
        outing, scenes = _outing(random, day, scenes, pictures)
        found += outing
    return sorted(found[:count])


def _days(random: np.random.Generator) -> np.ndarray:
    """How much is photographed on each day: more in summer, at weekends, on journeys and over the years."""
    days = (LAST - FIRST).days + 1
    weights = random.lognormal(0, 0.7, days)
    for number in range(days):
        day = FIRST + timedelta(days=number)
        summer = max(0.0, math.cos(2 * math.pi * (day.timetuple().tm_yday - 205) / 365))
        christmas = 2.0 if (day.month, day.day) in {(12, 24), (12, 25), (12, 31)} else 0.0
        weights[number] *= (0.4 + 1.6 * summer + christmas) * (2.2 if day.weekday() >= 5 else 1.0) * (1 + number / days)
    for start in random.integers(0, days, 28):
        weights[start : start + int(random.integers(4, 16))] *= 8
    return np.asarray(weights / weights.sum())


def _outing(random: np.random.Generator, day: date, scenes: int, pictures: int) -> tuple[list[Shot], int]:
    """The shots of some hours with one camera, and the number of scenes so far."""
    shares = np.array([share if since <= day <= until else 0.0 for *_, since, until, share in CAMERAS])
    camera = int(random.choice(len(CAMERAS), p=shares / shares.sum()))
    at = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    at += float(np.clip(random.normal(14, 3.3), 0.5, 22)) * 3600
    left, found = min(300, 1 + int(random.lognormal(1.9, 1.2))), list[Shot]()
    while left > 0:
        scenes += 1
        picture, frame = int(random.integers(pictures)), _drawn(random, [share for _, share in FRAMES])
        kind = FORMATS[_drawn(random, [share for _, share in FORMATS])][0]
        for gap in _gaps(random, min(left, 1 + int(random.geometric(0.12)))):
            at += gap
            found.append(Shot(at, camera, frame, kind, scenes, picture))
            left -= 1
    return found, scenes


def _gaps(random: np.random.Generator, count: int) -> Iterator[float]:
    """Seconds between the shots of a scene: some are bursts, a fraction of a second apart."""
    burst = count >= 3 and random.random() < 0.3
    yield float(random.exponential(300)) + 20
    for _ in range(count - 1):
        yield float(random.uniform(0.1, 0.5)) if burst else float(random.exponential(25)) + 1


def _drawn(random: np.random.Generator, shares: list[float]) -> int:
    return int(random.choice(len(shares), p=shares))
