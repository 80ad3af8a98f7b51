"""Rolling copies of the index, each proven before an older one is given up."""

import os
import shutil
import time
from pathlib import Path

import structlog

from pixsortd.durable import sync_path
from pixsortd.errors import IndexFull
from pixsortd.index.codec import damaged
from pixsortd.index.durable import said
from pixsortd.index.engine import DATA
from pixsortd.index.probe import Verdict, probe
from pixsortd.index.store import Store

log = structlog.get_logger()

_PREFIX, _PARTIAL = "index-", ".partial"


def backups(directory: Path) -> list[Path]:
    """The backups in ``directory``, newest first."""
    return sorted((path for path in directory.glob(_PREFIX + "*") if path.suffix != _PARTIAL), reverse=True)


def make_backup(store: Store, directory: Path, keep: int) -> Path:
    """Write a compacted copy, prove it, and delete all but the newest ``keep``; the copy's directory.

    Raises ``IndexFull`` when it does not fit, ``IndexDamaged`` when the copy does not pass the probe:
    then the index itself is damaged and the older backups stay.
    """
    target = directory / f"{_PREFIX}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{store.generation}"
    partial = target.with_name(target.name + _PARTIAL)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in directory.glob(f"{_PREFIX}*{_PARTIAL}"):
            shutil.rmtree(stale)
        _require_room(store, directory)
        partial.mkdir(mode=0o700)
        store.engine.copy(partial)
        sync_path(partial / DATA)
        found = probe(partial)
        if found.verdict is not Verdict.SOUND:
            store.engine.damaged = True
            raise damaged(f"a backup of the index is not sound ({found.message})")
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
        sync_path(directory)
    except OSError as error:
        raise said(error, target) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for old in backups(directory)[max(keep, 1) :]:
        shutil.rmtree(old, ignore_errors=True)
    log.info("index backed up", path=os.fspath(target), bytes=(target / DATA).stat().st_size)
    return target


def restore(backup: Path, directory: Path, *, map_size: int) -> None:
    """Put a copy of a backup where the index is opened from; raises ``IndexFull`` or ``IndexProblem``.

    The copy is made another index than the one it was taken of before it takes its place, so that
    no vector file of the lost one can be mistaken for its own.
    """
    temporary = directory / "restoring"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True, mode=0o700)
        shutil.copyfile(backup / DATA, temporary / DATA)
        store = Store.open(temporary, map_size=map_size)
        try:
            with store.engine.write() as edit:
                edit.new_epoch()
        finally:
            store.close()
        sync_path(temporary / DATA)
        (temporary / DATA).replace(directory / DATA)
        sync_path(directory)
    except OSError as error:
        raise said(error, directory) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _require_room(store: Store, directory: Path) -> None:
    needed, room = (store.engine.directory / DATA).stat().st_size, os.statvfs(directory)
    if room.f_bavail * room.f_frsize < needed:
        raise IndexFull(
            f"a backup of the index needs {needed // 1_000_000 + 1} MB",
            path=os.fspath(directory),
            next_step="Free some space; the next backup is tried on schedule.",
        )
