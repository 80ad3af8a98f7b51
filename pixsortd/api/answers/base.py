"""What all answers share."""

from typing import Annotated

import msgspec
from msgspec import Meta

ImageId = Annotated[str, Meta(description="SHA-256 of the photo's bytes, in hex")]
Seconds = Annotated[float, Meta(description="seconds since the epoch, UTC")]
Shown = Annotated[str, Meta(description="for display; bytes that are no UTF-8 appear as \\xNN")]
Rating = Annotated[int, Meta(ge=0, le=5, description="stars")]
Ids = Annotated[list[ImageId], Meta(min_length=1, max_length=10_000, description="ids of photos, each 64 hex digits")]
Total = Annotated[int, Meta(ge=0, description="length of the whole list under the same filters")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is sent."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is received; an unknown key is refused."""


class FieldProblem(Answer, frozen=True, kw_only=True):
    """One parameter or body field that is wrong."""

    field: str
    message: str


class RuleProblem(Answer, frozen=True, kw_only=True):
    """Something that is wrong with a rule; `index` counts from 0, `key` is empty for all of it."""

    index: int
    rule: str
    key: str
    message: str
    next_step: str
    where: Annotated[str, Meta(description="file and line, where it came from a file")]


class Problem(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457): the body of every error."""

    type: str
    title: str
    status: int
    detail: str
    next_step: Annotated[str, Meta(description="what the reader can do")] = ""
    errors: list[FieldProblem] = []
    rooms: dict[str, "Room"] = {}
    problems: Annotated[list[RuleProblem], Meta(description="what is wrong with rules of sorting")] = []
    plan: Annotated[str, Meta(description="id of the plan that waits, where the one that was named has changed")] = ""
    toml: Annotated[str, Meta(description="what to put into the settings file by hand")] = ""


class Reason(Answer, frozen=True, kw_only=True):
    """Why something is as it is."""

    code: str
    message: str
    next_step: str


class Room(Answer, frozen=True, kw_only=True):
    """Health of one part of the daemon."""

    ok: bool
    reason: Reason | None
