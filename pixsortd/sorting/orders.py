"""A step of a plan as the move that does it: looked up on disk, nothing touched yet."""

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pixsortd.errors import MoveFailed, PixsortdError
from pixsortd.records import Action, Place, PlannedFile, PlanStep
from pixsortd.sorting import making, names
from pixsortd.sorting.disk import Directories, is_file_of, look
from pixsortd.sorting.history import SORT
from pixsortd.sorting.journal import Deed, Move, Parcel, Step
from pixsortd.sorting.plans import refusal

_CHANGED = "Look at the file; the next plan takes it as it is now."


class Errand(NamedTuple):
    """For what a step is done."""

    run: str
    rule: str = ""
    """The digest of its rule."""
    reverses: str = ""
    """The move that it takes back."""
    leaves: tuple[Place, ...] = ()
    """Directories that go if it empties them."""


class Shelves:
    """The names in directories as people compare them, listed once, then kept as moves change them."""

    def __init__(self) -> None:
        self._names: dict[tuple[bytes, bytes], Counter[str]] = {}

    def taken(self, directories: Directories, place: Place) -> bool:
        """Whether anything in the directory of ``place`` has its name. Raises ``OSError``."""
        key = (place.base, place.directory)
        if key not in self._names:
            try:
                with os.scandir(directories.of(place)) as listing:
                    self._names[key] = Counter(names.folded(os.fsencode(one.name)) for one in listing)
            except FileNotFoundError:
                self._names[key] = Counter()
        return self._names[key][names.folded(place.name)] > 0

    def follow(self, move: Move) -> None:
        """Take note of a move that was done."""
        for step in move.steps:
            self._count(step.source, -1 if step.leaves else 0)
            if step.destination is not None and not step.back:
                self._count(step.destination, 1)

    def _count(self, place: Place, change: int) -> None:
        known = self._names.get((place.base, place.directory))
        if known is not None:
            known[names.folded(place.name)] += change


class _Ground(NamedTuple):
    """Where files of a directory would be written."""

    device: int
    missing: tuple[Place, ...]
    """Directories that would have to be made."""


