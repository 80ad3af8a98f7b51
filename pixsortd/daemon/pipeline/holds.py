"""Stages of the pipeline that a person holds; they stay held across restarts."""

import threading
from typing import Protocol

import msgspec

from pixsortd.api.ports import StageName
from pixsortd.errors import Conflict
from pixsortd.records import Reason

_NOTE = "held_stages"
_MEANS = {
    StageName.ANALYZE: "the analysis is paused: files that come in wait, and nothing is sent to the worker",
    StageName.SCORE: "the scoring is paused: photos that come in get no quality scores",
    StageName.GROUP: "the grouping is paused: groups are not formed anew",
}


class Memory(Protocol):
    """Where the held stages are remembered."""

    def meta_get(self, name: str) -> bytes | None: ...
    def meta_set(self, name: str, value: bytes) -> None: ...


class Holds:
    """``stage in holds`` asks, ``set`` changes. Any thread may."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._held = _read(memory.meta_get(_NOTE))

    def __contains__(self, stage: object) -> bool:
        return stage in self._held

    def reason(self, stage: StageName) -> Reason | None:
        """Why a stage stands still; None when nobody holds it."""
        if stage not in self._held:
            return None
        step = f"Resume it on the pipeline page, or by POST /api/pipeline/{stage}/resume."
        return Reason(code=f"paused-{stage}", message=_MEANS[stage], next_step=step)

    def set(self, stage: StageName, held: bool) -> bool:
        """Hold a stage or let it go; whether that changed anything. Durable when it returns.

        Raises ``Conflict`` for a stage that cannot be held.
        """
        if stage not in _MEANS:
            raise Conflict(
                f"the stage {stage} cannot be paused",
                next_step=f"Pause one of these: {', '.join(_MEANS)}.",
            )
        with self._lock:
            new = self._held | {stage} if held else self._held - {stage}
            if new == self._held:
                return False
            self._memory.meta_set(_NOTE, msgspec.json.encode(sorted(new)))
            self._held = new
            return True


def _read(note: bytes | None) -> frozenset[StageName]:
    names = [] if note is None else msgspec.json.decode(note, type=list[str])
    known = {stage.value: stage for stage in StageName}
    return frozenset(known[name] for name in names if known.get(name) in _MEANS)
