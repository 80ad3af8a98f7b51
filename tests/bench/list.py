"""List calls on a large idle library: first page, deep page, outline, one full month; p50 and p99 over HTTP.

The library is made first (about two minutes for 100,000 photos), or with ``--library DIR`` one is used
that ``python -m tests.bench library --out DIR`` made. ``outline cold`` is asked with other bounds each
time, so that nothing is remembered.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.common import options, require_quiet, result
from tests.bench.latency import p99
from tests.bench.library import SETTINGS, make
from tests.harness import Daemon


def timed(daemon: Daemon, paths: Callable[[int], str], calls: int) -> list[float]:
    """Milliseconds of calls, the first of them left out."""
    times = []
    for number in range(calls + 1):
        begin = time.perf_counter()
        status, _, _ = daemon.request(paths(number))
        times.append((time.perf_counter() - begin) * 1000)
        assert status == 200
    return times[1:]


def deep(daemon: Daemon, photos: int) -> str:
    """The cursor of a page three quarters down the list."""
    cursor, seen = "", 0
    while seen < 0.75 * photos:
        page = daemon.get(f"/api/images?limit=500{cursor}")
        seen += len(page["items"])
        cursor = f"&cursor={page['next_cursor']}"
    return cursor


def main(arguments: list[str]) -> dict[str, Any]:
    """Ask each call many times, one after the other."""
    parser = options("list", __doc__, "2,000 photos, fewer calls")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--library", type=Path, help="use this made library")
    given = parser.parse_args(arguments)
    photos, calls = (2_000, 40) if given.quick else (given.photos, 300)
    with ExitStack() as stack:
        if given.library is None:
            daemon = make(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "library", photos)
        else:
            out = given.library.resolve()
            daemon = Daemon(out, [out / "photos"], SETTINGS)
        begin = time.perf_counter()
        stack.enter_context(daemon)
        ready = time.perf_counter() - begin
        photos = daemon.settled(None, 300)["indexed"]
        outline = daemon.get("/api/images/timeline")
        largest = max(outline["items"], key=lambda bucket: bucket["count"])
        usual = min(outline["items"], key=lambda bucket: abs(bucket["count"] - 3000))
        behind = deep(daemon, photos)
        require_quiet(given.anyway)
        asked: dict[str, tuple[Callable[[int], str], int]] = {
            "first page of 100": (lambda _: "/api/images?limit=100", calls),
            "deep page of 100": (lambda _: f"/api/images?limit=100{behind}", calls),
            "outline": (lambda _: "/api/images/timeline", calls),
            "outline cold": (lambda n: f"/api/images/timeline?from=1970-01-01T00:{n // 60:02}:{n % 60:02}", calls // 3),
            f"bucket of {usual['count']}": (lambda _: f"/api/images/timeline/{usual['key']}", calls // 10),
            f"bucket of {largest['count']}": (lambda _: f"/api/images/timeline/{largest['key']}", calls // 10),
        }
        times = {name: timed(daemon, paths, count) for name, (paths, count) in asked.items()}
        memory = daemon.core.memory_info().rss / 2**20
        bucket = len(daemon.request(f"/api/images/timeline/{usual['key']}")[2])
    detail: dict[str, Any] = {
        f"{name}, p50 / p99 ms": (round(statistics.median(found), 2), round(p99(found), 2))
        for name, found in times.items()
    }
    detail |= {
        "photos": photos,
        "months": len(outline["items"]),
        "outline bytes": len(json.dumps(outline)),
        "bucket bytes": bucket,
        "seconds to start": round(ready, 2),
        "core MB": round(memory, 1),
    }
    return result("list", p99(times["outline cold"]), "<= 100 cold outline p99", lambda v: v <= 100, "ms", detail)
