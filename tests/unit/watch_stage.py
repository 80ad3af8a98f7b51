"""A root, a catalog and a watcher that is stepped by hand under a clock of its own."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pixsortd.config import Duration, RootSettings, WatchSettings
from pixsortd.records import Change, FileRow, FileState, Ledger, Role, RootRecord
from pixsortd.watch.watcher import RootWatcher

from .fake_catalog import FakeCatalog

EXTENSIONS = frozenset((b".jpg", b".jpeg", b".png", b".heic"))


def no_observer(_hints: object) -> Any:
    """In place of the observer where a test is about scans alone."""
    raise OSError(24, "too many inotify instances")


class Stage:
    """``root`` is watched; :meth:`run` steps the watcher while the stage's clock goes on."""

    def __init__(self, root: Path, catalog: Any = None, *, role: Role = Role.LIBRARY, **options: Any) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.catalog = FakeCatalog() if catalog is None else catalog
        self.now = 1000.0
        self.told: list[tuple[RootRecord, Sequence[Change]]] = []
        self._role = role
        self._options = options
        self.open()

    def open(self, **options: Any) -> None:
        """Start a watcher, as after a restart."""
        given = {**self._options, **options}
        watch = {"quiet": Duration(2), "ceiling": Duration(60), **given.pop("watch", {})}
        self.watcher = RootWatcher(
            RootSettings(
                path=str(self.root),
                role=self._role,
                writable=given.pop("writable", False),
                exclude=given.pop("exclude", ()),
            ),
            WatchSettings(**watch),
            self.catalog,
            extensions=EXTENSIONS,
            on_change=lambda record, changes: self.told.append((record, changes)),
            **{"observe": no_observer, "monotonic": lambda: self.now, **given},
        )

    def restart(self, **options: Any) -> None:
        self.close()
        self.open(**options)

    def close(self) -> None:
        self.watcher.close()

    @property
    def id(self) -> str:
        return self.watcher.record.id

    @property
    def record(self) -> RootRecord:
        return self.watcher.record

    def run(self, seconds: float = 0.0) -> "Stage":
        """Step through ``seconds`` of the stage's time, and everything due in them."""
        end = self.now + seconds
        for _ in range(100_000):
            pause = self.watcher.step()
            if pause > 0:
                if self.now + pause > end:
                    break
                self.now += pause
        else:
            raise AssertionError("the watcher never rests")
        self.now = end
        return self

    def scan(self, seconds: float = 0.0) -> "Stage":
        self.watcher.request_scan()
        return self.run(seconds)

    def index(self) -> "Stage":
        """Let everything settle and be analysed."""
        self.run(5)
        self.catalog.index(self.id)
        return self

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Step until ``condition`` holds, in real time for the kernel and in large steps for the stage."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"did not come about: {self.states()}"
            self.run(0.3)
            time.sleep(0.002)

    def states(self) -> dict[bytes, FileState]:
        return {path: row.state for path, row in self.rows().items()}

    def rows(self) -> dict[bytes, FileRow]:
        found = {}
        for directory in list(self.catalog.directories(self.id)):
            for row in self.catalog.listing(self.id, directory).values():
                found[row.path] = row
        return found

    def row(self, path: bytes | str) -> FileRow:
        row = self.catalog.file(self.id, os.fsencode(path))
        assert row is not None, f"no row for {path!r}"
        return row

    @property
    def ledger(self) -> Ledger:
        return self.catalog.ledger(self.id)

    def write(self, path: str | bytes, content: bytes = b"photo", mtime: float | None = None) -> bytes:
        full = os.path.join(os.fsencode(self.root), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        if mtime is not None:
            os.utime(full, (mtime, mtime))
        return full

    def on_disk(self) -> int:
        """Regular files below the root, by an independent walk."""
        return sum(
            os.path.isfile(path) and not os.path.islink(path)
            for place, _, names in os.walk(os.fsencode(self.root))
            for path in (os.path.join(place, name) for name in names)
        )

    def assert_adds_up(self) -> None:
        """The ledger: everything on disk is accounted for, everything else is away."""
        ledger = self.ledger
        assert ledger.on_disk == ledger.indexed + ledger.excluded + ledger.pending + ledger.failed + ledger.away
        assert ledger.on_disk - ledger.away == self.on_disk()
