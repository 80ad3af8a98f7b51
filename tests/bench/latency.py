"""Latency of the list call while an ingest and a recluster run, against the same call on an idle daemon."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.common import library, options, require_quiet, result
from tests.harness import Daemon, wait_until


def sample(daemon: Daemon, count: int) -> list[float]:
    """Milliseconds of ``count`` list calls."""
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        status, _, _ = daemon.request("/api/images?limit=100")
        times.append((time.perf_counter() - begin) * 1000)
        assert status == 200
        time.sleep(0.01)
    return times


def p99(times: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(times, n=100)[98]


def main(arguments: list[str]) -> dict[str, Any]:
    """Sample on an idle library, then again while as many photos arrive and groups are re-formed."""
    given = options("latency", __doc__, "200 photos, 200 calls").parse_args(arguments)
    count, calls = (200, 200) if given.quick else (1000, 1000)
    with tempfile.TemporaryDirectory() as place:
        root = library(Path(place) / "photos", count)
        more = library(Path(place) / "more", count * 4)
        with Daemon(Path(place) / "d", [root]) as daemon:
            daemon.settled(count, 600)
            idle = lambda: not any(j["state"] in ("queued", "running") for j in daemon.get("/api/jobs")["items"])  # noqa: E731
            wait_until(idle, 120)
            require_quiet(given.anyway)
            sample(daemon, 50)
            calm = sample(daemon, calls)
            more.rename(root / "more")
            wait_until(lambda: daemon.ledger()["pending"] > 0, 30)
            daemon.post("/api/groups/recluster")
            busy: list[float] = []
            while len(busy) < calls and daemon.ledger()["pending"]:
                busy += sample(daemon, 25)
            still = daemon.ledger()["pending"]
    detail = {
        "idle p50 / p99 ms": (round(statistics.median(calm), 2), round(p99(calm), 2)),
        "busy p50 / p99 ms": (round(statistics.median(busy), 2), round(p99(busy), 2)),
        "calls": (len(calm), len(busy)),
        "files still pending when the sampling ended": still,
    }
    return result("latency", p99(busy) / p99(calm), "<= 3", lambda v: v <= 3, "ratio", detail)
