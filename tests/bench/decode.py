"""Decode, thumbnail and model input of one photo, ours against Pillow's full decode and two resizes of it.

Both start from the bytes in memory and end with the thumbnail as JPEG and a 224 x 224 array, by the same
filters. One thread each, in CPU seconds. The ratio is that of baseline JPEGs as cameras write them, the
lower of 12 and 24 megapixels; other ways of storing the same photos are told beside it.
"""

import io
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixsortd.analyze.decode import Decoder, Need
from pixsortd.analyze.describe import SHORT_SIDE
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.thumbnail import QUALITY, fitted, thumbnail
from pixsortd.config import DecodeSettings
from tests.bench import corpus
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result

MEGAPIXELS = (12, 24)
CHAIN = Preprocessing(size=(256, 256), crop=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""What most ImageNet models are shown."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Time both on the same photos, several a round."""
    parser = options("decode", __doc__, "one photo of each size, three rounds")
    given = parser.parse_args(arguments)
    each, rounds = (1, 3) if given.quick else (4, 7)
    library = {size: corpus.photos(corpus.home() / "photos", each, size) for size in MEGAPIXELS}
    require_quiet(given.anyway)
    ours = Ours()
    detail: dict[str, Any] = {}
    ratios = []
    for size, files in library.items():
        for kind, stored in KINDS.items():
            data = [stored(file) for file in files]
            contenders = {"ours": partial(_seconds, ours.take, data), "full": partial(_seconds, full, data)}
            times = interleaved(contenders, rounds)
            ratio = median_ratio(times, "full", "ours")
            ms = {name: round(1000 * statistics.median(taken) / each, 1) for name, taken in times.items()}
            detail[f"{size} MP {kind}"] = {"ratio": round(ratio, 2), "ours ms": ms["ours"], "full ms": ms["full"]}
            if kind == "baseline":
                ratios.append(ratio)
        detail[f"{size} MP bytes"] = round(statistics.mean(file.stat().st_size for file in files))
    return result("decode", min(ratios), ">= 5 (aim 9)", lambda v: v >= 5, "times faster", detail)


class Ours:
    """The decode threads' way."""

    def __init__(self) -> None:
        settings = DecodeSettings()
        self._decoder = Decoder(settings)
        self._thumbnail = settings.thumbnail
        self._need = Need(self._thumbnail, SHORT_SIDE)

    def take(self, data: bytes) -> None:
        """One decode for thumbnail and input."""
        view = self._decoder.decode(data, self._need).view
        thumbnail(view, self._thumbnail)
        CHAIN.apply(view)


def full(data: bytes) -> None:
    """Every pixel decoded, and resized twice from there."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    small = image.resize(fitted(image.size, DecodeSettings().thumbnail), Image.Resampling.BICUBIC)
    small.save(io.BytesIO(), "JPEG", quality=QUALITY)
    scale = CHAIN.size[0] / min(image.size)
    shown = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    height, width = CHAIN.crop
    left, top = (shown.width - width) // 2, (shown.height - height) // 2
    np.array(shown.crop((left, top, left + width, top + height)))


def _seconds(take: Callable[[bytes], None], photos: list[bytes]) -> float:
    began = time.thread_time()
    for data in photos:
        take(data)
    return time.thread_time() - began


def _stored(file: Path, **changes: Any) -> bytes:
    out = io.BytesIO()
    with Image.open(file) as image:
        image.save(out, "JPEG", **changes)
    return out.getvalue()


KINDS: dict[str, Callable[[Path], bytes]] = {
    "baseline": Path.read_bytes,
    "progressive": partial(_stored, quality="keep", progressive=True),
    "4:4:4": partial(_stored, quality=corpus.QUALITY, subsampling=0),
}
"""Ways a camera's photo is stored, by itself or by a program after it."""
