"""What must be in the derived tables, worked out anew from the rows, photos, vectors and memberships."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.index import lots, places, rows
from pixsortd.index.codec import encode, number_key
from pixsortd.index.engine import Edit, View
from pixsortd.index.files import counts
from pixsortd.index.groups import group_at, members_prefix, membership_at
from pixsortd.index.schema import Table
from pixsortd.index.spaces import SPACE, SpaceState, mark_of, state_of
from pixsortd.records import FileState, Photo, Record

_Content = dict[bytes, bytes]
"""Records of one table: key and payload."""

ROW_TABLES = (Table.INODES, Table.PLACES, Table.QUEUE, Table.WAITING)


class Difference(Record, frozen=True, kw_only=True):
    """How a derived table differs from what it has to be."""

    table: Table
    missing: tuple[bytes, ...] = ()
    extra: tuple[bytes, ...] = ()
    wrong: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.wrong)


def recount(view: View) -> dict[bytes, Counter[FileState]]:
    """Files of each root by state, counted from the rows."""
    counted: defaultdict[bytes, Counter[FileState]] = defaultdict(Counter)
    for key, payload in view.items(Table.FILES):
        row = rows.decode(payload)
        counted[key[: rows.ROOT]][row.state] += row.files
    return dict(counted)


def _from_rows(table: Table) -> Callable[[View], _Content]:
    def content(view: View) -> _Content:
        found = ((key, rows.decode(payload)) for key, payload in view.items(Table.FILES))
        return {entry: b"" for key, row in found for kind, entry in rows.entries(key, row) if kind is table}

    return content


def _counters(view: View) -> _Content:
    return {root: encode(plain) for root, counted in recount(view).items() if (plain := _plain(counted))}


def _plain(counted: Counter[FileState] | dict[FileState, int]) -> dict[str, int]:
    """Counts in the states' order, so that equal ones have equal bytes."""
    return {state.value: counted[state] for state in FileState if counted.get(state)}


def _numbers(view: View) -> _Content:
    return {number_key(photo.number): photo.sha256 for photo in _photos(view)}


def _timeline(view: View) -> _Content:
    return {places.timeline_key(photo): b"" for photo in _photos(view) if places.places(view, photo.sha256)}


def _root_timeline(view: View) -> _Content:
    return {
        key[: rows.ROOT] + places.timeline_key(photo): b""
        for photo in _photos(view)
        for key in places.places(view, photo.sha256)
    }


def _orphans(view: View) -> _Content:
    """Those that stand there keep their time; others count from the beginning of time."""
    return {
        photo.sha256: view.get(Table.ORPHANS, photo.sha256) or encode(0.0)
        for photo in _photos(view)
        if not places.places(view, photo.sha256)
    }


def _members(view: View) -> _Content:
    found = ((sha256, membership_at(view, sha256)) for sha256 in view.keys(Table.MEMBERSHIPS))
    return {members_prefix(membership.group) + sha256: b"" for sha256, membership in found if membership is not None}


def _groups(view: View) -> _Content:
    memberships = (membership_at(view, sha256) for sha256 in view.keys(Table.MEMBERSHIPS))
    sizes = Counter(membership.group for membership in memberships if membership is not None)
    found = (group_at(view, key.decode()) for key in view.keys(Table.GROUPS))
    return {group.id.encode(): encode(msgspec.structs.replace(group, size=sizes[group.id])) for group in found if group}


def _spaces(view: View) -> _Content:
    content = {}
    for key in view.keys(Table.SPACES):
        state = state_of(view, key)
        if state is not None:
            found = (places.photo(view, entry[SPACE:]) for entry in view.keys(Table.EMBEDDINGS, key))
            numbers = np.array([photo.number for photo in found if photo], np.int64)
            content[key] = encode(_counted(state, numbers))
    return content


def _counted(state: SpaceState, numbers: npt.NDArray[np.int64]) -> SpaceState:
    return msgspec.structs.replace(state, count=len(numbers), mark=mark_of(numbers))


def _photos(view: View) -> Iterator[Photo]:
    for sha256 in view.keys(Table.PHOTOS):
        photo = places.photo(view, sha256)
        if photo is not None:
            yield photo


# Rows first: what follows from photos is worked out from the places.
_CONTENT: dict[Table, Callable[[View], _Content]] = {
    **{table: _from_rows(table) for table in ROW_TABLES},
    Table.COUNTERS: _counters,
    Table.LOTS: lots.recount,
    Table.NUMBERS: _numbers,
    Table.TIMELINE: _timeline,
    Table.ROOT_TIMELINE: _root_timeline,
    Table.ORPHANS: _orphans,
    Table.MEMBERS: _members,
    Table.GROUPS: _groups,
    Table.SPACES: _spaces,
}


def differences(view: View) -> Iterator[Difference]:
    """Every derived table that is not what it has to be."""
    for table in _CONTENT:
        difference = _difference(view, table, _CONTENT[table](view))
        if difference:
            yield difference


def _difference(view: View, table: Table, wanted: _Content) -> Difference:
    held = {key: _canonical(view, table, key) for key in view.keys(table)}
    return Difference(
        table=table,
        missing=tuple(sorted(wanted.keys() - held.keys())),
        extra=tuple(sorted(held.keys() - wanted.keys())),
        wrong=tuple(sorted(key for key in wanted.keys() & held.keys() if wanted[key] != held[key])),
    )


def _canonical(view: View, table: Table, key: bytes) -> bytes | None:
    if table is Table.COUNTERS:
        return encode(_plain(counts(view, key)))
    return view.get(table, key)


def renew(edit: Edit) -> list[Difference]:
    """Make every derived table what it has to be; what was changed."""
    changed = []
    for table, content in _CONTENT.items():
        wanted = content(edit)
        difference = _difference(edit, table, wanted)
        for key in difference.extra:
            edit.delete(table, key)
        for key in (*difference.missing, *difference.wrong):
            edit.put(table, key, wanted[key])
        if difference:
            changed.append(difference)
    return changed
