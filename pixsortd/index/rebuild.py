"""Making anew what follows from the rest, or only comparing it."""

import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from pixsortd.index import derived, places, rows
from pixsortd.index.check import Finding, Search, check
from pixsortd.index.files import RowWriter
from pixsortd.index.schema import Table
from pixsortd.index.spaces import SPACE
from pixsortd.index.store import Store

log = structlog.get_logger()


class Rebuildable(Search, Protocol):
    """A search that can be built anew."""

    def rebuild(self) -> None: ...
    def save(self) -> bool: ...


def rebuild(store: Store, searches: Sequence[Rebuildable] = (), *, verify: bool = False) -> list[Finding]:
    """Make the derived tables and the searches anew from rows, photos, vectors and memberships.

    What differed is returned. With ``verify`` nothing is written: the fresh ones are only compared
    with those in use.
    """
    findings = check(store, searches=searches)
    if verify:
        return findings
    _drop_dangling(store)
    with store.engine.write() as edit:
        changed = derived.renew(edit)
    for search in searches:
        search.rebuild()
        search.save()
    store.remove_thumbnails(store.stray_thumbnails())
    log.info("index rebuilt", tables=[str(difference.table) for difference in changed], findings=len(findings))
    return findings


def _drop_dangling(store: Store) -> None:
    """Drop what refers to nothing; files that stood for an unknown photo are queued again."""
    with store.engine.write() as edit:
        writer = RowWriter(edit, time.time())
        for entry in [key for key in edit.keys(Table.PLACES) if not edit.has(Table.PHOTOS, key[: places.SHA])]:
            key = entry[places.SHA :]
            row, known = places.row_at(edit, key), places.file_at(edit, key)
            if row is not None and known is not None:
                writer.write(key, known.path, row, rows.requeued(row, writer.now))
        for key in [key for key in edit.keys(Table.FILES) if not edit.has(Table.DIRS, key[: rows.DIR])]:
            edit.delete(Table.FILES, key)
        writer.finish()
        for table, start in ((Table.MEMBERSHIPS, 0), (Table.EMBEDDINGS, SPACE), (Table.SCORES, 0)):
            for key in list(edit.keys(table)):
                if not edit.has(Table.PHOTOS, key[start : start + places.SHA]):
                    edit.delete(table, key)
