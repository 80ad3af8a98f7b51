"""What a discard, a restore or a purge will do, file by file: looked up on disk, nothing touched yet."""

import errno
import os
import secrets
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from pixsortd.errors import MoveFailed, PixsortdError, explain_os_error
from pixsortd.records import FileStamp, Place, Record
from pixsortd.sorting import names
from pixsortd.sorting.contents import DISCARD, PURGE, RESTORE, Item
from pixsortd.sorting.copying import SourceChanged
from pixsortd.sorting.disk import Directories, alike, is_file_of, look
from pixsortd.sorting.journal import Move, Parcel, Step
from pixsortd.sorting.move import Outcome, State

_ADVICE = {
    errno.EROFS: ("its file system is mounted read-only", "Mount it for writing, or delete the file elsewhere."),
    errno.EACCES: ("permission denied", "Give the user that runs pixsortd write permission in that directory."),
    errno.EPERM: ("operation not permitted", "Give the user that runs pixsortd write permission in that directory."),
    errno.EEXIST: ("its new name is taken by another file now", "The next plan sees that file."),
    errno.ENOTDIR: (
        "a directory on the way is a link, or is a file now",
        "Links are not followed; name the directory that it leads to.",
    ),
    errno.EXDEV: (
        "no such link can lead to another file system",
        "Let the rule copy, or choose a place on the same disk.",
    ),
    **dict.fromkeys(
        (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK),
        ("the file system cannot make such a link", "Let the rule copy, or make a hard link or a symbolic one."),
    ),
}


class Wanted(Record, frozen=True, kw_only=True):
    """A photo's file that is to be discarded."""

    place: Place
    stamp: FileStamp
    image: bytes
    """The photo's SHA-256."""


