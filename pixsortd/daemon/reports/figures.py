"""What the index alone tells of itself, the queue and the models, whether or not a daemon runs."""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from pixsortd.api.ports import IndexReport, QueueReport, RootEntry
from pixsortd.config import Settings
from pixsortd.daemon.pipeline.wants import BUILTIN, configured_spaces, told_of
from pixsortd.index.schema import VERSION
from pixsortd.index.store import Store
from pixsortd.records import Ability, AbilityState, FileState, Lot, Reason, RootState, WatchMode

LOW_SPACE = 200 * 10**6
"""Bytes free on the state directory's disk below which a person is told."""


class Figures:
    """Reads counts and abilities from the store."""

    def __init__(self, settings: Callable[[], Settings], state_dir: Path, store: Store) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._store = store

    def waiting(self) -> QueueReport:
        """Files that settle or wait for analysis; what only a running daemon knows is zero."""
        pending, ready = self._store.counts().files.get(FileState.PENDING, 0), self._store.queued()
        return QueueReport(settling=max(0, pending - ready), ready=ready)

    def lots(self, roots: Collection[str]) -> list[Lot]:
        """The files of these roots that settle or wait, by kind and size."""
        return self._store.lots(roots)

    def index(self) -> IndexReport:
        """The sidecar index."""
        counts = self._store.counts()
        return IndexReport(
            photos=counts.photos,
            groups=counts.groups,
            grouped=counts.grouped,
            quarantined=counts.files.get(FileState.FAILED, 0),
            bytes=_used(self._state_dir / "index"),
            free=shutil.disk_usage(self._state_dir).free,
            generation=self._store.generation,
            schema=VERSION,
        )

    def abilities(self) -> list[Ability]:
        """What is known of each configured space and metric, and of the space that stands in."""
        settings = self._settings()
        known = {(ability.kind, ability.name): ability for ability in self._store.abilities()}
        wanted = [("space", name) for name in configured_spaces(settings)]
        if ("space", BUILTIN) in known and ("space", BUILTIN) not in wanted:
            wanted.append(("space", BUILTIN))
        wanted += [("metric", name) for name in settings.score.metrics]
        return [
            known.get((kind, name)) or Ability(kind=kind, name=name, state=AbilityState.UNKNOWN)
            for kind, name in wanted
        ]

    def notices(self, roots: Iterable[RootEntry]) -> Iterator[Reason]:
        """What a person should know of the disk, the roots and the models."""
        free = shutil.disk_usage(self._state_dir).free
        if free < LOW_SPACE:
            yield Reason(
                code="low-space",
                message=f"only {free // 10**6} MB of space are left for the index",
                next_step="Free some space on the disk of the state directory.",
            )
        for entry in roots:
            record = entry.record
            if record.reason is not None and record.state is not RootState.ONLINE:
                yield record.reason
            if record.watch is WatchMode.DEGRADED and record.watch_reason is not None:
                yield record.watch_reason
        for ability in self.abilities():
            if ability.state is AbilityState.UNAVAILABLE and ability.reason is not None:
                yield told_of(ability, ability.reason)


def _used(directory: Path) -> int:
    """Bytes the files directly in ``directory`` take on disk; sparse ones count what they hold."""
    try:
        return sum(entry.stat().st_blocks * 512 for entry in os.scandir(directory) if entry.is_file())
    except OSError:
        return 0
