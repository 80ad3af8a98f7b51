"""Idle: memory, wake-ups a second and bytes written of a core that has taken in many files and has no worker."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench import corpus
from tests.bench.common import options, require_quiet, result
from tests.harness import Daemon, wait_until


def wakeups(pid: int) -> int:
    """Voluntary context switches of all threads so far: each is one return from sleep."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def rest(daemon: Daemon) -> None:
    """Wait until the worker has ended, no job is left, and what they caused is over."""
    wait_until(lambda: not daemon.children(), 60, why="the worker to end")
    wait_until(lambda: not any(j["state"] in ("queued", "running") for j in daemon.get("/api/jobs")["items"]), 600)
    wait_until(lambda: not daemon.children(), 60, why="the last process to end")
    time.sleep(3)


def main(arguments: list[str]) -> dict[str, Any]:
    """Take in a made library, let the worker end, then watch the core sleep."""
    given = options("idle", __doc__, "200 files and 15 seconds instead of 5000 and a minute").parse_args(arguments)
    count, seconds = (200, 15) if given.quick else (5000, 60)
    root = corpus.home() / f"idle-{count}"
    corpus.small(root, count)
    settings = {"worker": {"idle": "1s"}, "watch": {"liveness": "5s", "quiet": "1s"}}
    require_quiet(given.anyway)
    with TemporaryDirectory() as place, Daemon(Path(place), [root], settings) as daemon:
        empty = daemon.core.memory_info().rss / 2**20
        daemon.settled(count, 1800)
        rest(daemon)
        before, begin = wakeups(daemon.core.pid), time.monotonic()
        written = daemon.core.io_counters().write_bytes
        time.sleep(seconds)
        rate = (wakeups(daemon.core.pid) - before) / (time.monotonic() - begin)
        written = daemon.core.io_counters().write_bytes - written
        memory = daemon.core.memory_info().rss / 2**20
        detail = {
            "wake-ups a second": round(rate, 2),
            "bytes written": written,
            "MB at the start": round(empty, 1),
            "threads": daemon.core.num_threads(),
            "files": count,
        }
        daemon.stop()
        daemon.start()
        daemon.settled(count, 60)
        rest(daemon)
        detail["MB after a restart"] = round(daemon.core.memory_info().rss / 2**20, 1)
    target = "<= 120 MB, <= 12 wake-ups/s and nothing written"
    return result("idle", memory, target, lambda v: v <= 120 and rate <= 12 and not written, "MB", detail)
