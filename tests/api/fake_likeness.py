"""A learned likeness that does better, and its switch."""

from dataclasses import dataclass

import msgspec

from pixsortd.records import Learning, LearningState

BETTER = Learning(
    state=LearningState.ON, edits=40, pairs=500, held_out=120, judged=31, plain=0.72, learned=0.8, why="It is used."
)


@dataclass
class FakeLikeness:
    """Implements `ports.Likeness`."""

    said: bool | None = None

    def report(self) -> Learning:
        if self.said is False:
            return msgspec.structs.replace(BETTER, state=LearningState.OFF, why="You switched it off.")
        return BETTER

    def wanted(self) -> bool | None:
        return self.said

    def use(self, use: bool | None) -> Learning:
        self.said = use
        return self.report()
