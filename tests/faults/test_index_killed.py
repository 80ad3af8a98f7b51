"""kill -9 at any moment: what was said to be durable is there, and everything adds up."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pixsortd.decisions import Decisions
from pixsortd.decisions.codec import decoded
from pixsortd.index.probe import Verdict, examine
from pixsortd.index.vectors import Vectors
from pixsortd.logfile import sound_bodies
from pixsortd.records import FileState, RatePhoto
from tests.unit.index_material import ROOT, SPACE, adds_up, opened

REPOSITORY = Path(__file__).parents[2]
KILLS = int(os.environ.get("PIXSORTD_TEST_KILLS", "50"))
"""The long form is PIXSORTD_TEST_KILLS=1000."""


def run_and_kill(arguments: list[str], after: float) -> list[str]:
    """Start a writer, kill it that many seconds after it is ready, and return its whole lines."""
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": "."}
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    said = child.stdout.read()
    assert child.wait() == -signal.SIGKILL
    return [line.decode() for line in said.split(b"\n")[:-1]]


def test_a_killed_writer_loses_nothing_it_said(tmp_path: Path) -> None:
    chance = random.Random(7)
    directory = tmp_path / "index"
    said: dict[str, str] = {}
    for turn in range(KILLS):
        lines = run_and_kill(["-m", "tests.faults.index_writer", str(directory), str(turn)], chance.random() * 0.15)
        said.update((line[1:], line[0]) for line in lines)
        assert examine(directory).verdict is Verdict.SOUND
        with opened(directory) as store:
            assert adds_up(store)
            for path, what in said.items():
                row = store.file(ROOT, path.encode())
                if what == "-":
                    assert row is None
                elif what == "+":
                    assert row is not None
                    assert row.state is FileState.INDEXED
                    assert row.sha256 is not None
                    assert store.photo(row.sha256) is not None
                    assert row in store.locations(row.sha256)
            vectors = Vectors(tmp_path / "vectors", store, SPACE)
            vectors.load()
            assert vectors.verify() == ""
        # What was in the middle when the kill came may have happened or not.
        said = {path: what for path, what in said.items() if what != "?"}
    assert sum(what == "+" for what in said.values()) > KILLS


DECIDER = """
import sys
from pathlib import Path
from pixsortd.decisions import Decisions
from pixsortd.records import RatePhoto
decisions = Decisions.open(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(10**9):
    decisions.append(RatePhoto(sha256=i.to_bytes(32, "big"), stars=i % 6))
    print(i, flush=True)
"""


@pytest.mark.parametrize("turn", range(max(3, KILLS // 10)))
def test_a_killed_writer_loses_no_decision(tmp_path: Path, turn: int) -> None:
    said = run_and_kill(["-c", DECIDER, str(tmp_path)], random.Random(turn).random() * 0.05)
    decisions = Decisions.open(tmp_path)
    kept = list(decoded(sound_bodies(decisions.path)))
    assert len(said) <= len(kept) <= len(said) + 1
    assert kept == [RatePhoto(sha256=i.to_bytes(32, "big"), stars=i % 6) for i in range(len(kept))]
    decisions.close()
