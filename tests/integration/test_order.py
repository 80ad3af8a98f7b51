"""A first scan's photos come newest first, what is dropped meanwhile comes before them, and a kill forgets nothing."""

import os
import random
from pathlib import Path

from pixsortd.index.engine import Engine
from pixsortd.index.schema import Table
from pixsortd.index.store import Store
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

PHOTOS, BATCH = 160, 8
DAY = 86400


def test_a_first_scan_fills_the_page_newest_first_after_what_is_dropped_meanwhile(tmp_path: Path) -> None:
    root, shelf = tmp_path / "photos", tmp_path / "shelf"
    ages = random.Random(7).sample(range(1, 4000), PHOTOS)
    for age in ages:
        path = write_photo(shelf / f"{age % 7}" / f"{age:04}.jpg", seed=age, size=(96, 64))
        os.utime(path, (1.7e9 - age * DAY,) * 2)
    dropped = write_photo(tmp_path / "dropped.jpg", seed=99_999, size=(96, 64))
    os.utime(dropped, (915148800.0,) * 2)  # its copier keeps times, so that it is by far the oldest
    daemon = Daemon(tmp_path / "d", [root], {"worker": {"batch_files": BATCH}})
    try:
        daemon.start()
        daemon.post("/api/pipeline/analyze/pause")
        shelf.rename(root)
        wait_until(lambda: ready(daemon) == PHOTOS, why="the whole backlog to settle")
        dropped.rename(root / "0" / "dropped.jpg")
        wait_until(lambda: ready(daemon) == PHOTOS + 1, why="the dropped file to settle")
        daemon.post("/api/pipeline/analyze/resume")
        wait_until(lambda: daemon.ledger()["indexed"] >= 3 * BATCH, every=0.02)
        daemon.kill()
        computed = len(committed(daemon.state_dir / "index"))
        daemon.start()
        daemon.settled(PHOTOS + 1)
        assert computations(daemon) == PHOTOS + 1 - computed, "nothing that was committed is read again"
        assert daemon.stop() == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
    names = committed(daemon.state_dir / "index")
    assert "dropped" in names[:BATCH]
    names.remove("dropped")
    # Within a batch they come in any order, and the one that the kill met may be taken in by halves.
    ideal = {f"{age:04}": place for place, age in enumerate(sorted(ages))}
    assert max(abs(ideal[name] - place) for place, name in enumerate(names)) <= 2 * BATCH


def ready(daemon: Daemon) -> int:
    """Settled files that wait."""
    return next(stage["depth"] for stage in daemon.get("/api/pipeline")["items"] if stage["name"] == "analyze")


def computations(daemon: Daemon) -> int:
    """Vectors computed by this run of the daemon."""
    lines = daemon.request("/metrics")[2].decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("pixsortd_embeddings_computed")).split()[-1]))


def committed(index: Path) -> list[str]:
    """Names of the photos in the order in which they were taken in."""
    store = Store(Engine(index, map_size=1 << 30, readonly=True))
    try:
        with store.engine.read() as view:
            order = [sha256 for _, sha256 in view.items(Table.NUMBERS)]
        return [Path(os.fsdecode(store.locations(sha256)[0].path)).stem for sha256 in order]
    finally:
        store.close()
