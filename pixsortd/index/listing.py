"""Walking the timeline: candidates in order, tests from cheap to dear, and the item for each photo."""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from itertools import takewhile

from pixsortd.errors import InvalidRequest
from pixsortd.index import groups, places, rows, scores
from pixsortd.index.codec import NEWEST, OLDEST, number_key, order_of
from pixsortd.index.engine import View
from pixsortd.index.queries import MetricRange, PhotoCell, PhotoItem, PhotoQuery
from pixsortd.index.rows import Row
from pixsortd.index.schema import Table
from pixsortd.records import FileState, Group

ORDER = 8
ADDED = "-added"
_SMALL = 10
"""A set below this part of the library is walked itself: reading a photo costs about as much as 10 timeline keys."""
_Candidate = tuple[bytes, bytes]
"""(cursor key, sha256)."""
_Test = Callable[[bytes], bool]
_STATUS = frozenset({None, FileState.INDEXED, FileState.AWAY})
Span = tuple[bytes, bytes]
"""The least and the greatest first 8 bytes of some cursor keys."""
EVERYWHERE = (NEWEST, OLDEST)


class Listing:
    """The photos of one query in their order, at one moment of the index."""

    def __init__(self, view: View, query: PhotoQuery, away: frozenset[str], within: Span = EVERYWHERE) -> None:
        """``within`` narrows the list to a part of itself. Raises ``InvalidRequest`` for an unknown sort or status."""
        if query.sort not in _SOURCES:
            raise InvalidRequest(f"{query.sort!r} is not a sort order", next_step=f"Use one of {', '.join(_SOURCES)}.")
        if query.status not in _STATUS:
            raise InvalidRequest(f"{query.status!r} is not a status", next_step="Use indexed, away, pending or failed.")
        self.view = view
        self.query = query
        self.away = away
        self._newest = NEWEST if query.taken_until is None else order_of(query.taken_until)
        self._oldest = OLDEST if query.taken_from is None else order_of(query.taken_from)
        narrowed = max(self._newest, within[0]), min(self._oldest, within[1])
        self._low, self._high = within if query.sort == ADDED else narrowed
        self._picked = self._few()
        self._tests = list(self._chosen_tests())
        self._groups: dict[str, Group | None] = {}

    def keys(self, last: bytes | None) -> Iterator[_Candidate]:
        """Photos behind the cursor key ``last``."""
        if self.query.status == FileState.AWAY and not self._some_away:
            return
        tests = self._tests
        for candidate in _SOURCES[self.query.sort](self, last):
            if all(test(candidate[1]) for test in tests):
                yield candidate

    def heads(self) -> bytes:
        """The first 8 bytes of the cursor key of each photo, joined, in any order."""
        if self._picked is None and not self._tests:
            return b"".join(self._plain_heads())
        return b"".join(key[:ORDER] for key, _ in self.keys(None))

    def item(self, sha256: bytes) -> PhotoItem:
        """What is known of one photo, its files in order of use."""
        view, (files, here) = self.view, self._held(sha256)
        membership = groups.membership_at(view, sha256)
        named = self._group(membership.group) if membership else None
        return PhotoItem(
            sha256=sha256,
            status=FileState.INDEXED if here else FileState.AWAY,
            files=tuple(found for key, row in files if (found := places.public_at(view, key, row)) is not None),
            photo=places.photo(view, sha256),
            scores=tuple(scores.of(view, sha256)),
            membership=membership,
            group_name=named.name if named else None,
        )

    def cell(self, sha256: bytes) -> PhotoCell:
        """What a grid shows of one photo, read with as little decoding as that takes."""
        (name, here), frame = self._shown(sha256), places.frame(self.view, sha256)
        return PhotoCell(
            sha256=sha256,
            name=name,
            status=FileState.INDEXED if here else FileState.AWAY,
            width=frame.width if frame else None,
            height=frame.height if frame else None,
            taken=frame.taken if frame else None,
            group=groups.group_of(self.view, sha256),
        )

    def _shown(self, sha256: bytes) -> tuple[bytes, bool]:
        """The name of a photo's first file, and whether any is here; no row is read while no file is away."""
        first = None if self._some_away else self.view.first(Table.PLACES, sha256, sha256)
        name = None if first is None else rows.name_of(first[places.SHA :])
        if name is not None:
            return name, True
        files, here = self._held(sha256)
        return places.name_at(*files[0]) if files else b"", here

    def _held(self, sha256: bytes) -> tuple[list[tuple[bytes, Row]], bool]:
        """The keys and rows of a photo's files in order of use, and whether any is here."""
        found = [(key, row) for key in places.places(self.view, sha256) if (row := places.row_at(self.view, key))]
        here = [pair for pair in found if not self._file_away(*pair)]
        return [*here, *(pair for pair in found if self._file_away(*pair))], bool(here)

    def _group(self, group: str) -> Group | None:
        if group not in self._groups:
            self._groups[group] = groups.group_at(self.view, group)
        return self._groups[group]

    def _file_away(self, key: bytes, row: Row) -> bool:
        return row.state is FileState.AWAY or key[: rows.ROOT].hex() in self.away

    # --- sources: candidates in order ---

    def by_taken(self, last: bytes | None) -> Iterator[_Candidate]:
        """Newest first."""
        if self._picked is not None:
            yield from (pair for pair in self._ranked if last is None or pair[0] > last)
            return
        table, prefix = self._timeline()
        start = prefix + (self._low if last is None else max(self._low, last + b"\0"))
        for key in self.view.keys(table, prefix, start=start):
            key = key[len(prefix) :]
            if key[:ORDER] > self._high:
                return
            yield key, key[ORDER:]

    def by_taken_up(self, last: bytes | None) -> Iterator[_Candidate]:
        """Oldest first."""
        if self._picked is not None:
            yield from (pair for pair in reversed(self._ranked) if last is None or pair[0] < last)
            return
        table, prefix = self._timeline()
        end = self._high + b"\xff" * 33
        for key in self.view.keys_down(table, prefix, before=prefix + (end if last is None else min(end, last))):
            key = key[len(prefix) :]
            if key[:ORDER] < self._low:
                return
            yield key, key[ORDER:]

    def by_added(self, last: bytes | None) -> Iterator[_Candidate]:
        """Newest in the index first."""
        if self._picked is not None:
            yield from (pair for pair in reversed(self._ranked) if last is None or pair[0] < last)
            return
        end = self._high + b"\0"
        for number in self.view.keys_down(Table.NUMBERS, before=end if last is None else min(end, last)):
            if number < self._low:
                return
            sha256 = self.view.get(Table.NUMBERS, number)
            if sha256 is not None and not self.view.has(Table.ORPHANS, sha256):
                yield number, sha256

    def _plain_heads(self) -> Iterator[bytes]:
        """The same as the sources give where nothing has to be looked up."""
        if self.query.sort == ADDED:
            orphans = (places.frame(self.view, sha256) for sha256 in self.view.keys(Table.ORPHANS))
            gone = {number_key(frame.number) for frame in orphans if frame is not None}
            numbers = self.view.keys(Table.NUMBERS, start=self._low)
            return (number for number in takewhile(self._high.__ge__, numbers) if number not in gone)
        table, prefix = self._timeline()
        begin, end = len(prefix), len(prefix) + ORDER
        heads = (key[begin:end] for key in self.view.keys(table, prefix, start=prefix + self._low))
        return takewhile(self._high.__ge__, heads)

    def _timeline(self) -> tuple[Table, bytes]:
        if self.query.root is None:
            return Table.TIMELINE, b""
        return Table.ROOT_TIMELINE, rows.root_key(self.query.root)

    def _few(self) -> Collection[bytes] | None:
        """The photos to walk instead of the library: a group's, or a set's that is small beside it."""
        among = self.query.among
        if self.query.group is not None:
            members = groups.members_of(self.view, self.query.group)
            return members if among is None else [sha256 for sha256 in members if sha256 in among]
        if among is not None and len(among) * _SMALL < self.view.count(Table.TIMELINE):
            return among
        return None

    @cached_property
    def _ranked(self) -> list[_Candidate]:
        """The picked photos that have a file, by rising cursor key."""
        added, found = self.query.sort == ADDED, list[_Candidate]()
        for sha256 in self._picked or ():
            frame = places.frame(self.view, sha256)
            if frame is None or self.view.has(Table.ORPHANS, sha256):
                continue
            order = order_of(frame.taken)
            key = number_key(frame.number) if added else order + sha256
            if self._newest <= order <= self._oldest and self._low <= key[:ORDER] <= self._high:
                found.append((key, sha256))
        return sorted(found)

    # --- tests ---

    def _chosen_tests(self) -> Iterator[_Test]:
        query, added, whole = self.query, self.query.sort == ADDED, self._picked is None
        if query.root is not None and (added or not whole):
            root = rows.root_key(query.root)
            yield lambda sha256: self.view.first(Table.PLACES, sha256 + root, sha256 + root) is not None
        if query.among is not None and whole:
            yield query.among.__contains__
        if added and whole and (query.taken_from, query.taken_until) != (None, None):
            yield self._in_time
        if query.ungrouped:
            yield lambda sha256: not self.view.has(Table.MEMBERSHIPS, sha256)
        for bounds in query.metrics:
            yield self._in_range(bounds)
        if query.status is not None and (query.status == FileState.AWAY or self._some_away):
            yield lambda sha256: self._held(sha256)[1] == (query.status == FileState.INDEXED)

    def _in_time(self, sha256: bytes) -> bool:
        frame = places.frame(self.view, sha256)
        return frame is not None and self._newest <= order_of(frame.taken) <= self._oldest

    def _in_range(self, bounds: MetricRange) -> _Test:
        def test(sha256: bytes) -> bool:
            value = scores.value(self.view, sha256, bounds.metric)
            return value is not None and bounds.low <= value <= bounds.high

        return test

    @cached_property
    def _some_away(self) -> bool:
        prefixes = (rows.waiting_prefix(root, FileState.AWAY) for root in self.view.keys(Table.COUNTERS))
        return bool(self.away) or any(self.view.first(Table.WAITING, prefix, prefix) for prefix in prefixes)


_SOURCES: dict[str, Callable[[Listing, bytes | None], Iterator[_Candidate]]] = {
    "-taken": Listing.by_taken,
    "taken": Listing.by_taken_up,
    ADDED: Listing.by_added,
}
