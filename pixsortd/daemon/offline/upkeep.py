"""Checking and rebuilding the index from the command line, on its files, beside or instead of the daemon."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pixsortd.config import Settings
from pixsortd.daemon.lock import InstanceLock, is_held
from pixsortd.daemon.offline.readable import readable, require_index
from pixsortd.decisions import NAME
from pixsortd.index import check as index_check
from pixsortd.index import rebuild as index_rebuild
from pixsortd.index.check import Finding
from pixsortd.index.startup import close_index, open_index
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.logfile import body_of
from pixsortd.records import RootState

_MARK_SECONDS = 60.0

Progress = Callable[[int, int], None]


def check(state_dir: Path, settings: Settings, *, read_data: bool, progress: Progress) -> list[Finding]:
    """Everything that is wrong with the decisions and the index; nothing is written, the daemon may run.

    With ``read_data`` every original of the roots that are there is read as well. Raises NotFound
    without an index, IndexDamaged when it cannot even be opened, IndexTooNew and Conflict for another format.
    """
    findings = list(_decisions(state_dir / "decisions" / NAME))
    with readable(state_dir, settings) as store:
        online = {
            root.id: root.path for root in store.roots() if root.state is RootState.ONLINE and os.path.isdir(root.path)
        }
        return findings + index_check.check(store, read_data=read_data, online=online, progress=progress)


def rebuild(state_dir: Path, settings: Settings, *, verify: bool) -> list[Finding]:
    """Make anew what follows from the rest, or with ``verify`` only compare it; what differed.

    The vector files are only compared while no daemon runs: it writes them now and then. Raises
    AlreadyRunning when one runs and something is to be written, and what ``check`` raises.
    """
    directory = state_dir / "index"
    if verify:
        with readable(state_dir, settings) as store, tempfile.TemporaryDirectory() as scratch:
            searches = [] if is_held(state_dir) else list(_searches(store, directory, Path(scratch)))
            stale = [_stale(search) for search in searches if search.origin.kind == "rebuilt" and search.origin.reason]
            return stale + index_rebuild.rebuild(store, searches, verify=True)
    require_index(directory)
    with InstanceLock(state_dir):
        index = settings.index
        store, _ = open_index(directory, state_dir / "backups", map_size=index.map_size, keep=index.backups)
        try:
            return index_rebuild.rebuild(store, list(_searches(store, directory, directory)))
        finally:
            close_index(store, _MARK_SECONDS)


def _searches(store: Store, directory: Path, place: Path) -> Iterator[Vectors]:
    """The search of every space, its file read in ``place``: a copy there keeps the original as it is."""
    for state in store.spaces():
        if not state.count:
            continue
        search = Vectors(place, store, state.space)
        for path in search.files if place != directory else ():
            if (directory / path.name).exists():
                shutil.copyfile(directory / path.name, path)
        search.load()
        yield search


def _stale(search: Vectors) -> Finding:
    return Finding(
        code="search-file",
        message=f"space {search.space.name}: its file is not usable ({search.origin.reason})",
        next_step="Nothing to do: it is made anew at the next start.",
    )


def _decisions(path: Path) -> Iterator[Finding]:
    """Lines of the log that fail their checksum. The last may be one that is just being written."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, start=1):
        try:
            body_of(line)
        except ValueError as error:
            if number < len(lines):
                message = f"{path}:{number}: {error}"
                step = "Put the log back from a backup; the daemon does not start on a damaged one."
                yield Finding(code="decisions", message=message, next_step=step)
