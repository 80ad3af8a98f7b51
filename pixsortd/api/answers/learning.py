"""The likeness learned from the user's edits."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body
from pixsortd.records import LearningState

Share = Annotated[float, Meta(ge=0, le=1)]


class Learning(Answer, frozen=True, kw_only=True):
    """How the learned likeness does: shares of held-out pairs told right, without it and with it."""

    state: LearningState
    edits: int
    pairs: int
    held_out: int
    judged: int
    plain: Share | None
    learned: Share | None
    use: bool | None
    why: str


class LearningSwitch(Body, frozen=True, kw_only=True):
    """Whether it may be used; null leaves it to how well it does, as true does."""

    use: bool | None
