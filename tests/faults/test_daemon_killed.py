"""SIGKILL of the core and of the worker at random points of an ingest: the index must equal the truth afterwards."""

import hashlib
import os
import random
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

PHOTOS = 120


def kill_at_random(tmp_path: Path, kills: int, seed: int) -> None:
    """Ingest while files keep arriving, killing core or worker ``kills`` times; then compare with the disk."""
    chance = random.Random(seed)
    root = tmp_path / "photos"
    waiting = list(range(PHOTOS))
    for number in waiting[:40]:
        write_photo(root / f"{number % 5}" / f"{number}.jpg", seed=number, size=(160, 120))
    waiting = waiting[40:]
    daemon = Daemon(tmp_path / "d", [root], {"worker": {"batch_files": 4}})
    recomputed = 0
    try:
        daemon.start()
        for _ in range(kills):
            for number in waiting[: max(1, len(waiting) // kills)]:
                write_photo(root / f"{number % 5}" / f"{number}.jpg", seed=number, size=(160, 120))
                waiting.remove(number)
            time.sleep(chance.uniform(0.0, 1.5))
            workers = daemon.children()
            if workers and chance.random() < 0.4:
                chance.choice(workers).kill()
                continue
            recomputed += computed(daemon)
            daemon.kill()
            _, alive = psutil.wait_procs(workers, timeout=10)
            assert not alive, "a worker outlived its core"
            daemon.start()
        for number in waiting:
            write_photo(root / f"{number % 5}" / f"{number}.jpg", seed=number, size=(160, 120))
        ledger = daemon.settled(PHOTOS, seconds=240)
        assert ledger == {"on_disk": PHOTOS, "indexed": PHOTOS, "excluded": 0, "pending": 0, "failed": 0, "away": 0}
        truth = {hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.jpg")}
        assert {image["id"] for image in daemon.images()} == truth
        # What was committed is never computed again: at most the batch in flight of each kill is.
        assert recomputed + computed(daemon) <= PHOTOS + kills * 4
        assert daemon.stop() == 0
        daemon.start()
        daemon.settled(PHOTOS)
        assert computed(daemon) == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


def computed(daemon: Daemon) -> int:
    """Vectors computed by this run of the daemon."""
    _, _, body = daemon.request("/metrics")
    return int(
        next(
            float(line.split()[-1])
            for line in body.decode().splitlines()
            if line.startswith("pixsortd_embeddings_computed_total")
        )
    )


def test_killed_a_few_times_at_random(tmp_path):
    kill_at_random(tmp_path, kills=6, seed=int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


@pytest.mark.slow
def test_killed_a_hundred_times_at_random(tmp_path):
    kill_at_random(tmp_path, kills=100, seed=2)


def test_sigterm_ends_within_five_seconds_in_the_middle_of_an_ingest(tmp_path):
    root = tmp_path / "photos"
    for number in range(60):
        write_photo(root / f"{number}.jpg", seed=number, size=(640, 480))
    daemon = Daemon(tmp_path / "d", [root])
    with daemon:
        wait_until(lambda: daemon.ledger()["indexed"] > 0, 60)
        begin = time.monotonic()
        assert daemon.stop(5) == 0
        assert time.monotonic() - begin < 5
    with daemon:
        assert daemon.settled(60)["indexed"] == 60
