"""The bar of the first scan, on a terminal only."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pixsortd.cli import stages

Scan = Mapping[str, Any]
"""``done`` and ``total`` files, the ``pace`` and the time ``left`` in words, and whether ``scanning`` goes on."""

EVERY = 1.0


class FirstScanBar:
    """A bar on stderr from the start until every file found has been looked at once.

    ``look`` is asked once a second in a thread of its own. While the bar is up, other lines
    written to stderr appear above it.
    """

    def __init__(self, look: Callable[[], Scan | None], console: Console | None = None, every: float = EVERY) -> None:
        self._look, self._every = look, every
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            refresh_per_second=4,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="first-scan-bar", daemon=True)

    def __enter__(self) -> "FirstScanBar":
        self._progress.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(1)  # a look may hang on a server that is closing
        self._progress.stop()

    def _follow(self) -> None:
        task = self._progress.add_task("starting", total=None, count="", left="")
        while not self._stop.wait(self._every):
            scan = self._look()
            if scan is not None and self._show(task, scan):
                break
        self._progress.stop()

    def _show(self, task: TaskID, scan: Scan) -> bool:
        """Draw one look; True when the first scan is over."""
        done, total = scan["done"], scan["total"]
        if not scan["scanning"] and done >= total:
            self._progress.remove_task(task)
            self._console.print(f"First scan complete: {done} files looked at.", highlight=False)
            return True
        self._progress.update(
            task,
            description="looking" if scan["scanning"] else "analysing",
            completed=done,
            total=total or None,
            count=", ".join(filter(None, [f"{done} of {total}{' so far' if scan['scanning'] else ''}", scan["pace"]])),
            left=scan["left"],
        )
        return False


def daemon_scan(state_dir: Path) -> Callable[[], Scan | None]:
    """Looks at the daemon that serves ``state_dir`` as any other client does."""
    from pixsortd.cli.client import DaemonClient
    from pixsortd.daemon.lock import read_address
    from pixsortd.errors import PixsortdError

    def look() -> Scan | None:
        address = read_address(state_dir)
        if address is None:
            return None
        try:
            return first_scan(DaemonClient(address.url, address.token, timeout=2).status())
        except PixsortdError:  # it is still starting, or already ending
            return None

    return look


def first_scan(status: Mapping[str, Any]) -> Scan:
    """How far the first look at every file is, from the API's status."""
    ledgers = [root["ledger"] for root in status["roots"]]
    total = sum(ledger["on_disk"] for ledger in ledgers)
    pending = sum(ledger["pending"] for ledger in ledgers)
    scanning = any(root["scan"]["running"] or root["state"] == "starting" for root in status["roots"])
    analysis = next(stage for stage in status["stages"] if stage["name"] == "analyze")
    pace = stages.pace(analysis["rate"]) if analysis["rate"] else ""
    return {
        "done": total - pending,
        "total": total,
        "pace": pace,
        "left": stages.left(analysis),
        "scanning": scanning,
    }
