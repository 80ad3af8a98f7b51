"""SIGKILL or a power cut at any moment of sorting, undo and recovery: the disk is what the journal says."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IFLNK, S_IFREG

import pytest

from pixsortd.records import Action
from pixsortd.sorting.journal import Deed, Journal, Move
from tests.faults.disk_volume import volume_of
from tests.faults.faulty_disk import WAYS
from tests.faults.sort_stage import Roots, Seen, Stage, held
from tests.faults.test_index_killed import REPOSITORY, run_and_kill

COPYING = {Deed(Action.COPY), Deed(Action.HARDLINK), Deed(Action.REFLINK)}


@pytest.fixture
def other_device(tmp_path: Path) -> Iterator[Path]:
    """A directory on another file system."""
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=shm) as directory:
        yield Path(directory)


class Model:
    """What the journal says of where every file is."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._seen: set[str] = set()
        self.files: dict[str, Seen] = {}
        self.deeds: Counter[str] = Counter()
        self.contents: set[bytes] = set()

    def add(self, number: int) -> None:
        """A photo with its sidecar comes into the inbox."""
        for name in (f"in/{number}.jpg", f"in/{number}.xmp"):
            self._roots.write(name, f"{name} ".encode() * 400)
            seen = self._roots.path(name).stat()
            content = self._roots.path(name).read_bytes()
            self.files[name] = Seen(S_IFREG, content, seen.st_mtime_ns, 0o640)
            self.contents.add(content)

    def follow(self, home: Path) -> None:
        """Take in what the journal has told since."""
        done: list[Move] = []
        Journal(home / "journal", done.append).close()
        for move in done:
            if move.id not in self._seen:
                self._seen.add(move.id)
                self._follow(move)

    def _follow(self, move: Move) -> None:
        for step in (step for turn in move.turns for step in turn):
            self.deeds["back" if step.back else step.deed.value] += 1
            source = self._roots.name(step.source)
            if step.back:
                del self.files[source]
                continue
            assert step.destination is not None
            destination = self._roots.name(step.destination)
            assert destination not in self.files, f"{destination} was overwritten"
            if step.deed is Deed.SYMLINK:
                self.files[destination] = Seen(S_IFLNK, step.source.absolute, 0, 0o777)
            elif step.leaves:
                self.files[destination] = self.files.pop(source)
            else:
                self.files[destination] = self.files[source]


Strike = Callable[[list[str], float], object]
"""Starts a program with these arguments, and ends it so many seconds after it is ready."""


def kill_again_and_again(home: Path, far: Path, kills: int, seed: int, strike: Strike = run_and_kill) -> None:
    chance, roots = random.Random(seed), Roots(home, far)
    model = Model(roots)
    count = interrupted = 0
    for turn in range(kills):
        while len(list(roots.path("in").glob("*.jpg"))) < 20:
            model.add(count)
            count += 1
        way = chance.choice(["link", "link", "rename", "copy"])
        assert way in WAYS
        strike(
            ["-m", "tests.faults.sort_mover", str(home), str(far), str(chance.randrange(10**9)), way],
            chance.random() * 0.15,
        )
        stage = Stage(home, far)
        interrupted += any(stage.mover.interrupted(base) for base in stage.bases)
        stage.recover()
        assert not any(stage.mover.interrupted(base) for base in stage.bases), f"turn {turn}: a move is still open"
        for run in stage.sorter.unfinished()[: chance.randint(0, 2)]:
            stage.apply(run)
        stage.close()
        model.follow(home)
        look = roots.look()
        assert look == model.files, f"turn {turn}: {_difference(look, model.files)}"
        assert model.contents <= held(roots).keys(), f"turn {turn}: a content is lost"
    print(f"{kills} kills, {interrupted} of them in the middle of moves, {count} photos, {dict(model.deeds)}")
    assert interrupted >= kills // 50, "the kills have hit nothing"


def _difference(look: dict[str, Seen], files: dict[str, Seen]) -> list[str]:
    return sorted(
        f"{name} {name in look} {name in files}" for name in look.keys() | files if look.get(name) != files.get(name)
    )


def test_killed_twenty_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, tmp_path, 20, int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


def test_killed_twenty_times_across_devices(tmp_path: Path, other_device: Path) -> None:
    kill_again_and_again(tmp_path, other_device, 20, int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


@pytest.mark.slow
def test_killed_many_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, tmp_path, 600, 2)


@pytest.mark.slow
def test_killed_many_times_across_devices(tmp_path: Path, other_device: Path) -> None:
    kill_again_and_again(tmp_path, other_device, 600, 3)


def power_fails_again_and_again(home: Path, kind: str, cuts: int, seed: int) -> None:
    with volume_of(kind, home) as volume:

        def strike(arguments: list[str], after: float) -> None:
            os.sync()
            child = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": "."},
            )
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(after * 2)
            volume.cut()
            child.kill()
            child.wait()
            child.stdout.close()
            volume.restart()

        kill_again_and_again(volume.place / "home", volume.place / "home", cuts, seed, strike)


LOGGED = pytest.mark.parametrize("kind", ["ext4", "xfs"])


@LOGGED
def test_power_fails_ten_times(tmp_path: Path, kind: str) -> None:
    power_fails_again_and_again(tmp_path, kind, 10, 4)


@pytest.mark.slow
@LOGGED
def test_power_fails_many_times(tmp_path: Path, kind: str) -> None:
    power_fails_again_and_again(tmp_path, kind, 300, 5)
