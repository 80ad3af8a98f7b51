"""What the user's edits taught of likeness, and how well that does."""

from enum import StrEnum

from pixsortd.records.base import Record


class LearningState(StrEnum):
    """Whether the learned likeness is used."""

    LEARNING = "learning"
    """Not yet: too few edits can be checked against others."""
    ON = "on"
    """It does better than the plain embedding and is used."""
    WORSE = "worse"
    """It does not do better for certain, and is not used."""
    OFF = "off"
    """The user switched it off."""


class Learning(Record, frozen=True, kw_only=True):
    """The last judgement on the learned likeness."""

    state: LearningState = LearningState.LEARNING
    edits: int = 0
    """How many taught it something."""
    pairs: int = 0
    """Pairs of photos that they say belong together, or do not."""
    held_out: int = 0
    """Those of them it was judged on, by maps that had not seen their photos."""
    judged: int = 0
    """The edits that these are of."""
    plain: float | None = None
    """How often the plain embedding tells such a pair from opposite ones, 0 to 1; a half is chance."""
    learned: float | None = None
    """The same for the learned likeness."""
    why: str = "No edit has taught it anything yet."
