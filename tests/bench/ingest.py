"""Seconds a photo of the naive pipeline by those of the daemon, 12 megapixels: at least 50 times, aim 200.

Both compute the same: thumbnail, description, one vector, the default metrics (as far as their parameter
files are there). Ours is a running daemon with its models loaded; what is timed is its steady state, from the
first commit of an arriving directory to the last score of it, all of it durable. The other is
``_naive.py``, one photo at a time with all cores for its models. They take turns; the value is the median of the
rounds' ratios.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import _setup, corpus
from tests.bench._naive import Naive
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result
from tests.harness import Daemon

BASE = 24
"""Distinct pictures; a round's photos are these with other bytes behind them."""
EVERY = 0.1
"""Seconds between two looks at how far it is."""


class Ours:
    """A daemon that is given one directory of new photos after the other."""

    def __init__(self, running: Daemon, root: Path, base: Sequence[Path], count: int) -> None:
        self._running = running
        self._root = root
        self._base = base
        self._count = count
        self._rounds = 0

    def __call__(self) -> float:
        """Seconds a photo, from the first commit to the last."""
        before = self._running.ledger().get("indexed", 0)
        self._rounds += 1
        drop(self._base, self._root, self._rounds, self._count)
        seconds = self._seconds(before)
        _setup.at_rest(self._running)
        return seconds

    def _seconds(self, before: int) -> float:
        began, already, end = 0.0, 0, before + self._count
        while True:
            now, indexed = time.perf_counter(), self._running.ledger().get("indexed", 0)
            if indexed > before and not began:
                began, already = now, indexed
            if indexed == end and not _setup.unscored(self._running):
                return (time.perf_counter() - began) / max(1, end - already)
            time.sleep(EVERY)


def drop(base: Sequence[Path], root: Path, turn: int, count: int) -> None:
    """Put ``count`` photos into ``root`` at once, new ones each ``turn``, when they are safely on the disk."""
    aside = root.parent / f"aside-{turn}"
    corpus.copies(base, aside, count, first=turn * count)
    aside.rename(root / aside.name)


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
        naive = Naive(place / "naive", _setup.settings(tables))
        stack.callback(naive.close)
        (place / "photos").mkdir()
        running = stack.enter_context(_setup.daemon(place / "daemon", place / "photos", tables))
        drop(base, place / "photos", 0, 8)
        running.settled(8)
        _setup.at_rest(running)
        require_quiet(given.anyway)
        taken = iter(base * (rounds * naive_photos))

        def theirs() -> float:
            began = time.perf_counter()
            for _ in range(naive_photos):
                naive.take(next(taken))
            return (time.perf_counter() - began) / naive_photos

        ours = Ours(running, place / "photos", base, photos)
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
