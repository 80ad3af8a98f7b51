"""Which size NIQE, BRISQUE and PIQE should be computed at: do scores of a reduced photo rank as those of the whole one?

Photos of 2 megapixels and more, whole and in pieces as large as a small camera's pictures, each as it is and blurred,
noisy and compressed in steps. Every version is scored whole and at each size, and Spearman's rank correlation of the
two is printed: over all versions of all photos, over the photos as they are, and over the versions of one photo (the
median), which is what decides the best of a burst. "right" is the share of steps that the score calls worse than the
step before, which is what a score is for. Beside it stands what a size costs, and how many versions have no score.

Needs real photos: a directory of some, or the test material beside the project.
"""

import io
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from pixsortd.analyze.decode import Decoder, Need
from pixsortd.analyze.metrics import brisque, niqe, piqe
from pixsortd.analyze.metrics.contrast import LONG_SIDE
from pixsortd.analyze.ports import Picture, PictureMetric
from pixsortd.analyze.thumbnail import resized
from pixsortd.analyze.view import ImageView
from pixsortd.config import DecodeSettings
from pixsortd.errors import PixsortdError
from tests.bench.common import options, result
from tests.conftest import SHARED

SIZES = (256, 384, 512, 768, 1024)
PIECE = (1600, 1200)
LEAST = 2_000_000
"""Pixels of a photo that is used whole."""

FULLY = Need(long_side=1 << 20, short_side=1 << 20)
PLAIN = "as it is"
KINDS = ("blurred", "noisy", "compressed")
WHOLE = 0
"""Stands for the size a photo has."""

