"""SIGKILL at any moment of discard, restore, purge and recovery: each file in its old place or its new one."""

import os
import random
from pathlib import Path

import pytest

from pixsortd.sorting.mover import Mover
from pixsortd.sorting.trash import Trash
from tests.faults.faulty_disk import WAYS
from tests.faults.test_index_killed import run_and_kill
from tests.faults.trash_stage import PHOTOS

TRASH = ".pixsortd-trash"


def add(root: Path, number: int, truth: dict[bytes, str]) -> None:
    """A photo with its sidecar."""
    directory = root / f"d{number % 5}"
    directory.mkdir(parents=True, exist_ok=True)
    for name in (f"{number}.jpg", f"{number}.xmp"):
        content = f"{name} ".encode() * 400
        truth[content] = name
        (directory / name).write_bytes(content)


def places(root: Path, truth: dict[bytes, str]) -> dict[str, Path]:
    """Where each file is, by its first name; none has two places, nothing is half a file."""
    found: dict[str, Path] = {}
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if not content and TRASH not in path.parts:
            continue  # killed just when an empty file had taken a name, before it was marked as ours
        assert content in truth, f"half a file: {path}"
        name = truth[content]
        assert name not in found, f"{name} has two places: {found[name]} and {path}"
        found[name] = path
    return found


def kill_again_and_again(home: Path, kills: int, seed: int) -> None:
    chance, root = random.Random(seed), home / "root"
    truth: dict[bytes, str] = {}
    photos: set[str] = set()
    purged: set[str] = set()
    count = interrupted = 0
    for turn in range(kills):
        while len(photos - purged) < 40:
            add(root, count, truth)
            photos.add(str(count))
            count += 1
        way = chance.choice(list(WAYS))
        said = run_and_kill(
            ["-m", "tests.faults.trash_mover", str(home), str(chance.random() * 1e9).split(".")[0], way],
            chance.random() * 0.15,
        )
        purged |= {line.removeprefix("purge ").partition(".")[0].partition(" ")[0] for line in said}
        trash = Trash(Mover(home / "journal", lambda moves: None), PHOTOS)
        interrupted += trash.mover.interrupted(os.fsencode(root))
        trash.mover.recover([os.fsencode(root)])
        assert not trash.mover.interrupted(os.fsencode(root)), f"turn {turn}: a move is still open"
        found = places(root, truth)
        stored = {
            os.fsdecode(step.destination.path)
            for item in trash.contents.all()
            for step in item.parcel.steps
            if step.destination is not None
        }
        assert stored == {str(path.relative_to(root)) for path in found.values() if TRASH in path.parts}
        for photo in photos - purged:
            assert f"{photo}.jpg" in found, f"turn {turn}: {photo}.jpg is lost"
            assert f"{photo}.xmp" in found, f"turn {turn}: {photo}.xmp is lost"
        for photo in photos:
            both = [found.get(f"{photo}.{kind}") for kind in ("jpg", "xmp")]
            assert both == [None, None] or (both[0] and both[1] and both[0].parent == both[1].parent), both
        trash.mover.close()
    print(f"{kills} kills, {interrupted} of them in the middle of moves, {count} photos, {len(purged)} purged")
    assert interrupted >= kills // 50, "the kills have hit nothing"


def test_killed_thirty_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 30, int(os.environ.get("PIXSORTD_TEST_SEED", "1")))


@pytest.mark.slow
def test_killed_many_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 400, 2)
