"""Opening the index: probe it, and where it is damaged put a backup or an empty one in its place; and closing it."""

import os
import shutil
import time
from pathlib import Path

import structlog

from pixsortd.durable import sync_path
from pixsortd.errors import IndexTooNew
from pixsortd.index import clean
from pixsortd.index.backup import backups, make_backup, restore
from pixsortd.index.durable import said
from pixsortd.index.engine import DATA, LOCK
from pixsortd.index.probe import Probed, Verdict, probe
from pixsortd.index.store import Store
from pixsortd.records import Record

log = structlog.get_logger()

_ASIDE = "damaged-"
_KEPT_ASIDE = 2


class Opened(Record, frozen=True, kw_only=True):
    """How the index came to be open."""

    origin: str
    """``clean``, ``migrated``, ``restored`` (from a backup) or ``fresh``."""
    reason: str = ""
    """Why it is not clean."""
    aside: str = ""
    """Where the damaged index was put."""
    seconds: float = 0.0


def open_index(directory: Path, backup_directory: Path, *, map_size: int, keep: int = 3) -> tuple[Store, Opened]:
    """The store, and how it was opened.

    A damaged or deleted index is replaced by the newest backup that passes the probe, else by an
    empty one; thumbnails stay where they are, each proves itself when it is read. The next scan
    compares every file with what is known, so an old backup only means some work again. Raises
    ``IndexTooNew`` (nothing was touched) and ``IndexFull``.
    """
    began = time.monotonic()
    found = probe(directory)
    if found.verdict is Verdict.TOO_NEW:
        raise IndexTooNew(found.message, path=os.fspath(directory), next_step="Start the newer pixsortd again.")
    if found.verdict is Verdict.SOUND:
        opened = Opened(origin="clean")
    elif found.verdict is Verdict.OLDER:
        opened = Opened(origin="migrated", reason=found.message)
    else:
        opened = _replace(directory, backup_directory, found, map_size)
    store = Store.open(directory, map_size=map_size)
    if opened.origin == "migrated":
        make_backup(store, backup_directory, keep)
    seconds = round(time.monotonic() - began, 3)
    say = log.info if opened.origin == "clean" or not opened.reason else log.warning
    say("index opened", origin=opened.origin, reason=opened.reason, aside=opened.aside, seconds=seconds)
    return store, Opened(origin=opened.origin, reason=opened.reason, aside=opened.aside, seconds=seconds)


def close_index(store: Store, seconds: float) -> None:
    """Close the store; within ``seconds`` mark it, unless damage was met, so that the next start need not probe it."""
    store.close()
    if not store.engine.damaged:
        clean.mark(store.engine.directory / DATA, seconds)


def _replace(directory: Path, backup_directory: Path, found: Probed, map_size: int) -> Opened:
    damaged = found.verdict is Verdict.DAMAGED
    aside = _move_aside(directory) if damaged else ""
    for backup in backups(backup_directory):
        copy = probe(backup)
        if copy.verdict in (Verdict.SOUND, Verdict.OLDER):
            restore(backup, directory, map_size=map_size)
            return Opened(origin="restored", reason=f"{found.message}; backup {backup.name} used", aside=aside)
        log.warning("backup not usable", path=os.fspath(backup), reason=copy.message)
    return Opened(origin="fresh", reason=found.message if damaged else "", aside=aside)


def _move_aside(directory: Path) -> str:
    """Keep the damaged files for a look; the oldest ones kept before go."""
    pattern = f"{directory.name}.{_ASIDE}"
    aside = directory.with_name(f"{pattern}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        for name in (DATA, LOCK):
            if (directory / name).exists():
                (directory / name).rename(aside / name)
        sync_path(directory)
        sync_path(aside)
    except OSError as error:
        raise said(error, aside) from error
    for old in sorted(directory.parent.glob(pattern + "*"), reverse=True)[_KEPT_ASIDE:]:
        shutil.rmtree(old, ignore_errors=True)
    return os.fspath(aside)
