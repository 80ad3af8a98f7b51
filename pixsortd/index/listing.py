"""Walking the timeline: candidates in order, tests from cheap to dear, and the item for each photo."""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from pixsortd.errors import InvalidRequest
from pixsortd.index import groups, places, rows, scores
from pixsortd.index.codec import NEWEST, OLDEST, number_key, order_of
from pixsortd.index.engine import View
from pixsortd.index.queries import MetricRange, PhotoItem, PhotoQuery
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, FileState, Group, Photo

ORDER = 8
_SMALL = 16
"""A set below this part of the library is walked itself: reading a photo costs about as much as 16 timeline keys."""
_Candidate = tuple[bytes, bytes]
"""(cursor key, sha256)."""
_Test = Callable[[bytes], bool]


class Listing:
    """The photos of one query in their order, at one moment of the index."""

    def __init__(self, view: View, query: PhotoQuery, away: frozenset[str]) -> None:
        """Raises ``InvalidRequest`` for an unknown sort."""
        if query.sort not in _SOURCES:
            raise InvalidRequest(f"{query.sort!r} is not a sort order", next_step=f"Use one of {', '.join(_SOURCES)}.")
        self.view = view
        self.query = query
        self.away = away
        self._newest = NEWEST if query.taken_until is None else order_of(query.taken_until)
        self._oldest = OLDEST if query.taken_from is None else order_of(query.taken_from)
        self._picked = self._few()
        self._tests = list(self._chosen_tests())
        self._groups: dict[str, Group | None] = {}

    def keys(self, last: bytes | None) -> Iterator[_Candidate]:
        """Photos behind the cursor key ``last``."""
        if self.query.status == FileState.AWAY and not self._some_away():
            return
        tests = self._tests
        for candidate in _SOURCES[self.query.sort](self, last):
            if all(test(candidate[1]) for test in tests):
                yield candidate

    def item(self, sha256: bytes) -> PhotoItem:
        """What is known of one photo, its files in order of use."""
        view, files = self.view, places.files_of(self.view, sha256)
        membership = groups.membership_at(view, sha256)
        named = self._group(membership.group) if membership else None
        here = [row for row in files if not self._row_away(row)]
        return PhotoItem(
            sha256=sha256,
            status=FileState.INDEXED if here else FileState.AWAY,
            files=(*here, *(row for row in files if row not in here)) if here else tuple(files),
            photo=places.photo(view, sha256),
            scores=tuple(scores.of(view, sha256)),
            membership=membership,
            group_name=named.name if named else None,
        )

    def _group(self, group: str) -> Group | None:
        if group not in self._groups:
            self._groups[group] = groups.group_at(self.view, group)
        return self._groups[group]

    def _row_away(self, row: FileRow) -> bool:
        return row.state is FileState.AWAY or row.root in self.away

    # --- sources: candidates in order ---

    def by_taken(self, last: bytes | None) -> Iterator[_Candidate]:
        """Newest first."""
        if self._picked is not None:
            yield from (pair for pair in self._ranked if last is None or pair[0] > last)
            return
        table, prefix = self._timeline()
        start = prefix + (self._newest if last is None else last + b"\0")
        for key in self.view.keys(table, prefix, start=start):
            key = key[len(prefix) :]
            if key[:ORDER] > self._oldest:
                return
            yield key, key[ORDER:]

    def by_taken_up(self, last: bytes | None) -> Iterator[_Candidate]:
        """Oldest first."""
        if self._picked is not None:
            yield from (pair for pair in reversed(self._ranked) if last is None or pair[0] < last)
            return
        table, prefix = self._timeline()
        before = prefix + (self._oldest + b"\xff" * 33 if last is None else last)
        for key in self.view.keys_down(table, prefix, before=before):
            key = key[len(prefix) :]
            if key[:ORDER] < self._newest:
                return
            yield key, key[ORDER:]

    def by_added(self, last: bytes | None) -> Iterator[_Candidate]:
        """Newest in the index first."""
        if self._picked is not None:
            yield from (pair for pair in reversed(self._ranked) if last is None or pair[0] < last)
            return
        for number in self.view.keys_down(Table.NUMBERS, before=last):
            sha256 = self.view.get(Table.NUMBERS, number)
            if sha256 is not None and not self.view.has(Table.ORPHANS, sha256):
                yield number, sha256

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
        key_of = _cursor_of_number if self.query.sort == "-added" else places.timeline_key
        found = []
        for sha256 in self._picked or ():
            photo = places.photo(self.view, sha256)
            if photo is None or self.view.has(Table.ORPHANS, sha256):
                continue
            if self._newest <= order_of(photo.taken) <= self._oldest:
                found.append((key_of(photo), sha256))
        return sorted(found)

    # --- tests ---

    def _chosen_tests(self) -> Iterator[_Test]:
        query, added, whole = self.query, self.query.sort == "-added", self._picked is None
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
        if query.status is not None and (query.status == FileState.AWAY or self._some_away()):
            yield lambda sha256: self._photo_away(sha256) == (query.status == FileState.AWAY)

    def _in_time(self, sha256: bytes) -> bool:
        photo = places.photo(self.view, sha256)
        return photo is not None and self._newest <= order_of(photo.taken) <= self._oldest

    def _in_range(self, bounds: MetricRange) -> _Test:
        def test(sha256: bytes) -> bool:
            value = scores.value(self.view, sha256, bounds.metric)
            return value is not None and bounds.low <= value <= bounds.high

        return test

    def _some_away(self) -> bool:
        prefixes = (rows.waiting_prefix(root, FileState.AWAY) for root in self.view.keys(Table.COUNTERS))
        return bool(self.away) or any(self.view.first(Table.WAITING, prefix, prefix) for prefix in prefixes)

    def _photo_away(self, sha256: bytes) -> bool:
        for key in places.places(self.view, sha256):
            if key[: rows.ROOT].hex() not in self.away:
                row = places.row_at(self.view, key)
                if row is not None and row.state is not FileState.AWAY:
                    return False
        return True


def _cursor_of_number(photo: Photo) -> bytes:
    return number_key(photo.number)


_SOURCES: dict[str, Callable[[Listing, bytes | None], Iterator[_Candidate]]] = {
    "-taken": Listing.by_taken,
    "taken": Listing.by_taken_up,
    "-added": Listing.by_added,
}