class Orders:
    """Makes moves of the steps of one lot over one set of open directories."""

    def __init__(self, directories: Directories, shelves: Shelves, floor: int) -> None:
        """``floor``: bytes that stay free on every file system."""
        self._directories = directories
        self._shelves = shelves
        self._floor = floor
        self._grounds: dict[tuple[bytes, bytes], _Ground] = {}
        self._free: dict[int, int] = {}

    def move(self, step: PlanStep, errand: Errand) -> Move | PixsortdError:
        """The move for a step, or why it cannot be done as the world is now."""
        parcels = tuple(_parcels(step))
        steps = [one for parcel in parcels for one in parcel.steps]
        try:
            for one in steps:
                self._require_source(one)
            self._require_names(steps, exact=bool(errand.reverses))
            self._require_room(steps)
            makes = tuple(dict.fromkeys(place for one in steps for place in self._missing(one)))
        except OSError as error:
            return refusal(error, step.files[0].source)
        except MoveFailed as error:
            return error
        return Move(
            id=secrets.token_hex(8),
            kind=SORT,
            at=time.time(),
            parcels=parcels,
            plan=errand.run,
            step=step.id,
            rule=errand.rule,
            reverses=errand.reverses,
            makes=makes,
            leaves=errand.leaves,
        )

    def _require_source(self, step: Step) -> None:
        seen = look(self._directories, step.source)
        if seen is None:
            raise MoveFailed("it is not there any more", path=step.source.absolute, next_step=_CHANGED)
        there = making.is_there(self._directories, step) if step.back else is_file_of(seen, step.stamp)
        if not there:
            raise MoveFailed("it was changed since", path=step.source.absolute, next_step=_CHANGED)

    def _require_names(self, steps: Sequence[Step], *, exact: bool) -> None:
        """Raise ``MoveFailed`` where a name is taken; what goes back to where it was needs its ``exact`` name only."""
        leaving = {
            (one.source.base, one.source.directory, names.folded(one.source.name)) for one in steps if one.leaves
        }
        for step in steps:
            place = step.destination
            if place is None or step.back or (place.base, place.directory, names.folded(place.name)) in leaving:
                continue
            taken = (
                look(self._directories, place) is not None if exact else self._shelves.taken(self._directories, place)
            )
            if taken:
                raise MoveFailed(
                    "the name is taken by another file now", path=place.absolute, next_step="The next plan sees it."
                )

    def _require_room(self, steps: Sequence[Step]) -> None:
        needed: Counter[int] = Counter()
        for step in steps:
            ground = self._ground(step)
            if ground is not None and self._is_written(step, ground):
                needed[ground.device] += step.stamp.size
        for device, size in needed.items():
            left = self._free[device] - size
            if left < self._floor:
                raise MoveFailed(
                    f"there is no room for it: {size} bytes are needed, {self._free[device]} are free"
                    + (f", of which {self._floor} stay free" if self._floor else ""),
                    path=steps[0].source.absolute,
                    next_step="Make room on that disk, or lower sort.free_floor.",
                )
        self._free.update({device: self._free[device] - size for device, size in needed.items()})

    def _is_written(self, step: Step, ground: _Ground) -> bool:
        """Whether the bytes of a file are written once more, rather than getting a new name."""
        if not step.leaves:
            return step.deed is Deed.COPY
        return os.fstat(self._directories.of(step.source)).st_dev != ground.device

    def _missing(self, step: Step) -> tuple[Place, ...]:
        ground = self._ground(step)
        return ground.missing if ground is not None else ()

    def _ground(self, step: Step) -> _Ground | None:
        """Where something is written for a step; None where nothing is. Raises ``OSError``."""
        place = step.destination
        if place is None or step.back:
            return None
        key = (place.base, place.directory)
        if key not in self._grounds:
            missing = tuple(self._directories.missing(place))
            descriptor = self._directories.of(missing[0] if missing else place)
            device, room = os.fstat(descriptor).st_dev, os.fstatvfs(descriptor)
            self._grounds[key] = _Ground(device, missing)
            self._free.setdefault(device, room.f_bavail * room.f_frsize)
        return self._grounds[key]


def taken_back(step: PlanStep) -> Place:
    """The place by which a step that takes another one back is recognised; see :func:`left_at`."""
    again = step.action is not Action.MOVE and not step.back
    return step.files[0].destination if again else step.files[0].source


def left_at(move: Move) -> Place | None:
    """The place at which a move has put, or from which it has removed, its first file."""
    first = move.parcels[0].steps[0]
    return first.source if first.back else first.destination


def _parcels(step: PlanStep) -> Iterator[Parcel]:
    """The photo's files first, then what makes room, then what comes back."""
    yield from _grouped(step.files, Deed(step.action), step)
    yield from _grouped(step.displaced, Deed.MOVE, step)
    yield from _grouped(step.returned, Deed.MOVE, step)


def _grouped(files: Sequence[PlannedFile], deed: Deed, step: PlanStep) -> Iterator[Parcel]:
    """Files that go into the trash or come from there are parcels as they are called there."""
    back = step.back and files is step.files
    for parcel, group in groupby(files, _parcel_of):
        those = list(group)
        yield Parcel(
            id=parcel or secrets.token_hex(8),
            image=step.image if files is step.files else those[0].sha256 or b"",
            steps=tuple(_step(file, deed, back) for file in those),
        )


def _parcel_of(file: PlannedFile) -> str:
    stored = next((place for place in (file.destination, file.source) if place.in_trash), None)
    return names.parcel_of(stored.name) if stored is not None else ""


def _step(file: PlannedFile, deed: Deed, back: bool) -> Step:
    return Step(
        source=file.source,
        destination=file.destination,
        action=Deed.DISPLACE if file.destination.in_trash else deed,
        back=back,
        stamp=file.stamp,
        sha256=file.sha256,
        shown=file.source.absolute.decode(errors="backslashreplace"),
    )