class Plans:
    """Plans moves over one set of open directories; what one plan takes, no other does."""

    def __init__(self, directories: Directories, photos: Collection[bytes]) -> None:
        """``photos`` are the extensions of photos, lower-case with dot."""
        self._directories = directories
        self._photos = photos
        self._listings: dict[tuple[bytes, bytes], list[bytes]] = {}
        self._claimed: set[Place] = set()

    def discard(self, group: Sequence[Wanted], leaving: Collection[Place]) -> Move | PixsortdError:
        """Files that go to the trash with their companions; ``leaving`` are all files that go at this time."""
        parcels = []
        for wanted in group:
            try:
                if not is_file_of(look(self._directories, wanted.place), wanted.stamp):
                    raise SourceChanged
                parcels.append(self._parcel(wanted, leaving))
            except (OSError, SourceChanged) as error:
                return refusal(error, wanted.place)
        return _move(DISCARD, *parcels)

    def restore(self, item: Item) -> Move | PixsortdError:
        """An item that comes back under its own names, or where they are taken under others."""
        steps = item.parcel.steps
        try:
            seen = [look(self._directories, stored(step)) for step in steps]
            if seen[0] is None:
                return MoveFailed(
                    "it is not in the trash directory any more",
                    path=stored(steps[0]).absolute,
                    next_step="Purge it, which takes it off the list.",
                )
            returning = [(step, one) for step, one in zip(steps, seen, strict=True) if one is not None]
            fresh = self._free([step.source for step, _ in returning])
        except OSError as error:
            return refusal(error, item.origin)
        back = tuple(
            Step(
                source=stored(step),
                destination=place,
                stamp=FileStamp.of(one),
                sha256=step.sha256 if alike(one, step.stamp) else None,
                shown=step.shown,
            )
            for (step, one), place in zip(returning, fresh, strict=True)
        )
        return _move(RESTORE, Parcel(id=item.id, image=item.image, steps=back))

    def purge(self, item: Item) -> Move | PixsortdError:
        """An item that is deleted for good; files that somebody has taken out of the trash are no matter."""
        steps = []
        for step in item.parcel.steps:
            try:
                seen = look(self._directories, stored(step))
            except OSError as error:
                return refusal(error, stored(step))
            if seen is not None:
                steps.append(Step(source=stored(step), destination=None, stamp=FileStamp.of(seen), shown=step.shown))
        return _move(PURGE, Parcel(id=item.id, image=item.image, steps=tuple(steps)))

    def _parcel(self, wanted: Wanted, leaving: Collection[Place]) -> Parcel:
        place, identity = wanted.place, secrets.token_hex(8)
        top = self._directories.top_of_mount(place)
        trash = Place.trashed(place.base, top, b"-")
        longest = min(names.LONGEST, os.fpathconf(self._directories.of(place), "PC_NAME_MAX"))
        name = names.stored_name(identity, 0, place.name, longest)
        steps = [_step(place, trash.beside(name), wanted.stamp, wanted.image)]
        for number, companion in enumerate(self._companions(place, leaving), start=1):
            seen = look(self._directories, companion)
            if seen is not None:
                name = names.stored_name(identity, number, companion.name, longest)
                steps.append(_step(companion, trash.beside(name), FileStamp.of(seen)))
        return Parcel(id=identity, image=wanted.image, steps=tuple(steps))

    def _companions(self, place: Place, leaving: Collection[Place]) -> list[Place]:
        listing = self._listing(place)
        beside = [name for name in listing if place.beside(name) not in self._claimed]
        staying = [name for name in listing if place.beside(name) not in leaving]
        found = [place.beside(name) for name in names.companions(place.name, beside, staying, self._photos)]
        self._claimed.update(found)
        return found

    def _free(self, wanted: Sequence[Place]) -> list[Place]:
        """Where files that were in one directory can come back to."""
        first = wanted[0]
        listing: list[bytes] = []
        with suppress(FileNotFoundError, NotADirectoryError):
            listing = self._listing(first)
        present = {*listing, *(place.name for place in self._claimed if first.beside(place.name) == place)}
        taken = {names.folded(name) for name in present}
        fresh = next(names.free_names([place.name for place in wanted], taken, present))
        places = [first.beside(name) for name in fresh]
        self._claimed.update(places)
        return places

    def _listing(self, place: Place) -> list[bytes]:
        """The regular files in the directory of a place."""
        key = (place.base, place.directory)
        if key not in self._listings:
            with os.scandir(self._directories.of(place)) as listing:
                self._listings[key] = [os.fsencode(one.name) for one in listing if one.is_file(follow_symlinks=False)]
        return self._listings[key]


def stored(step: Step) -> Place:
    """Where the file of a discard's step is in the trash."""
    assert step.destination is not None, "a discard deletes nothing"
    return step.destination


def explanation(move: Move, outcome: Outcome) -> PixsortdError | None:
    """Why a move was not done, in words."""
    if outcome.state is State.DONE or outcome.error is None:
        return None
    error = refusal(outcome.error, move.steps[0].source)
    if outcome.state is State.UNCLEAR:
        error.next_step += " Some files of it may be in the other place: restart pixsortd, and it is brought in order."
    return error


def refusal(error: Exception, place: Place) -> MoveFailed:
    """An operating system's error, or a change of the file, in words; it stays attached as the cause."""
    if isinstance(error, OSError):
        what, advice = _ADVICE.get(error.errno or 0) or explain_os_error(error)
    else:
        what, advice = (
            "the file is not the one that was indexed, or is being changed",
            "It is looked at again; try later.",
        )
    failed = MoveFailed(f"nothing was moved: {what}", path=place.absolute, next_step=advice)
    failed.__cause__ = error
    return failed


def _step(source: Place, destination: Place, stamp: FileStamp, sha256: bytes | None = None) -> Step:
    shown = source.absolute.decode(errors="backslashreplace")
    return Step(source=source, destination=destination, stamp=stamp, sha256=sha256, shown=shown)


def _move(kind: str, *parcels: Parcel) -> Move:
    return Move(id=secrets.token_hex(8), kind=kind, at=time.time(), parcels=parcels)
