"""An inbox and a library under a daemon that sorts, for tests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

Photos = Mapping[str, tuple[bytes, int]]
"""Content hash and mtime by path."""


class House:
    """An inbox, a library that may be written and one that may not, and a daemon over them."""

    def __init__(
        self, home: Path, rules: list[dict[str, object]], inbox: Path | None = None, **settings: Mapping[str, object]
    ) -> None:
        self.inbox = inbox or home / "inbox"
        self.library, self.archive = home / "library", home / "archive"
        for path in (self.inbox, self.library, self.archive):
            path.mkdir(parents=True, exist_ok=True)
        self.daemon = Daemon(
            home / "d",
            [
                {"path": str(self.inbox), "role": "inbox"},
                {"path": str(self.library), "writable": True},
                self.archive,
            ],
            {"sort": {"delay": "200ms", "free_floor": "0B", "rules": rules}, **settings},
        )

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

    def detail(self, plan: str) -> dict[str, Any]:
        """A plan with all of its steps up to 200."""
        return self.daemon.get(f"/api/plans/{plan}?limit=200")

    def sorted(self, plan: str) -> dict[str, Any]:
        """Approve a plan and see it through; its record."""
        return self.done(self.approve(plan)["id"])

    def undone(self, run: str) -> dict[str, Any]:
        """Take a run back and see that through; the record of the run that did so."""
        return self.done(self.daemon.post(f"/api/plans/{run}/undo", {"steps": None})["id"])

    def refusal(self, path: str, method: str = "GET", body: object = None) -> tuple[int, dict[str, Any]]:
        """What is said to a call that is refused."""
        status, _, answer = self.daemon.request(path, method, body)
        return status, json.loads(answer)

    def unmoved(self) -> dict[str, str]:
        """Why files stay, by their names; of all plans that wait."""
        every = (self.detail(one["id"])["unmoved"] for one in self.plans("waiting"))
        return {one["path"].rpartition("/")[2]: one["why"] for found in every for one in found}

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
        for path in directory.rglob("*.*"):
            if path.suffix.lower() == ".jpg" and not path.is_symlink():
                found[str(path)] = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
    return found
