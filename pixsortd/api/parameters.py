"""Parameters that several resources take, and how their text becomes a value."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from pixsortd.api.ports import Library
from pixsortd.errors import InvalidRequest, NotFound

Lib = NamedDependency[SkipValidation[Library]]
Cursor = Annotated[str | None, QueryParameter(max_length=512, description="`next_cursor` of the page before")]
RankBy = Annotated[
    str, QueryParameter(name="metric", min_length=1, max_length=100, description="a metric, or `composite`")
]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="items on a page")]

_HEX = frozenset("0123456789abcdef")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def photo_id(text: str) -> bytes:
    """The SHA-256 behind a photo's id. Raises NotFound: a malformed id names no photo either."""
    if len(text) != 64 or not _HEX.issuperset(text):
        raise NotFound("There is no photo with that id", next_step="Ids are 64 lower-case hex digits.")
    return bytes.fromhex(text)


def photo_ids(texts: Sequence[str]) -> list[bytes]:
    """The photos behind ids, each once. Raises NotFound."""
    return [photo_id(text) for text in dict.fromkeys(texts)]


def plain_id(text: str, what: str) -> str:
    """The id of a group, batch, job, root or file. Raises NotFound when it cannot be one."""
    if not 1 <= len(text) <= 128 or not _NAME.issuperset(text):
        raise NotFound(f"There is no {what} with that id")
    return text


def instant(text: str | None, *, end_of_day: bool) -> float | None:
    """Seconds since the epoch of an ISO 8601 date or date-time; one without offset is read as UTC.

    A bare date is its first instant, or with ``end_of_day`` its last. Raises InvalidRequest.
    """
    if text is None:
        return None
    try:
        if len(text) <= 10:
            moment = datetime.combine(date.fromisoformat(text), time.min, UTC)
            return (moment + timedelta(days=1)).timestamp() - 1e-6 if end_of_day else moment.timestamp()
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if text[-6:-5] == " " else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"{text!r} is no date or time", next_step="Use ISO 8601: 2024-05-01 or 2024-05-01T18:30:00+02:00."
        ) from error


def finite(value: float | None) -> float | None:
    """The number itself. Raises InvalidRequest for NaN and infinities."""
    if value is not None and not math.isfinite(value):
        raise InvalidRequest("A bound must be a finite number")
    return value
