"""Idle: resident memory of the core and its wake-ups a second, after the worker has ended."""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.common import library, result
from tests.harness import Daemon, wait_until


def wakeups(pid: int) -> int:
    """Voluntary context switches of all threads so far: each is one return from sleep."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def main(arguments: list[str]) -> dict[str, Any]:
    """Index a made library, let the worker end, then watch the core sleep."""
    parser = argparse.ArgumentParser(prog="idle")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    count, seconds = (100, 15) if given.quick else (1000, 60)
    settings = {"worker": {"idle": "1s", "batch_files": 32}, "watch": {"liveness": "5s", "quiet": "1s"}}
    with tempfile.TemporaryDirectory() as place:
        root = library(Path(place) / "photos", count)
        with Daemon(Path(place) / "d", [root], settings) as daemon:
            daemon.settled(count, 600)
            wait_until(lambda: not daemon.children(), 60, why="the worker to end")
            wait_until(
                lambda: not any(j["state"] in ("queued", "running") for j in daemon.get("/api/jobs")["items"]), 60
            )
            time.sleep(3)
            before, begin = wakeups(daemon.core.pid), time.monotonic()
            written = daemon.core.io_counters().write_bytes
            time.sleep(seconds)
            rate = (wakeups(daemon.core.pid) - before) / (time.monotonic() - begin)
            memory = daemon.core.memory_info().rss / 2**20
            detail = {
                "wake-ups a second": round(rate, 2),
                "bytes written": daemon.core.io_counters().write_bytes - written,
                "threads": daemon.core.num_threads(),
                "photos": count,
            }
    return result("idle", memory, "<= 120 MB and <= 12 wake-ups/s", lambda v: v <= 120 and rate <= 12, "MB", detail)
