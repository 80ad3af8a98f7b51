"""Half-written files are never taken for whole: real writers, real events, real time."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pixsortd.config import Duration, RootSettings, WatchSettings
from pixsortd.records import Change, FileState, Found, RootRecord
from pixsortd.watch.watcher import RootWatcher
from tests.unit.fake_catalog import FakeCatalog
from tests.unit.watch_stage import EXTENSIONS

QUIET = 0.5
SIZE = 120_000


class Watched:
    """A watched directory in real time; ``whole`` maps a path to its size each time it was taken for complete."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        root.mkdir()
        self.root = root
        self.catalog = FakeCatalog()
        self.whole: list[tuple[bytes, int]] = []
        self.watcher = RootWatcher(
            RootSettings(path=str(root)),
            WatchSettings(quiet=Duration(QUIET)),
            self.catalog,
            extensions=EXTENSIONS,
            on_change=self._note,
            clock=clock,
        )
        self.watcher.start()
        self.until(lambda: self.watcher.record.last_scan > 0)

    def _note(self, _: RootRecord, changes: Sequence[Change]) -> None:
        self.whole += [(c.path, c.stamp.size) for c in changes if isinstance(c, Found) and c.settled]

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.whole, self.catalog.states(self.watcher.record.id))
            time.sleep(0.01)

    def until_whole(self, names: Sequence[str]) -> None:
        """Wait for ``names`` to be taken for complete, and check that none was before its time."""
        wanted = sorted(map(os.fsencode, names))
        self.until(lambda: len(self.whole) >= len(wanted))
        assert sorted(path for path, _ in self.whole) == wanted
        assert {size for _, size in self.whole} == {SIZE}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path / "photos")
    yield watched
    watched.watcher.stop()
    watched.watcher.join(10)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty files in a tree, as old as 1999."""
    for number in range(20):
        path = tmp_path / f"source/{number % 3}/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SIZE))
        os.utime(path, (915148800, 915148800))
    return tmp_path / "source"


def names(source: Path, under: str = "") -> list[str]:
    return [under + str(path.relative_to(source)) for path in source.rglob("*.jpg")]


def slowly(path: Path, step: int = 5000, pause: float = 0.1) -> None:
    """50 kB/s, flushed as it goes, with an old mtime set at the end."""
    with open(path, "wb") as file:
        for _ in range(SIZE // step):
            file.write(b"x" * step)
            file.flush()
            time.sleep(pause)
    os.utime(path, (915148800, 915148800))


def test_slow_writers(watched: Watched) -> None:
    paths = [watched.root / f"{number}.jpg" for number in range(5)]
    writers = [threading.Thread(target=slowly, args=(path,)) for path in paths]
    for writer in writers:
        writer.start()
    watched.until(lambda: len(watched.catalog.states(watched.watcher.record.id)) == 5)
    watched.until_whole([path.name for path in paths])
    assert not any(writer.is_alive() for writer in writers)


def test_a_file_closed_and_reopened_again_and_again(watched: Watched) -> None:
    path = watched.root / "chunks.jpg"
    for _ in range(12):
        with open(path, "ab") as file:
            file.write(b"x" * (SIZE // 12))
        time.sleep(QUIET / 4)
    watched.until_whole(["chunks.jpg"])


def test_truncated_and_rewritten_with_its_old_mtime(watched: Watched) -> None:
    path = watched.root / "rewritten.jpg"
    path.write_bytes(os.urandom(SIZE))
    os.utime(path, (915148800, 915148800))
    watched.until_whole(["rewritten.jpg"])
    watched.whole.clear()
    slowly(path)
    watched.until_whole(["rewritten.jpg"])


def test_cp_with_preserved_times(watched: Watched, source: Path) -> None:
    subprocess.run(["cp", "-a", source, watched.root / "copied"], check=True)
    watched.until_whole(names(source, "copied/"))


def test_mv_of_a_tree(watched: Watched, source: Path) -> None:
    wanted = names(source, "moved/")
    os.rename(source, watched.root / "moved")
    watched.until_whole(wanted)


@pytest.mark.parametrize("options", [["-a"], ["-a", "--inplace", "--bwlimit=1500"]])
def test_rsync(watched: Watched, source: Path, options: list[str]) -> None:
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not here")
    wanted = names(source)
    subprocess.run(["rsync", *options, f"{source}/", f"{watched.root}/"], check=True)
    watched.until_whole(wanted)
    assert set(watched.catalog.states(watched.watcher.record.id).values()) == {FileState.PENDING}


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_in_the_middle(tmp_path: Path, jump: float) -> None:
    began = time.monotonic()
    watched = Watched(tmp_path / "photos", clock=lambda: time.time() + (jump if time.monotonic() - began > 1 else 0))
    path = watched.root / "slow.jpg"
    writer = threading.Thread(target=slowly, args=(path,))
    writer.start()
    watched.until_whole(["slow.jpg"])
    watched.watcher.stop()
    watched.watcher.join(10)
