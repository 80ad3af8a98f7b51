"""Peak memory of core, worker and analyst while a library is taken in, grouped and searched; the worker's by pixels.

The library is of small files, for what counts there is their number. The value is the core's peak in megabytes, with
what the kernel keeps of the mapped index in it; ``own`` leaves that out. After that a fresh worker analyses large
pictures: a batch of 12 MP, then single ones of 200 MP, as JPEG (decoded smaller) and as PNG (which is not).
"""

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.bench import _setup, corpus
from tests.bench._memory import Peaks
from tests.bench._scenes import photo
from tests.bench._steady import at_rest, daemon
from tests.bench.common import options, require_quiet, result

LARGE = 200
"""Megapixels."""
SEARCHES = 50


def main(arguments: list[str]) -> dict[str, Any]:
    """Fill a library, use it, then show a worker large pictures."""
    parser = options("memory", __doc__, "1,000 photos, 48 MP")
    parser.add_argument("--space", choices=_setup.SPACES, default="builtin", help="the embedding space")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path, help="where the photos are kept between runs")
    given = parser.parse_args(arguments)
    photos, large = (1_000, 48) if given.quick else (given.photos, LARGE)
    home = corpus.home(given.corpus)
    require_quiet(given.anyway)
    tables = _setup.tables(given.space)
    with tempfile.TemporaryDirectory(dir=home) as directory:
        place = Path(directory)
        peaks, detail = filled(place, photos, tables)
        for name, pictures in large_pictures(home, large).items():
            detail[f"worker's peak MB, {name}"] = megabytes(one_worker(place / name, pictures, tables).bytes)["worker"]
    detail["space"], detail["metrics"] = given.space, tables["score"]["metrics"]
    return result("memory", megabytes(peaks.bytes)["core"], "none", lambda _: True, "MB", detail)


def filled(place: Path, photos: int, tables: _setup.Tables) -> tuple[Peaks, dict[str, Any]]:
    """(peaks, figures) of a daemon that takes in so many small files, groups them and is searched."""
    corpus.small(place / "photos", photos)
    peaks = Peaks()
    with daemon(place / "daemon", place / "photos", tables) as running, peaks.watched(running.core, "core"):
        began = time.perf_counter()
        running.settled(photos, 7200)
        at_rest(running, 7200)
        seconds = time.perf_counter() - began
        taken_in = megabytes(peaks.bytes)
        running.post("/api/groups/recluster")
        at_rest(running, 7200)
        some = running.get(f"/api/images?limit={SEARCHES}")["items"]
        for one in some:
            running.get(f"/api/search?like={one['id']}&limit=100")
        time.sleep(1)
        now = running.core.memory_info().rss / 1e6
    return peaks, {
        "photos": photos,
        "seconds to take them in": round(seconds, 1),
        "peak MB while they were taken in": taken_in,
        "peak MB in all": megabytes(peaks.bytes),
        "of these own": megabytes(peaks.own),
        "core's MB afterwards": round(now),
    }


def one_worker(place: Path, pictures: list[Path], tables: _setup.Tables) -> Peaks:
    """Peaks of a fresh daemon that takes these in."""
    corpus.copies(pictures, place / "photos", len(pictures))
    peaks = Peaks()
    with daemon(place / "daemon", place / "photos", tables) as running, peaks.watched(running.core, "core"):
        ledger = running.settled(len(pictures), 1200)
        at_rest(running)
        assert ledger["indexed"] == len(pictures), ledger
        time.sleep(1)
    return peaks


def large_pictures(home: Path, megapixels: int) -> dict[str, list[Path]]:
    """Files by a word for them."""
    height = round(math.sqrt(megapixels * 1e6 / 2))
    found = {"a batch of 12 MP JPEG": corpus.photos(home / "photos", 24)}
    tile = photo(4000, 3000, 0, 0)
    for suffix, choices in (("jpg", {"quality": 90}), ("png", {"compress_level": 1})):
        path = home / f"panorama-{megapixels}.{suffix}"
        if not path.exists():
            times = -(-height // 3000), -(-2 * height // 4000), 1
            draft = path.with_stem(f"{path.stem}.part")
            Image.fromarray(np.tile(tile, times)[:height, : 2 * height]).save(draft, **choices)
            draft.rename(path)
        found[f"one of {megapixels} MP {suffix.upper()}"] = [path]
    return found


def megabytes(sizes: dict[str, int]) -> dict[str, int]:
    """Whole megabytes by kind of process."""
    return {kind: round(size / 1e6) for kind, size in sorted(sizes.items())}
