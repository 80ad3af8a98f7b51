"""Scans of an unchanged library against ``find`` with stat on the same warm tree, in turn.

``scan`` is one that a running daemon makes when it is asked to, ``restart`` the first one of a daemon that was
stopped and started again, which is busy with other things as well. Both are timed by the daemon itself.
"""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import library
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result
from tests.harness import Daemon, wait_until

SETTINGS = {"score": {"metrics": []}, "cluster": {"every": "365d"}}
POLL = 0.5
"""Seconds between two questions to the daemon, which cost it time while it scans."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Fill an index with a made library, then time scans that find nothing new, restarts, and ``find``."""
    parser = options("rescan", __doc__, "500 files, three rounds")
    parser.add_argument("--files", type=int, default=5000, help="up to 100000")
    given = parser.parse_args(arguments)
    count, rounds = (500, 3) if given.quick else (given.files, 5)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        library.make(home, count)
        root, daemon = home / "photos", Daemon(home, [home / "photos"], SETTINGS)
        whole: list[float] = []

        def find() -> float:
            began = time.perf_counter()
            subprocess.run(["find", str(root), "-type", "f", "-printf", "%s %T@ %C@ %i\n"], stdout=-3, check=True)
            return time.perf_counter() - began

        def scan() -> float:
            (known,) = daemon.roots()
            daemon.post(f"/api/roots/{known['id']}/scan")
            return scanned(daemon, known["scan"]["ended"])

        def restart() -> float:
            (known,) = daemon.roots()
            daemon.stop()
            began = time.perf_counter()
            daemon.start()
            seconds = scanned(daemon, known["scan"]["ended"])
            whole.append(time.perf_counter() - began)
            return seconds

        with daemon:
            scanned(daemon, None)
            wait_until(lambda: not daemon.children(), 120, why="everything to be at rest")
            assert daemon.ledger()["indexed"] == count
            require_quiet(given.anyway)
            times = interleaved({"find": find, "scan": scan, "restart": restart}, rounds)
            assert daemon.ledger()["indexed"] == count
    ratio = median_ratio(times, "scan", "find")
    detail = {
        "files": count,
        **{f"{name} s": [round(seconds, 4) for seconds in taken] for name, taken in times.items()},
        "restart over find": round(median_ratio(times, "restart", "find"), 3),
        "start to end of the first scan s": [round(seconds, 2) for seconds in whole],
    }
    return result("rescan", ratio, "<= 2.0", lambda value: value <= 2.0, "ratio", detail)


def scanned(daemon: Daemon, before: float | None) -> float:
    """Wait for a full scan that ended later than ``before``; the seconds that it took."""

    def ended() -> dict[str, Any] | None:
        (root,) = daemon.roots()
        return root["scan"] if root["scan"]["ended"] not in (None, before) else None

    return float(wait_until(ended, 300, POLL, why="the end of a scan")["seconds"])
