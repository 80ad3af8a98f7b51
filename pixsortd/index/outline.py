"""A list in outline: how many photos each month or run of numbers holds, and the photos of one of them.

What the pages of a list hold one after the other is what its buckets hold one after the other: both
are walked by the same ``Listing``. A bucket's key goes on to mean the same part of the list, whatever
is added elsewhere.
"""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.errors import InvalidRequest
from pixsortd.index.codec import NEWEST, OLDEST, TOP, number_key
from pixsortd.index.counted import Counted
from pixsortd.index.engine import Engine, View
from pixsortd.index.entries import entry_id
from pixsortd.index.listing import ADDED, Listing, Span
from pixsortd.index.pages import WAITING, Waiting
from pixsortd.index.queries import Bucket, Outline, PhotoCell, PhotoQuery
from pixsortd.records import FileRow, FileState

RUN = 500
"""Photos by number in one bucket."""
FILES = 1000
"""Files that are no photos yet in one bucket."""
_FIRST, _LAST = -1969 * 12, (9999 - 1970) * 12 + 11
"""January of the year 1 and December 9999 in months since 1970; what lies beyond counts for them."""
_MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")
_RUN = re.compile(r"n(0|[1-9][0-9]{0,11})")
_FILES = re.compile(r"f(0|[1-9][0-9]{0,11})")

_Integers = npt.NDArray[np.int64]


class _Ruler(NamedTuple):
    """How lists of one order are cut into buckets."""

    cut: Callable[[npt.NDArray[np.uint64]], _Integers]
    """Which bucket each cursor key falls into, given its first 8 bytes as a number."""
    down: bool
    """Whether the greatest bucket comes first."""
    name: Callable[[int], str]
    span: Callable[[str], Span | None]
    """The keys of the bucket of that name, None where no bucket has it."""


def _months(heads: npt.NDArray[np.uint64]) -> _Integers:
    micro = (np.uint64(TOP) - heads).view(np.int64)
    months: _Integers = np.clip(micro, _moment(_FIRST), _moment(_LAST)).view("M8[us]").astype("M8[M]").view(np.int64)
    return months


def _moment(month: int) -> int:
    """Microseconds since 1970 at the begin of a month."""
    return int(np.datetime64(month, "M").astype("M8[us]").view(np.int64))


def _month_name(month: int) -> str:
    return f"{1970 + month // 12:04}-{month % 12 + 1:02}"


def _month_span(name: str) -> Span | None:
    match = _MONTH.fullmatch(name)
    if match is None:
        return None
    month = (int(match[1]) - 1970) * 12 + int(match[2]) - 1
    newest = NEWEST if month == _LAST else number_key(TOP - _moment(month + 1) + 1)
    return newest, OLDEST if month == _FIRST else number_key(TOP - _moment(month))


def _runs(heads: npt.NDArray[np.uint64]) -> _Integers:
    return (heads // np.uint64(RUN)).astype(np.int64)


def _run_name(run: int) -> str:
    return f"n{run * RUN}"


def _run_span(name: str) -> Span | None:
    match = _RUN.fullmatch(name)
    if match is None or int(match[1]) % RUN:
        return None
    return number_key(int(match[1])), number_key(int(match[1]) + RUN - 1)


_RULERS = {
    "-taken": _Ruler(_months, True, _month_name, _month_span),
    "taken": _Ruler(_months, False, _month_name, _month_span),
    ADDED: _Ruler(_runs, True, _run_name, _run_span),
}


class Outlines:
    """The part of the store that shows lists in outline."""

    _engine: Engine
    _outlines: Counted[Outline]

    def outline(self, query: PhotoQuery, away_roots: Collection[str] = ()) -> Outline:
        """The list that ``page`` goes through, as its buckets. Raises ``InvalidRequest`` as ``page`` does."""
        with self._engine.read() as view:
            if query.status in WAITING:
                total = _waiting(view, query).total()
                counts = (min(FILES, total - start) for start in range(0, total, FILES))
                buckets = (Bucket(key=f"f{number}", count=count) for number, count in enumerate(counts))
                return Outline(buckets=tuple(buckets), total=total)
            listing = Listing(view, query, frozenset(away_roots))
            return self._outlines.of(listing, lambda: _outlined(listing))

    def bucket(self, query: PhotoQuery, key: str, away_roots: Collection[str] = ()) -> list[PhotoCell]:
        """The photos or files of one bucket in the list's order; none for one that is empty now.

        Raises ``InvalidRequest`` as ``page`` does, and for a key that no bucket of such a list can have.
        """
        with self._engine.read() as view:
            if query.status in WAITING:
                match = _FILES.fullmatch(key)
                if match is None:
                    raise _foreign(key)
                return [_file_cell(row) for row in _waiting(view, query).part(int(match[1]) * FILES, FILES)]
            away = frozenset(away_roots)
            span = _RULERS[Listing(view, query, away).query.sort].span(key)
            if span is None:
                raise _foreign(key)
            listing = Listing(view, query, away, span)
            return [listing.cell(sha256) for _, sha256 in listing.keys(None)]


def _outlined(listing: Listing) -> Outline:
    ruler = _RULERS[listing.query.sort]
    heads = np.frombuffer(listing.heads(), ">u8").astype(np.uint64)
    found, counts = np.unique(ruler.cut(heads), return_counts=True)
    pairs = zip(found.tolist(), counts.tolist(), strict=True)
    buckets = [Bucket(key=ruler.name(number), count=count) for number, count in pairs]
    return Outline(buckets=tuple(buckets[::-1] if ruler.down else buckets), total=len(heads))


def _waiting(view: View, query: PhotoQuery) -> Waiting:
    return Waiting(view, query, FileState(query.status or ""))


def _file_cell(row: FileRow) -> PhotoCell:
    return PhotoCell(
        sha256=row.sha256,
        entry=entry_id(row),
        name=row.path.rpartition(b"/")[2],
        status=row.state,
    )


def _foreign(key: str) -> InvalidRequest:
    return InvalidRequest(f"{key!r} is no bucket of this list", next_step="Take the keys from the list's outline.")
