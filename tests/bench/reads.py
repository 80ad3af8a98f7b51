"""Bytes read per photo byte: by a first scan, and by a restart on what is known.

The kernel counts what core and worker read in all (``rchar``), also modules, weights and pipes. So the same pictures
are taken in twice, as they are and with megabytes behind their ends, which no decoder looks at but every reader of the
file meets: what is read more, per byte that there is more, is what is read of the files. Nothing is traced and no
privilege is needed. Only what is mapped into memory would escape; originals never are.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import corpus
from tests.bench.common import options, result
from tests.harness import Daemon, wait_until

SETTINGS = {
    "score": {"metrics": ["piqe"]},
    "worker": {"idle": "1s"},
    "cluster": {"every": "365d"},
    "watch": {"rescan": "1h"},
}


def main(arguments: list[str]) -> dict[str, Any]:
    """Take in the bare and the padded library, and start on each once more."""
    parser = options("reads", __doc__, "24 files of 2 MB")
    given = parser.parse_args(arguments)
    count, padding = (24, 2 << 20) if given.quick else (120, 5 << 20)
    with tempfile.TemporaryDirectory() as place:
        pictures = corpus.small(Path(place) / "pictures", count)
        bare = _measured(Path(place) / "bare", pictures, 0)
        padded = _measured(Path(place) / "padded", pictures, padding)
    more = count * padding
    first, again = ((padded[turn] - bare[turn]) / more for turn in range(2))
    detail = {
        "files": count,
        "bytes behind each picture": padding,
        "bytes read by a first scan": {"bare": bare[0], "padded": padded[0]},
        "bytes read by a restart": {"bare": bare[1], "padded": padded[1]},
        "of them per photo byte": round(again, 4),
    }

    def holds(value: float) -> bool:
        return value <= 1.05 and abs(again) < 0.005

    return result("reads", first, "<= 1.05, and 0 by a restart", holds, "ratio", detail)


def _measured(home: Path, pictures: list[Path], padding: int) -> tuple[int, int]:
    """Bytes read while the pictures, ``padding`` bytes behind each, are taken in, and by the start after that."""
    root = home / "photos"
    root.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        (root / f"{number:04}.jpg").write_bytes(picture.read_bytes() + os.urandom(padding))
    daemon = Daemon(home / "d", [root], SETTINGS)
    with daemon:
        daemon.settled(len(pictures), 600)
        first = _read(daemon)
    with daemon:
        wait_until(lambda: daemon.roots()[0]["scan"]["ended"] and not daemon.roots()[0]["scan"]["running"], 60)
        daemon.settled(len(pictures))
        return first, _read(daemon)


def _read(daemon: Daemon) -> int:
    """Bytes read so far by the daemon and all its children, which have ended: theirs are added to their parent's."""
    wait_until(lambda: not daemon.children(), 120, why="the worker to end, all being done")
    return int(daemon.core.io_counters().read_chars)
