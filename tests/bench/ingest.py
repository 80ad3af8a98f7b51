"""Seconds a photo of the naive pipeline by those of the daemon, 12 megapixels: at least 50 times, aim 200.

Both compute the same: thumbnail, description, one vector, the default metrics (as far as their parameter
files are there). Ours is a running daemon with its models loaded; what is timed is its steady state, from the
first commit of an arriving directory to the last score of it, all of it durable. The other is
``_naive.py``, one photo at a time with all cores for its models. They take turns; the value is the median of the
rounds' ratios.
"""

import itertools
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pixsortd.analyze.device import resolve_device
from tests.bench import _setup, corpus
from tests.bench._naive import Naive
from tests.bench._steady import Steady, daemon
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result

BASE = 24
"""Distinct pictures; a round's photos are these with other bytes behind them."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Let both take photos in, in turn."""
    parser = options("ingest", __doc__, "one short round")
    parser.add_argument("--space", choices=_setup.SPACES, default="builtin", help="the embedding space of both")
    parser.add_argument("--megapixels", type=int, default=12)
    parser.add_argument("--photos", type=int, default=192, help="of ours in a round")
    parser.add_argument("--corpus", type=Path, help="where the photos are kept between runs")
    given = parser.parse_args(arguments)
    photos, naive_photos, rounds = (64, 1, 1) if given.quick else (given.photos, 2, 5)
    home = corpus.home(given.corpus)
    base = corpus.photos(home / "photos", 8 if given.quick else BASE, given.megapixels)
    tables = _setup.tables(given.space)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=home)))
        naive = Naive(place / "naive", _setup.settings(tables), resolve_device("auto"))
        stack.callback(naive.close)
        (place / "photos").mkdir()
        running = stack.enter_context(daemon(place / "daemon", place / "photos", tables))
        ours = Steady(running, place / "photos", base, photos)
        require_quiet(given.anyway)
        taken = itertools.cycle(base)

        def theirs() -> float:
            began = time.perf_counter()
            for _ in range(naive_photos):
                naive.take(next(taken))
            return (time.perf_counter() - began) / naive_photos

        times = interleaved({"ours": ours, "naive": theirs}, rounds)
    mine = statistics.median(times["ours"])
    size = statistics.mean(path.stat().st_size for path in base)
    detail = {
        "seconds a photo, ours": round(mine, 4),
        "seconds a photo, naive": round(statistics.median(times["naive"]), 3),
        "photos a second, ours": round(1 / mine, 2),
        "megabytes a second, ours": round(size / mine / 1e6, 1),
        "rounds, ours": [round(one, 4) for one in times["ours"]],
        "rounds, naive": [round(one, 3) for one in times["naive"]],
        "naive by stage": {name: round(one / rounds / naive_photos, 3) for name, one in naive.seconds.items()},
        "space": given.space,
        "metrics": tables["score"]["metrics"],
        "photos": f"{given.megapixels} MP, {size / 1e6:.1f} MB, {photos} a round",
    }
    ratio = median_ratio(times, "naive", "ours")
    return result("ingest", ratio, ">= 50x, aim 200x", lambda v: v >= 50, "x", detail)
