"""The store: everything the daemon knows, in one LMDB environment."""

from pathlib import Path

from pixsortd.index.analysis import Analyses
from pixsortd.index.backfill import Sweep
from pixsortd.index.census import Census
from pixsortd.index.counted import Counted
from pixsortd.index.directories import Directories
from pixsortd.index.engine import Engine
from pixsortd.index.entries import Entries
from pixsortd.index.files import Files
from pixsortd.index.groups import Groups
from pixsortd.index.lineup import Lineup
from pixsortd.index.lots import Lots
from pixsortd.index.migration import migrate
from pixsortd.index.outline import Outlines
from pixsortd.index.pages import Pages
from pixsortd.index.photos import Photos
from pixsortd.index.queries import Outline
from pixsortd.index.schema import Table
from pixsortd.index.scored import ManyScores
from pixsortd.index.spaces import Spaces
from pixsortd.index.thumbs import Thumbnails

THUMBS = "thumbs"


class Store(
    Files, Directories, Entries, Lineup, Analyses, Photos, Pages, Outlines, Groups, Spaces, ManyScores, Census, Lots
):
    """The index, open. Any thread may read; writes wait for one another.

    Every method takes one short transaction of its own and returns copies. Writes are durable when
    they return, and raise ``IndexFull`` with nothing written when the disk or the map is full.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thumbs = Thumbnails(engine.directory / THUMBS)
        self._sweep = Sweep()
        self._totals = Counted[int]()
        self._outlines = Counted[Outline]()

    @classmethod
    def open(cls, directory: Path, *, map_size: int, readonly: bool = False) -> "Store":
        """Open the index in ``directory``, made if absent; ``map_size`` in bytes is its ceiling.

        An index of an older version is brought up to date, step by step. Raises ``IndexTooNew``,
        ``IndexDamaged`` or ``IndexFull``.
        """
        engine = Engine(directory, map_size=map_size, readonly=readonly)
        try:
            if not readonly:
                migrate(engine, engine.found_version)
        except BaseException:
            engine.close()
            raise
        return cls(engine)

    def close(self) -> None:
        """Wait for running calls and close."""
        self._engine.close()

    @property
    def generation(self) -> int:
        """Rises with each write."""
        return self._engine.generation

    @property
    def engine(self) -> Engine:
        """The environment below, for check, rebuild and backup."""
        return self._engine

    def meta_get(self, name: str) -> bytes | None:
        """What ``meta_set`` kept under that name."""
        with self._engine.read() as view:
            return view.get(Table.NOTES, name.encode())

    def meta_set(self, name: str, value: bytes) -> None:
        """Keep a small value, such as a job's last run."""
        with self._engine.write() as edit:
            edit.put(Table.NOTES, name.encode(), value)
