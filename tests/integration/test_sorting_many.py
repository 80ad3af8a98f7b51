"""Very many photos dropped at once: one plan, one yes, and all of them are where they belong."""

import hashlib
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.harness import wait_until
from tests.integration.sorting_house import House, photos


def tiny(path: Path, number: int) -> None:
    """A photo of a few hundred bytes that no other is like."""
    colour = hashlib.sha256(str(number).encode()).digest()
    Image.frombytes("RGB", (4, 4), colour + colour[:16]).save(path, quality=95)


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_photos_dropped_at_once_are_one_plan_and_all_sorted(tmp_path: Path, count: int) -> None:
    rule = {"name": "all", "to": f"{tmp_path}/library/{{stem|truncate(2)}}/{{name}}"}
    house = House(tmp_path, [rule], sort={"delay": "2s", "free_floor": "0B", "rules": [rule]})
    made = tmp_path / "made"
    made.mkdir()
    for number in range(count):
        tiny(made / f"{number:04}.jpg", number)
    with house.daemon as daemon:
        rest = daemon.core.memory_info().rss
        for path in made.iterdir():
            os.rename(path, house.inbox / path.name)
        before = sorted(photos(house.inbox).values())
        plan = wait_until(
            lambda: next((one for one in house.plans("waiting") if one["steps"] == count), None), 300, why="one plan"
        )
        planned = daemon.core.memory_info().rss
        started = house.approve(plan["id"])
        wait_until(lambda: daemon.get(f"/api/jobs/{started['job']}")["state"] == "complete", 300)
        assert house.done(started["id"])["done"] == count
        assert house.plans("waiting") == []
        assert photos(house.inbox) == {}
        assert sorted(photos(house.library).values()) == before
        assert daemon.settled(seconds=300)["indexed"] == count
        house.whole()
        done = daemon.core.memory_info().rss
        print(f"core: {rest / 1e6:.0f} MB at rest, {planned / 1e6:.0f} planned, {done / 1e6:.0f} sorted")
