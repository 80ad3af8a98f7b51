"""The index opened for reading only, by commands beside or instead of the daemon."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixsortd.config import Settings
from pixsortd.daemon.lock import is_held
from pixsortd.errors import Conflict, IndexDamaged, IndexTooNew, NotFound
from pixsortd.index.probe import Probed, Verdict, probe
from pixsortd.index.store import Store

_MEND = "Start the daemon, or run `pixsortd rebuild`: the newest sound backup takes its place."


@contextmanager
def readable(state_dir: Path, settings: Settings) -> Iterator[Store]:
    """The index, open for reading, after a child process saw that opening it is safe.

    A running daemon has seen that itself, and the probe needs a file at rest. Raises NotFound without
    an index, IndexDamaged, IndexTooNew, and Conflict for an older format or while a daemon starts.
    """
    directory = state_dir / "index"
    require_index(directory)
    found = Probed(verdict=Verdict.SOUND) if is_held(state_dir) else probe(directory)
    if found.verdict is Verdict.ABSENT:
        raise _absent(directory)
    if found.verdict is Verdict.DAMAGED:
        if is_held(state_dir):
            raise Conflict("a daemon has just started", path=str(state_dir), next_step="Ask again.")
        raise IndexDamaged(f"the index is damaged: {found.message}", path=str(directory), next_step=_MEND)
    if found.verdict is Verdict.TOO_NEW:
        raise IndexTooNew(found.message, path=str(directory), next_step="Use the newer pixsortd again.")
    if found.verdict is Verdict.OLDER:
        step = "Start the daemon once: it brings the index to the format of this version."
        raise Conflict(f"the index is of an older format ({found.message})", path=str(directory), next_step=step)
    store = Store.open(directory, map_size=settings.index.map_size, readonly=True)
    try:
        yield store
    finally:
        store.close()


def require_index(directory: Path) -> None:
    """Raise NotFound unless the directory holds an index."""
    if not (directory / "data.mdb").exists():
        raise _absent(directory)


def _absent(directory: Path) -> NotFound:
    return NotFound("there is no index yet", path=str(directory), next_step="`pixsortd run` makes one.")
