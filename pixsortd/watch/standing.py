"""The record of one root: recalled at the start, kept up to date, told to whoever shows it."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from pixsortd.config import RootSettings
from pixsortd.records import Change, RootRecord, RootState, WatchMode
from pixsortd.watch import roots
from pixsortd.watch.catalog import Catalog

log = structlog.get_logger()

Tell = Callable[[RootRecord, Sequence[Change]], None]


class Standing:
    """How a root stands. ``tell`` is called after changes were recorded, and with none for the record alone."""

    def __init__(
        self,
        path: bytes,
        root: str,
        settings: RootSettings,
        catalog: Catalog,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._catalog = catalog
        self._tell = tell
        self._clock = clock
        stored = catalog.root(root) or RootRecord(id=root, path=path)
        self.braked = stored.reason is not None and stored.reason.code == roots.BRAKED
        """Whether the brake held when the last run ended; it holds on until a scan has shown otherwise."""
        if not self.braked:
            stored = msgspec.structs.replace(stored, state=RootState.STARTING, reason=None, since=clock())
        self.record = msgspec.structs.replace(
            stored,
            path=path,
            role=settings.role,
            writable=settings.may_be_written,
            watch=WatchMode.OFF,
            watch_reason=None,
            watched=0,
        )
        """The root as it is now."""

    def update(self, **fields: Any) -> None:
        """Change the record; it is stored and told only when it has become another one."""
        before = self.record
        if fields.get("state", before.state) is not before.state:
            fields["since"] = self._clock()
            log.info(f"root is {fields['state']}", root=before.id, reason=fields.get("reason"))
        self.record = msgspec.structs.replace(before, **fields)
        if self.record != before:
            self._catalog.save_root(self.record)
            self._tell(self.record, ())

    def apply(self, changes: Sequence[Change]) -> None:
        """Record changes of the root's files, and tell them."""
        self._catalog.record(self.record.id, changes)
        self._tell(self.record, changes)
