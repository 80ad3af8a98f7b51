"""The store: everything the daemon knows, in one LMDB environment."""

from pathlib import Path

from pixsortd.index.engine import Engine
from pixsortd.index.files import Files


class Store(Files):
    """The index, open. Any thread may read; writes wait for one another.

    Every method takes one short transaction of its own and returns copies. Writes are durable when
    they return, and raise ``IndexFull`` with nothing written when the disk or the map is full.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, directory: Path, *, map_size: int, readonly: bool = False) -> "Store":
        """Open the index in ``directory``, made if absent; ``map_size`` in bytes is its ceiling.

        Raises ``IndexTooNew``, ``IndexDamaged`` or ``IndexFull``.
        """
        return cls(Engine(directory, map_size=map_size, readonly=readonly))

    def close(self) -> None:
        """Wait for running calls and close."""
        self._engine.close()

    @property
    def generation(self) -> int:
        """Rises with each write."""
        return self._engine.generation
