"""What a worker is on at the moment, and since when: pure bookkeeping of its ``Busy`` messages."""

from collections.abc import Sequence
from dataclasses import dataclass

LOADING = 600.0
"""Seconds for starting up or loading one model: gigabytes of weights from a slow disk."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that takes longer than it may."""

    stage: str
    ids: tuple[int, ...]
    seconds: float


class Flight:
    """Deadlines: ``timeout`` for one file in one stage, as many times that for a batch in a model."""

    def __init__(self, timeout: float, now: float) -> None:
        self._timeout = timeout
        self._stages: dict[tuple[int, ...], tuple[str, float]] = {}
        self._heard = now

    def heard(self, now: float) -> None:
        """The worker said something, so it is no longer loading."""
        self._heard = now
        self._stages.pop((), None)

    def busy(self, stage: str, ids: Sequence[int], now: float) -> None:
        """The worker said what it is on; an empty stage ends it."""
        self.heard(now)
        if stage:
            self._stages[tuple(ids)] = (stage, now)
        else:
            self._stages.pop(tuple(ids), None)

    @property
    def ids(self) -> tuple[int, ...]:
        """The files that something is being done with."""
        return tuple(number for ids in self._stages for number in ids)

    @property
    def deadline(self) -> float:
        """When the first of it is overdue; without any, when silence is."""
        return min((self._due(ids) for ids in self._stages), default=self._heard + self._timeout)

    def overdue(self, now: float) -> Overdue | None:
        """What should have ended by now, if anything."""
        if now < self.deadline:
            return None
        late = min(self._stages, key=self._due, default=None)
        if late is None:
            return Overdue("silence", (), now - self._heard)
        stage, since = self._stages[late]
        return Overdue(stage, late, now - since)

    def _due(self, ids: tuple[int, ...]) -> float:
        allowed = self._timeout * len(ids) if ids else max(LOADING, self._timeout)
        return self._stages[ids][1] + allowed
