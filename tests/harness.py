"""A real daemon for tests: started as a person would, asked through HTTP, killed without mercy."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

FAST = {
    "watch": {"quiet": "300ms", "ceiling": "5s", "liveness": "500ms", "grace": "2s", "rescan": "1h"},
    "embed": {"space": "builtin"},
    "score": {"metrics": []},
    "worker": {"idle": "60s", "batch_files": 16},
}
"""Settings that make waiting short and need no weights."""


def toml(value: object) -> str:
    """``value`` as an inline TOML value (JSON is close enough but for tables)."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def wait_until(what: Callable[[], Any], seconds: float = 60, every: float = 0.1, why: str = "") -> Any:
    """Poll ``what`` until it is true; its last value. Raises ``AssertionError`` after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {why or what}; last value {value!r}")
        time.sleep(every)


Root = Path | Mapping[str, object]
"""A photo directory, or its whole table in the configuration."""


class Daemon:
    """One daemon over ``roots`` with its state in ``home``; restartable on the same state."""

    def __init__(
        self,
        home: Path,
        roots: Mapping[str, Root] | Sequence[Root],
        settings: Mapping[str, Mapping[str, object]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.state_dir = home / "state"
        self.log = home / "daemon.log"
        home.mkdir(parents=True, exist_ok=True)
        given = roots.values() if isinstance(roots, Mapping) else roots
        tables = [one if isinstance(one, Mapping) else {"path": str(one)} for one in given]
        merged: dict[str, Mapping[str, object]] = {**FAST}
        for section, values in (settings or {}).items():
            merged[section] = {**merged.get(section, {}), **values}
        merged["api"] = {"port": 0, **merged.get("api", {})}
        lines = [f"state_dir = {toml(str(self.state_dir))}"]
        lines += [f"roots = {toml(tables)}"]
        for section, values in merged.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {toml(value)}" for key, value in values.items()]
        self.config = home / "pixsortd.toml"
        self.config.write_text("\n".join(lines) + "\n")
        self.environ = {**os.environ, "HF_HUB_OFFLINE": "1", **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.headers: dict[str, str] = {}
        """Sent with every request."""

    def start(self, *, wait: bool = True) -> "Daemon":
        """Start it and, unless told otherwise, wait until it answers."""
        note = self.state_dir / "run" / "daemon.json"
        note.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pixsortd", "run", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environ,
            )
        if wait:
            self.url = wait_until(self._announced, 60, why="the daemon to announce itself")
        return self

    def _announced(self) -> str | None:
        assert self.process is not None
        assert self.process.poll() is None, f"the daemon ended:\n{self.tail()}"
        note = self.state_dir / "run" / "daemon.json"
        return json.loads(note.read_bytes())["url"] if note.exists() else None

    def tail(self, size: int = 4000) -> str:
        """The end of its log."""
        return self.log.read_bytes()[-size:].decode(errors="replace") if self.log.exists() else ""

    @property
    def core(self) -> psutil.Process:
        """The daemon's own process."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def children(self) -> list[psutil.Process]:
        """Its workers and analysts."""
        return self.core.children(recursive=True)

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL of the core; its children end by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(15)

    def __enter__(self) -> "Daemon":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    # --- asking ------------------------------------------------------------------------------

    def request(self, path: str, method: str = "GET", body: object = None, headers: Mapping[str, str] | None = None):
        """One HTTP call: (status, headers, body bytes)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={**self.headers, **(headers or {})}
        )
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path: str) -> Any:
        """The JSON of a GET; raises ``AssertionError`` when it is refused."""
        status, _, body = self.request(path)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)

    def post(self, path: str, body: object = None, method: str = "POST") -> Any:
        """The JSON of a write; raises ``AssertionError`` when it is refused."""
        status, _, answer = self.request(path, method, body)
        assert 200 <= status < 300, (path, status, answer[:500])
        return json.loads(answer) if answer else None

    def roots(self) -> list[dict[str, Any]]:
        """The roots with their ledgers."""
        return self.get("/api/roots")["items"]

    def ledger(self) -> dict[str, int]:
        """All ledgers added up."""
        total: dict[str, int] = {}
        for root in self.roots():
            for key, value in root["ledger"].items():
                total[key] = total.get(key, 0) + value
        return total

    def images(self, **query: object) -> Iterator[dict[str, Any]]:
        """Every image of the list call, page by page."""
        cursor = None
        while True:
            given = {**query, "limit": 200, **({"cursor": cursor} if cursor else {})}
            page = self.get("/api/images?" + "&".join(f"{key}={value}" for key, value in given.items()))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def grouped(self, seconds: float = 120) -> None:
        """Wait until groups have been formed and no job is left to do."""

        def done() -> bool:
            jobs = self.get("/api/jobs")["items"]
            formed = any(job["kind"] == "recluster" and job["state"] == "complete" for job in jobs)
            return formed and not any(job["state"] in ("queued", "running") for job in jobs)

        wait_until(done, seconds, 0.2, why="groups to be formed")

    def settled(self, on_disk: int | None = None, seconds: float = 120) -> dict[str, int]:
        """Wait until nothing is pending (and ``on_disk`` files are known); the ledger, which must add up."""

        def done() -> dict[str, int] | None:
            assert self.process is None or self.process.poll() is None, f"the daemon ended:\n{self.tail()}"
            ledger = self.ledger()
            known = on_disk is None or ledger.get("on_disk") == on_disk
            scanned = all(root["state"] != "starting" for root in self.roots())
            return ledger if scanned and known and not ledger["pending"] else None

        ledger = wait_until(done, seconds, 0.2, why=f"pending to become 0 with on_disk={on_disk}")
        parts = sum(value for key, value in ledger.items() if key != "on_disk")
        assert ledger["on_disk"] == parts, ledger
        return ledger
