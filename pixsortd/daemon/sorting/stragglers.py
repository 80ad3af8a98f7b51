"""Files that have come into an inbox after the photo they belong to was sorted away from there."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

import structlog

from pixsortd.daemon.places import ABSENT
from pixsortd.index.store import Store
from pixsortd.records import Companion, FileRow, FileStamp, FileState, Place, Role, RootRecord
from pixsortd.sorting import names
from pixsortd.sorting.departures import Departure
from pixsortd.sorting.disk import Directories, look
from pixsortd.sorting.planning.late import Late
from pixsortd.sorting.rules import Choice, Rules

log = structlog.get_logger()


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...


class Memory(Protocol):
    """Who knows what was sorted."""

    def departure(self, place: Place) -> Departure | None: ...


class Stragglers:
    """Looks for them. Callable from any thread; nothing is kept from one call to the next."""

    def __init__(
        self, store: Store, roots: Roots, rules: Callable[[], Rules], memory: Memory, photos: Collection[bytes]
    ) -> None:
        """``photos`` are extensions, lower-case with dot."""
        self._store = store
        self._roots = roots
        self._rules = rules
        self._memory = memory
        self._photos = photos

    def of_inbox(self, root: str) -> Iterator[Late]:
        """Every such file of a root whose photo is still somewhere outside of the inboxes."""
        standing = {record.id: record for record in self._roots.records()}
        if root not in standing:
            return
        base = standing[root].path
        for directory in self._store.directories(root):
            for name in self._strays(self._store.listing(root, directory)):
                place = Place(base=base, path=directory + b"/" + name if directory else name)
                departure = self._memory.departure(place)
                if departure is None or not names.companions(departure.source.name, [name], (), self._photos):
                    continue
                stamp, held = _stamp(place), self._held(departure, standing)
                if stamp is not None and held is not None:
                    yield self._late(Companion(place=place, stamp=stamp), departure, *held)

    def _strays(self, listing: Mapping[bytes, FileRow]) -> list[bytes]:
        """The names in a directory that are no photo's, and beside which there is no photo that they could go with."""
        photos = {names.family(name) for name, row in listing.items() if row.state is not FileState.EXCLUDED}
        excluded = [name for name, row in listing.items() if row.state is FileState.EXCLUDED and row.stamp is not None]
        return sorted(name for name in excluded if photos.isdisjoint(names.families([name])))

    def _held(self, departure: Departure, standing: Mapping[str, RootRecord]) -> tuple[Place, RootRecord] | None:
        """Where a photo is now: where it was sorted to, if it is there still, or anywhere else in the library."""
        found = [
            (Place(base=record.path, path=row.path), record)
            for row in self._store.locations(departure.image)
            if (record := standing.get(row.root)) is not None
            and row.state is FileState.INDEXED
            and record.role is not Role.INBOX
            and record.state not in ABSENT
        ]
        return min(found, key=lambda one: (one[0] != departure.destination, one[0].absolute), default=None)

    def _late(self, file: Companion, departure: Departure, photo: Place, record: RootRecord) -> Late:
        rule = self._rules().of_digest(departure.rule)
        return Late(
            file=file,
            image=departure.image,
            was=departure.source.name,
            photo=photo,
            choice=Choice(rule=rule, digest=departure.rule) if rule is not None else None,
            kept="" if record.writable else "nothing may be written there",
        )


def _stamp(place: Place) -> FileStamp | None:
    """What a file is now; None where it is not there any more."""
    try:
        with Directories() as directories:
            seen = look(directories, place)
    except OSError as error:
        log.warning("file in an inbox cannot be looked at", path=place.absolute, error=str(error))
        return None
    return FileStamp.of(seen) if seen is not None else None
