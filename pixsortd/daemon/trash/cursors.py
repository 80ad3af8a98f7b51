"""Places in the list of the trash as cursors. Pure."""

import math

from pixsortd.errors import InvalidRequest
from pixsortd.sorting.contents import Item


def cursor_of(item: Item) -> str:
    """The cursor that goes on behind an item."""
    return f"{item.at!r}-{item.id}"


def place_of(cursor: str | None) -> tuple[float, str] | None:
    """The place in the list that a cursor stands for. Raises ``InvalidRequest``."""
    if cursor is None:
        return None
    at, _, item = cursor.partition("-")
    try:
        place = float(at), item
    except ValueError:
        place = math.nan, item
    if not math.isfinite(place[0]):
        raise InvalidRequest("this cursor is not one of this list", next_step="Begin again without a cursor.")
    return place
