"""The most memory that a daemon's processes had: the kernel's own high-water mark, read until they end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

EVERY = 0.1
"""Seconds between two readings; the mark itself misses nothing before the last one."""
MODULES = {"pixsortd.daemon.worker": "worker", "pixsortd.grouping.analyst": "analyst", "pixsortd.analyst": "analyst"}
"""What a process is, by the module it runs."""


class Peaks:
    """Peak bytes by kind of process: ``core``, ``worker``, ``analyst``, or the name of the program."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}
        self.own: dict[str, int] = {}
        """The part that is no page of a file, as far as it was seen: the index is mapped and may be dropped."""

    @contextmanager
    def watched(self, parent: psutil.Process, name: str = "") -> Iterator["Peaks"]:
        """Watch ``parent``'s descendants, and with a ``name`` itself, while the block runs."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(parent, name, over))
        watcher.start()
        try:
            yield self
        finally:
            over.set()
            watcher.join()

    def look(self, parent: psutil.Process, name: str) -> None:
        """Read all marks once."""
        if name:
            self._read(parent.pid, name)
        for child in parent.children(recursive=True):
            try:
                arguments = child.cmdline()
            except psutil.Error:
                continue
            kind = next((MODULES[one] for one in arguments if one in MODULES), "")
            if kind:
                self._read(child.pid, kind)

    def _watch(self, parent: psutil.Process, name: str, over: threading.Event) -> None:
        while not over.wait(EVERY) and parent.is_running():
            self.look(parent, name)

    def _read(self, pid: int, kind: str) -> None:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return  # it has ended
        fields = {name: words.split() for name, _, words in (line.partition(":") for line in lines)}
        for name, sums in (("VmHWM", self.bytes), ("RssAnon", self.own)):
            if name in fields:
                sums[kind] = max(sums.get(kind, 0), int(fields[name][0]) * 1024)
