"""Lists for people: filtered, sorted, and paged by a cursor that new photos do not disturb.

A cursor holds the sort key of the last item, so the next page begins right behind it whatever was
added or removed in between.
"""

import base64
import binascii
import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from pixsortd.errors import InvalidRequest
from pixsortd.index import places, rows
from pixsortd.index.codec import NEWEST, OLDEST, order_of
from pixsortd.index.counted import Counted
from pixsortd.index.engine import Engine, View
from pixsortd.index.files import counts
from pixsortd.index.listing import ORDER, Listing
from pixsortd.index.queries import Counts, Page, PhotoItem, PhotoQuery
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, FileState

WAITING = frozenset({FileState.PENDING, FileState.FAILED})


class Pages:
    """The part of the store that lists."""

    _engine: Engine
    _totals: Counted[int]

    def page(
        self, query: PhotoQuery, cursor: str | None, limit: int, away_roots: Collection[str] = ()
    ) -> Page[PhotoItem]:
        """``limit`` items behind ``cursor``; photos all of whose files are away or in ``away_roots`` are away.

        Raises ``InvalidRequest`` for an unknown sort or status, or the cursor of another list.
        """
        with self._engine.read() as view:
            if query.status in WAITING:
                waiting = Waiting(view, query, FileState(query.status))
                files, following, total = waiting.page(cursor, limit)
                return Page(items=[_file_item(row) for row in files], next_cursor=following, total=total)
            listing = Listing(view, query, frozenset(away_roots))
            found = list(islice(listing.keys(_opened(cursor, query.sort)), limit + 1))
            return Page(
                items=[listing.item(sha256) for _, sha256 in found[:limit]],
                next_cursor=_sealed(query.sort, found[limit - 1][0]) if len(found) > limit else None,
                total=self._total(listing),
            )

    def quarantine(self, limit: int, cursor: str | None = None, root: str | None = None) -> Page[FileRow]:
        """Failed files, newest first."""
        with self._engine.read() as view:
            waiting = Waiting(view, PhotoQuery(root=root), FileState.FAILED)
            files, following, total = waiting.page(cursor, limit)
            return Page(items=files, next_cursor=following, total=total)

    def counts(self) -> Counts:
        """The index in figures, without looking at single records."""
        with self._engine.read() as view:
            files: Counter[FileState] = Counter()
            for root in view.keys(Table.COUNTERS):
                files.update(counts(view, root))
            return Counts(
                photos=view.count(Table.TIMELINE),
                orphans=view.count(Table.ORPHANS),
                groups=view.count(Table.GROUPS),
                grouped=view.count(Table.MEMBERSHIPS),
                files=dict(files),
            )

    def _total(self, listing: Listing) -> int:
        """Length of the whole list, counted once for each state of the index."""
        if listing.query == PhotoQuery(sort=listing.query.sort):
            return listing.view.count(Table.TIMELINE)
        return self._totals.of(listing, lambda: sum(1 for _ in listing.keys(None)))


class Waiting:
    """The files in one state, of one root or all, newest first or with the sort ``taken`` oldest first."""

    def __init__(self, view: View, query: PhotoQuery, state: FileState) -> None:
        self._view = view
        self._query = query
        self._down = query.sort == "taken"
        roots = view.keys(Table.COUNTERS) if query.root is None else [rows.root_key(query.root)]
        # No file is in a group or a set or has a score before it is a photo.
        none = query.group is not None or bool(query.metrics) or query.among is not None
        self._roots = {} if none else {root: rows.waiting_prefix(root, state) for root in roots}
        self._state = state
        self._newest = NEWEST if query.taken_until is None else order_of(query.taken_until)
        self._oldest = OLDEST if query.taken_from is None else order_of(query.taken_from)

    def page(self, cursor: str | None, limit: int) -> tuple[list[FileRow], str | None, int]:
        """(files behind the cursor, cursor of the next page, length of the whole list)."""
        kind = "taken-files" if self._down else "files"
        found = list(islice(self._places(_opened(cursor, kind)), limit + 1))
        following = _sealed(kind, b"".join(found[limit - 1])) if len(found) > limit else None
        return self._files(found[:limit]), following, self.total()

    def part(self, start: int, limit: int) -> list[FileRow]:
        """``limit`` files behind the first ``start`` ones."""
        return self._files(islice(self._places(None), start, start + limit))

    def _files(self, found: Iterable[tuple[bytes, bytes]]) -> list[FileRow]:
        keys = (root + place[ORDER:] for place, root in found)
        return [row for key in keys if (row := places.file_at(self._view, key)) is not None]

    def total(self) -> int:
        """Length of the whole list."""
        if (self._query.taken_from, self._query.taken_until) != (None, None):
            return sum(1 for _ in self._places(None))
        return sum(counts(self._view, root).get(self._state, 0) for root in self._roots)

    def _places(self, last: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """(order + file[6:], root) of each file behind ``last``, which is such a pair joined."""
        merged = heapq.merge(*(self._of(root, last) for root in self._roots), reverse=self._down)
        return (pair for pair in merged if self._newest <= pair[0][:ORDER] <= self._oldest)

    def _of(self, root: bytes, last: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        prefix = self._roots[root]
        if last is None:
            keys = self._view.keys_down(Table.WAITING, prefix) if self._down else self._view.keys(Table.WAITING, prefix)
        else:
            # The same place in another root comes before or behind by the root, as in the merge.
            place, of = prefix + last[: -rows.ROOT], last[-rows.ROOT :]
            if self._down:
                keys = self._view.keys_down(Table.WAITING, prefix, before=place + b"\0" if root < of else place)
            else:
                keys = self._view.keys(Table.WAITING, prefix, start=place if root > of else place + b"\0")
        return ((key[len(prefix) :], root) for key in keys)


def _file_item(row: FileRow) -> PhotoItem:
    return PhotoItem(sha256=row.sha256, status=row.state, files=(row,))


def _sealed(kind: str, key: bytes) -> str:
    """The cursor of a list of that kind, behind ``key``."""
    return base64.urlsafe_b64encode(kind.encode() + b"\0" + key).decode().rstrip("=")


def _opened(cursor: str | None, kind: str) -> bytes | None:
    """The key in a cursor; raises ``InvalidRequest`` unless it is one of a list of that kind."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        text = b""
    start, mark, key = text.partition(b"\0")
    if not mark or start != kind.encode() or len(key) < ORDER:
        raise InvalidRequest("this cursor is not one of this list", next_step="Begin again without a cursor.")
    return key
