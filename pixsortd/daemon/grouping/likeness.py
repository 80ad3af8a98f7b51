"""The likeness learned from the user's edits: what a clustering is told of them, its judgement, and the switch."""

import time
from collections.abc import Callable

import msgspec

from pixsortd.decisions import Decisions
from pixsortd.grouping.lessons import Lesson, lessons
from pixsortd.index.store import Store
from pixsortd.records import Edit, Learning, LearningState, UseLearned

_NOTE = "learned"


class LearnedLikeness:
    """Implements ``pixsortd.api.ports.Likeness``. Callable from any thread."""

    def __init__(self, store: Store, decisions: Decisions, on_change: Callable[[], None]) -> None:
        """``on_change`` hears of the switch."""
        self._store = store
        self._decisions = decisions
        self._on_change = on_change

    def lessons(self) -> tuple[Lesson, ...]:
        """What the edits that hold say of pairs of photos."""
        held = (past.decision for past in self._decisions.edits_since(0) if not past.undone)
        return lessons(edit for edit in held if isinstance(edit, Edit))

    def wanted(self) -> bool | None:
        """False where the user switched it off; without a word None."""
        return self._decisions.use_learned()

    def keep(self, learning: Learning) -> None:
        """Keep what the last clustering said of it. A cache: the next one judges anew."""
        self._store.meta_set(_NOTE, msgspec.msgpack.encode(learning))

    def report(self) -> Learning:
        """The last judgement, and the switch as it is now."""
        note = self._store.meta_get(_NOTE)
        last = Learning() if note is None else msgspec.msgpack.decode(note, type=Learning)
        off = self.wanted() is False
        if off == (last.state is LearningState.OFF):
            return last
        if off:
            why = "You switched it off; the next clustering goes without it."
            return msgspec.structs.replace(last, state=LearningState.OFF, why=why)
        why = "You switched it on; the next clustering uses it if it does better."
        return msgspec.structs.replace(last, state=LearningState.LEARNING, why=why)

    def use(self, use: bool | None) -> Learning:
        """Turn the switch. It counts from the next clustering on."""
        if use != self.wanted():
            self._decisions.append(UseLearned(use=use, at=time.time()))
            self._on_change()
        return self.report()
