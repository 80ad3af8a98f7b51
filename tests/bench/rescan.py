"""A restart on an unchanged library against ``find`` with stat on the same tree."""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.common import library, result
from tests.harness import Daemon, wait_until


def main(arguments: list[str]) -> dict[str, Any]:
    """Index a made library once, then time no-change scans and ``find`` in turn."""
    parser = argparse.ArgumentParser(prog="rescan")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    count, runs = (500, 3) if given.quick else (5000, 5)
    with tempfile.TemporaryDirectory() as place:
        root = library(Path(place) / "photos", count, size=(64, 48))
        with Daemon(Path(place) / "d", [root]) as daemon:
            daemon.settled(count, 900)
            ours, theirs = [], []
            for _ in range(runs):
                begin = time.perf_counter()
                subprocess.run(["find", str(root), "-type", "f", "-printf", "%s %T@ %C@ %i\n"], stdout=-3, check=True)
                theirs.append(time.perf_counter() - begin)
                last = daemon.roots()[0]["scan"]["ended"]
                daemon.post(f"/api/roots/{daemon.roots()[0]['id']}/scan")
                wait_until(lambda last=last: daemon.roots()[0]["scan"]["ended"] != last, 60, 0.05)
                ours.append(daemon.roots()[0]["scan"]["seconds"])
    ratio = sorted(o / t for o, t in zip(ours, theirs, strict=True))[runs // 2]
    detail = {"scan s": [round(t, 4) for t in ours], "find s": [round(t, 4) for t in theirs], "files": count}
    return result("rescan", ratio, "<= 2.0", lambda v: v <= 2.0, "ratio", detail)
