"""ETA: how far off the foretold time of an ingest is, at a tenth, a quarter, half and three quarters of its files."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench import corpus
from tests.bench.common import options, require_quiet, result
from tests.harness import Daemon

SHARES = (0.1, 0.25, 0.5, 0.75)
LOOK = 0.2
"""Seconds between two looks at the status."""
MIXES = ((0.3, 0.05, 0.65), (0.6, 0.1, 0.3), (0.85, 0.05, 0.1))
"""Shares of photos, of other formats and of small files, in each third of the time, the newest first."""
DAY = 86400


def mixed_library(root: Path, kept: Path, count: int) -> int:
    """About ``count`` files of new content below ``root``, older ones of another mix; how many there are."""
    sources: Sequence[Sequence[Path]] = (
        corpus.photos(kept / "photos", 6),
        corpus.mixed(kept / "mixed", 6),
        corpus.small(kept / "small", 60),
    )
    made, newest = 0, int(time.time()) - DAY
    for third, shares in enumerate(MIXES):
        for kind, (files, share) in enumerate(zip(sources, shares, strict=True)):
            wanted = round(share * count / len(MIXES))
            for number, path in enumerate(corpus.copies(files, root / f"{third}-{kind}", wanted, first=made)):
                # Spread over the third evenly, so that its kinds alternate.
                taken = newest - (third + number / wanted) * 365 * DAY
                os.utime(path, (taken, taken))
            made += wanted
    return made


def looked(daemon: Daemon, count: int) -> list[tuple[float, int, float | None]]:
    """(seconds, files done, time left as told) from the start until everything is analysed."""
    began, looks = time.monotonic(), list[tuple[float, int, float | None]]()
    while True:
        status = daemon.get("/api/status")
        [ledger] = [root["ledger"] for root in status["roots"]]
        analysis = next(stage for stage in status["stages"] if stage["name"] == "analyze")
        done = ledger["indexed"] + ledger["failed"]
        looks.append((time.monotonic() - began, done, None if analysis["growing"] else analysis["eta"]))
        if done >= count:
            return looks
        time.sleep(LOOK)


def errors(looks: Sequence[tuple[float, int, float | None]], count: int) -> dict[str, str | float]:
    """By share of the files: the foretold time over the true one, minus one."""
    end, found = looks[-1][0], dict[str, str | float]()
    for share in SHARES:
        at, _, eta = next(look for look in looks if look[1] >= share * count)
        found[f"{share:.0%}"] = "not told" if eta is None else round(eta / (end - at) - 1, 3)
    return found


def main(arguments: list[str]) -> dict[str, Any]:
    """Ingest a mixed library and compare what was told with what came."""
    given = options("eta", __doc__, "300 files instead of 3000").parse_args(arguments)
    count = 300 if given.quick else 3000
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "photos"
        root.mkdir()
        files = mixed_library(root, corpus.home(), count)
        require_quiet(given.anyway)
        with Daemon(Path(place) / "d", [root]) as daemon:
            looks = looked(daemon, files)
    found = errors(looks, files)
    first = found["10%"]
    detail = {"error at": found, "files": files, "seconds": round(looks[-1][0], 1)}
    value = abs(first) if isinstance(first, float) else float("inf")
    return result("eta", value, "<= 0.2 after a tenth", lambda v: v <= 0.2, "off", detail)
