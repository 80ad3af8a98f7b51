"""Sorting with the real daemon: dropped, planned, approved, done, taken back, and nothing read a second time."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import write_photo
from tests.faults.test_daemon_killed import computed
from tests.harness import Daemon, wait_until

Photos = Mapping[str, tuple[bytes, int]]
"""Content hash and mtime by path."""


class House:
    """An inbox, a library that may be written and one that may not, and a daemon over them."""

    def __init__(self, home: Path, rules: list[dict[str, object]], **settings: Mapping[str, object]) -> None:
        self.inbox, self.library, self.archive = (home / name for name in ("inbox", "library", "archive"))
        for path in (self.inbox, self.library, self.archive):
            path.mkdir()
        self.daemon = Daemon(
            home / "d",
            [
                {"path": str(self.inbox), "role": "inbox"},
                {"path": str(self.library), "writable": True},
                self.archive,
            ],
            {"sort": {"delay": "200ms", "free_floor": "0B", "rules": rules}, **settings},
        )

    def rule(self, **other: object) -> dict[str, object]:
        return {"name": "all", "to": f"{self.library}/{{format}}/{{name}}", **other}

    def drop(self, *names: str) -> list[Path]:
        return [write_photo(self.inbox / name, seed=abs(hash(name)) % 10_000, size=(160, 120)) for name in names]

    def plans(self, state: str = "") -> list[dict[str, Any]]:
        return [one for one in self.daemon.get("/api/plans")["items"] if state in ("", one["state"])]

    def waiting(self, steps: int) -> dict[str, Any]:
        """The plan that waits, once it has so many steps."""
        return wait_until(
            lambda: next((one for one in self.plans("waiting") if one["steps"] == steps), None),
            why=f"a plan of {steps} steps to wait",
        )

    def done(self, run: str, state: str = "applied") -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            plan = self.daemon.get(f"/api/plans/{run}")
            return plan if plan["state"] == state else None

        return wait_until(found, why=f"the plan {run} to be {state}")

    def approve(self, plan: str, steps: list[str] | None = None) -> dict[str, Any]:
        return self.daemon.post(f"/api/plans/{plan}/apply", {"steps": steps})

    def whole(self) -> None:
        """The law of the ledger, and no file that does not add up."""
        for root in self.daemon.roots():
            ledger = root["ledger"]
            assert ledger["on_disk"] == sum(value for key, value in ledger.items() if key != "on_disk"), root
        metrics = self.daemon.request("/metrics")[2].decode()
        assert "pixsortd_sort_audit_failures_total 0" in metrics or "sort_audit_failures 0" in metrics


def photos(*directories: Path) -> Photos:
    """Every photo below directories."""
    found = {}
    for directory in directories:
        for path in directory.rglob("*.jpg"):
            if not path.is_symlink():
                found[str(path)] = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
    return found


def test_a_dropped_photo_waits_once_and_then_is_sorted_by_itself(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{format}/", "auto": True}])
    house.drop("a.jpg")
    (house.inbox / "a.xmp").write_text("settings")
    with house.daemon as daemon:
        plan = house.waiting(1)
        detail = daemon.get(f"/api/plans/{plan['id']}")
        (step,) = detail["items"]
        assert "first plan" in step["waits"]
        assert [os.path.basename(one["to"]) for one in step["files"]] == ["a.jpg", "a.xmp"]
        assert any(one["code"] == "plan-waits" for one in daemon.get("/api/status")["notices"])
        before = computed(daemon)
        started = house.approve(plan["id"])
        assert house.done(started["id"])["done"] == 1
        assert sorted(path.name for path in (house.library / "JPEG").iterdir()) == ["a.jpg", "a.xmp"]
        house.drop("b.jpg")
        wait_until((house.library / "JPEG" / "b.jpg").exists, why="the second to be sorted by itself")
        last = wait_until(lambda: next((one for one in house.plans("applied") if one["by"] == "rules"), None))
        assert (last["steps"], last["done"]) == (1, 1)
        daemon.settled()
        assert computed(daemon) == before + 1, "what was moved is not read again"
        image = next(one for one in daemon.images() if one["name"] == "a.jpg")
        words = [one["what"] for one in daemon.get(f"/api/why?id={image['id']}")["steps"]]
        assert words[-1] == "sorted"
        assert words.count("found") == 1
        house.whole()