Change = Callable[[Image.Image, float], Image.Image]
Scores = dict[str, list[dict[str, float]]]
"""By metric, of each photo, by version."""


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Print the table; the value is the least rank correlation at the present size over all versions."""
    parser = options("tests.bench scoresize", __doc__, "one version of each kind, the first three photos")
    parser.add_argument("--photos", type=Path, default=SHARED / "formats", help="a directory of photos")
    parser.add_argument("--parameters", type=Path, default=SHARED / "weights", help="parameter files of the metrics")
    given = parser.parse_args(arguments)
    metrics = _metrics(given.parameters)
    scores: dict[int, Scores] = {size: {name: [] for name in metrics} for size in (WHOLE, *SIZES)}
    cost = dict.fromkeys(SIZES, 0.0)
    for photo in itertools.islice(_photos(given.photos), 3 if given.quick else None):
        for found in itertools.chain.from_iterable(one.values() for one in scores.values()):
            found.append({})
        for version, changed in _versions(photo, given.quick):
            for size, of in scores.items():
                shown = changed if size == WHOLE else resized(ImageView.of(changed), size)
                began = time.process_time()
                picture = Picture(np.asarray(shown))
                for name, metric in metrics.items():
                    of[name][-1][version] = metric.measure(picture)
                if size in cost:
                    cost[size] += time.process_time() - began
    versions = sum(map(len, scores[WHOLE]["piqe"]))
    if not versions:
        parser.error(f"no photos of {LEAST / 1e6:.0f} megapixels or more in {given.photos}")
    table = {
        f"{name} {f'at {size}' if size else 'whole'}": _line(scores[WHOLE][name], scores[size][name])
        for name, size in itertools.product(metrics, (*SIZES, WHOLE))
    }
    costs = {"ms for all three": {size: round(seconds * 1000 / versions, 1) for size, seconds in cost.items()}}
    least = min(table[f"{name} at {LONG_SIDE}"]["all"] for name in metrics)
    detail = {"photos": len(scores[WHOLE]["piqe"]), "versions": versions, **table, **costs}
    return result("scoresize", least, ">= 0.6", lambda rank: rank >= 0.6, f"rank correlation at {LONG_SIDE}", detail)


def _metrics(parameters: Path) -> dict[str, PictureMetric]:
    return {
        "niqe": niqe.family.load("niqe", str(parameters / "niqe_modelparameters.mat"), 512, "cpu"),
        "brisque": brisque.family.load("brisque", str(parameters / "brisque_svm_weights.pth"), 512, "cpu"),
        "piqe": piqe.family.load("piqe", None, 512, "cpu"),
    }


# --- photos --------------------------------------------------------------------------------------


def _photos(directory: Path) -> Iterator[Image.Image]:
    """Whole photos and, of the larger ones, pieces of their middle."""
    decoder = Decoder(DecodeSettings())
    for path in sorted(directory.rglob("*")):
        try:
            view = decoder.decode(path.read_bytes(), FULLY).view
        except (OSError, PixsortdError):
            continue
        if view.width * view.height >= LEAST:
            photo = resized(view, FULLY.long_side)
            yield from filter(_shows_something, (photo, *_pieces(photo)))


def _shows_something(photo: Image.Image) -> bool:
    """Whether it is not of one colour, which has no quality to be ranked."""
    return bool(np.asarray(photo.convert("L").resize((64, 64))).std() > 8)


def _pieces(photo: Image.Image) -> Iterator[Image.Image]:
    width, height = PIECE if photo.width >= photo.height else PIECE[::-1]
    across, down = photo.width // width, photo.height // height
    if across * down < 2:
        return
    left, top = (photo.width - across * width) // 2, (photo.height - down * height) // 2
    for row, column in itertools.product(range(down), range(across)):
        x, y = left + column * width, top + row * height
        yield photo.crop((x, y, x + width, y + height))


def _versions(photo: Image.Image, quick: bool) -> Iterator[tuple[str, Image.Image]]:
    """A photo as it is, and worse in steps that can be seen on a screen: they grow with the photo."""
    yield PLAIN, photo
    scale = math.sqrt(photo.width * photo.height / (PIECE[0] * PIECE[1]))
    kinds: tuple[tuple[Change, tuple[float, ...]], ...] = (
        (_blurred, (1 * scale, 2 * scale, 4 * scale)),
        (_noisy, (8, 20, 40)),
        (_compressed, (40, 15, 6)),
    )
    for kind, (change, steps) in zip(KINDS, kinds, strict=True):
        for step in steps[1:2] if quick else steps:
            yield f"{kind} {step:.1f}", change(photo, step)


def _blurred(photo: Image.Image, sigma: float) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(sigma))


def _noisy(photo: Image.Image, sigma: float) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, sigma, (photo.height, photo.width, 3)).astype(np.float32)
    return Image.fromarray((np.asarray(photo, np.float32) + noise).clip(0, 255).astype(np.uint8))


def _compressed(photo: Image.Image, quality: float) -> Image.Image:
    kept = io.BytesIO()
    photo.save(kept, "JPEG", quality=int(quality))
    return Image.open(kept).convert("RGB")


# --- figures -------------------------------------------------------------------------------------


def _line(whole: list[dict[str, float]], reduced: list[dict[str, float]]) -> dict[str, float]:
    every = [(a[v], b[v]) for a, b in zip(whole, reduced, strict=True) for v in a]
    plain = [(a[PLAIN], b[PLAIN]) for a, b in zip(whole, reduced, strict=True)]
    within = [_spearman([(a[v], b[v]) for v in a]) for a, b in zip(whole, reduced, strict=True)]
    return {
        "all": round(_spearman(every), 3),
        "as they are": round(_spearman(plain), 3),
        "within one": round(statistics.median(rank for rank in within if not math.isnan(rank)), 3),
        "right": round(_right(reduced), 3),
        "no score": sum(math.isnan(b) for _, b in every),
    }


def _right(photos: list[dict[str, float]]) -> float:
    """The share of steps that are scored worse than the step before; less is better in all three metrics."""
    steps = []
    for scores in photos:
        for kind in KINDS:
            line = [scores[PLAIN], *(score for version, score in scores.items() if version.startswith(kind))]
            steps += [later > former for former, later in itertools.pairwise(line)]
    return sum(steps) / len(steps)


def _spearman(pairs: list[tuple[float, float]]) -> float:
    """Rank correlation of the pairs that have both numbers."""
    from scipy.stats import spearmanr

    known = [pair for pair in pairs if not any(map(math.isnan, pair))]
    return float(spearmanr(*zip(*known, strict=True)).statistic) if len(known) > 2 else math.nan
