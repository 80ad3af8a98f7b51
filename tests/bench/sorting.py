"""From a file dropped into an inbox to the file in its folder, and plans carried out against ``mv`` of the same files.

Files are renamed into the inbox of a running daemon at once, with the shipped times for settling and gathering, and one
rule that acts by itself; the seconds are until the last of them is in its folder. Warm: the worker is there; cold: it
had ended. The value is the 95th percentile for one file with a warm worker. Besides, an approved plan is carried out
journaled and durable, in the same process, in turn with one ``mv`` for all files.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.common import interleaved, median_ratio, options, require_quiet, result
from tests.conftest import write_photo
from tests.faults.sort_stage import Stage, moved, plan_of
from tests.harness import Daemon, wait_until

TOGETHER = (1, 10, 100)
BOUND = 10.0
"""Seconds, most of them the 4 s for which files and inbox have to be at rest."""
RULE = '\n[[sort.rules]]\nname = "Months"\nto = "{to}/{{taken:%Y/%m}}/{{name}}"\nauto = true\n'


def main(arguments: list[str]) -> dict[str, Any]:
    """Drop files, then move files."""
    parser = options("sorting", __doc__, "two rounds, 200 files to move")
    given = parser.parse_args(arguments)
    rounds, count = (2, 200) if given.quick else (20, 2000)
    require_quiet(given.anyway)
    with tempfile.TemporaryDirectory() as place:
        times = dropped(Path(place), rounds)
        moves = carried_out(Path(place), count, 2 if given.quick else 5)
    one = times["1 file, warm"]
    detail = {
        **{name: f"{statistics.median(found):.1f} s, 95 % {_p95(found):.1f} s" for name, found in times.items()},
        "files moved": count,
        "files a second, planned, journaled and durable": round(count / statistics.median(moves["ours"])),
        "files a second, mv": round(count / statistics.median(moves["mv"])),
        "seconds of ours / of mv": round(median_ratio(moves, "ours", "mv"), 1),
    }
    return result("sorting", _p95(one), f"<= {BOUND:g} s", lambda value: value <= BOUND, "s", detail)


def dropped(home: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds from the last file's arrival until all are where the rule wants them, by how many came together."""
    inbox, library = home / "inbox", home / "library"
    for path in (inbox, library):
        path.mkdir()
    roots = [{"path": str(library), "writable": True}, {"path": str(inbox), "role": "inbox"}]
    settings = {"watch": {"quiet": "2s"}, "sort": {"free_floor": 0}, "worker": {"idle": "8s"}}
    daemon = Daemon(home / "daemon", roots, settings)
    daemon.config.write_text(daemon.config.read_text() + RULE.format(to=library))
    seeds = iter(range(10**6))
    times: dict[str, list[float]] = {}
    with daemon:
        _drop(home, inbox, next(seeds), 1)
        plan = wait_until(lambda: daemon.get("/api/plans")["items"], 60, why="the first plan, which waits")[0]
        daemon.post(f"/api/plans/{plan['id']}/apply", {"steps": None})
        _sorted(library, 1)
        for name, cold in (("warm", False), ("cold", True)):
            for many in TOGETHER:
                found = times.setdefault(f"{many} {'file' if many == 1 else 'files'}, {name}", [])
                for _ in range(rounds if many == 1 or not cold else max(2, rounds // 4)):
                    if cold:
                        wait_until(lambda: not daemon.children(), 60, why="the worker to end")
                    before = len(list(library.rglob("*.jpg")))
                    began = _drop(home, inbox, next(seeds), many)
                    _sorted(library, before + many)
                    found.append(time.perf_counter() - began)
    return times


def _drop(home: Path, inbox: Path, seed: int, many: int) -> float:
    """Photos of their own, made elsewhere and renamed into the inbox; when the last of them was there."""
    for number in range(many):
        name = f"{seed}-{number}.jpg"
        path = home / name
        write_photo(
            path, seed=1000 * seed + number, size=(1200, 900), DateTimeOriginal=f"20{seed % 30:02}:05:01 12:00:00"
        )
        path.rename(inbox / name)
    return time.perf_counter()


def _sorted(library: Path, many: int) -> None:
    wait_until(lambda: len(list(library.rglob("*.jpg"))) >= many, 180, every=0.05, why="the files to be sorted")


def carried_out(home: Path, count: int, rounds: int) -> Mapping[str, list[float]]:
    """Seconds to move so many files into twenty directories of the same file system, by us and by ``mv``."""
    names = [f"{number % 20:02}/{number:05}.jpg" for number in range(count)]

    def ours() -> float:
        with tempfile.TemporaryDirectory(dir=home) as place:
            stage = Stage(Path(place))
            for name in names:
                stage.write(f"in/{name[3:]}")
            plan = plan_of([stage.step(moved((f"in/{name[3:]}", f"lib/{name}"))) for name in names])
            began = time.perf_counter()
            done = stage.apply(stage.approve(plan))
            seconds = time.perf_counter() - began
            assert set(done.values()) == {None}
            stage.close()
        return seconds

    def mv() -> float:
        with tempfile.TemporaryDirectory(dir=home) as place:
            source, target = Path(place) / "in", Path(place) / "lib"
            for name in names:
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_bytes(name.encode() * 40)
            target.mkdir()
            began = time.perf_counter()
            for directory in sorted(source.iterdir()):
                (target / directory.name).mkdir()
                files = [str(path) for path in directory.iterdir()]
                subprocess.run([str(shutil.which("mv")), "-n", "-t", str(target / directory.name), *files], check=True)
            return time.perf_counter() - began

    return interleaved({"ours": ours, "mv": mv}, rounds)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[18] if len(times) > 1 else times[0]
