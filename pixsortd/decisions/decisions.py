"""The decisions: the log on disk, and what it amounts to in memory."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixsortd.decisions.batches import BatchState
from pixsortd.decisions.codec import decoded, encode
from pixsortd.decisions.curation import Past
from pixsortd.decisions.projections import Projections
from pixsortd.errors import DecisionsDamaged
from pixsortd.logfile import LogFile, sound_bodies
from pixsortd.records import ColourLabel, Constraints, Decision, GroupEdit, Lineage, UndoEdit

NAME = "decisions.log"
"""The log's file name."""


class Decisions:
    """The open log. Any thread may append or ask; asking never waits for the disk."""

    def __init__(self, directory: Path) -> None:
        self._said = Projections()
        self._log = LogFile.open(directory / NAME, self._replay, DecisionsDamaged)
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> "Decisions":
        """Read the log in ``directory``, made if absent.

        Raises ``DecisionsDamaged`` for damage before the last line and ``StateDirectoryError`` when
        the directory cannot be used.
        """
        return cls(directory)

    @property
    def path(self) -> Path:
        """Where the log is."""
        return self._log.path

    @property
    def torn(self) -> Path | None:
        """Where a cut-off last line was put when the log was opened, None if there was none."""
        return self._log.torn

    def append(self, decision: Decision) -> None:
        """Keep one decision, on disk when this returns.

        Raises ``StateDirectoryFull`` or ``StateDirectoryError``, with everything as it was.
        """
        self.append_all([decision])

    def append_all(self, decisions: Sequence[Decision]) -> None:
        """Keep many decisions with one write and one wait for the disk. Raises as ``append``, with none kept.

        A crash in the middle keeps a beginning of them: each decision stands for itself.
        """
        if not decisions:
            return
        with self._writing:
            self._log.append([encode(decision) for decision in decisions])
            with self._reading:
                for decision in decisions:
                    self._said.fold(decision)

    def constraints(self) -> Constraints:
        """What all edits of groups that hold ask of a clustering."""
        with self._reading:
            return self._said.curation.constraints()

    def preview(self, edit: GroupEdit | UndoEdit) -> Constraints:
        """What the constraints would be with this edit or undoing."""
        with self._reading:
            return self._said.curation.preview(edit)

    def lineage(self) -> Mapping[str, Sequence[Lineage]]:
        """What the user's merges and splits did to each group, the oldest first."""
        with self._reading:
            return self._said.curation.lineage()

    def edit(self, edit: str) -> Past | None:
        """The edit of groups, or undoing of one, of that id."""
        with self._reading:
            return self._said.curation.get(edit)

    def edits(self, before: int | None, limit: int) -> list[Past]:
        """Edits of groups at positions below ``before`` (None: the newest of all), newest first."""
        with self._reading:
            return self._said.curation.newest(before, limit)

    def edits_since(self, position: int) -> list[Past]:
        """Edits of groups from ``position`` on, the oldest first."""
        with self._reading:
            return list(self._said.curation.since(position))

    def edit_count(self) -> int:
        """How many edits of groups, undoings among them, there ever were."""
        with self._reading:
            return len(self._said.curation)

    def use_learned(self) -> bool | None:
        """Whether the metric learned from the edits may be used; None leaves it to how well it does."""
        with self._reading:
            return self._said.use_learned()

    def ratings(self) -> Mapping[bytes, int]:
        """Stars by photo, as they are now."""
        with self._reading:
            return self._said.ratings()

    def labels(self) -> Mapping[bytes, ColourLabel]:
        """Colour labels by photo, as they are now."""
        with self._reading:
            return self._said.labels()

    def captions(self) -> Mapping[bytes, str]:
        """Captions by photo, as they are now."""
        with self._reading:
            return self._said.captions()

    def batches(self) -> Mapping[str, BatchState]:
        """Every batch by its id, deleted ones included, as they are now."""
        with self._reading:
            return self._said.batches()

    def close(self) -> None:
        """Close the log; every append is on disk already."""
        with self._writing:
            self._log.close()

    def _replay(self, body: bytes) -> None:
        for decision in decoded([body]):
            self._said.fold(decision)


def last_said(directory: Path) -> Projections:
    """What the whole lines of the log in ``directory`` amount to, which is only read; nothing without one.

    Raises ``OSError``.
    """
    return Projections(decoded(sound_bodies(directory / NAME)))
