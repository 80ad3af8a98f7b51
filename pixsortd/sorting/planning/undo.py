"""The plan that takes back another one, step by step, the last one first; and why a step cannot be taken back."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec.structs import replace

from pixsortd.records import Action, FileStamp, Place, Plan, PlannedFile, PlanStep, Unmoved
from pixsortd.sorting.names import shown, spelled
from pixsortd.sorting.planning.identity import named_plan, named_step
from pixsortd.sorting.planning.scene import Scene, Stays
from pixsortd.sorting.planning.space import Space
from pixsortd.sorting.planning.steps import Loose, to_trash
from pixsortd.sorting.planning.world import Entry, World


def inverse(plan: Plan, done: Sequence[PlanStep], world: World, *, at: float, floor: int = 0, redoes: str = "") -> Plan:
    """What takes back those steps of a plan that were done, given in the order in which they were.

    A step whose files were changed or moved since, or whose old places are taken, is left: the plan
    says so in ``unmoved``. Taking back a plan that was made so does again what was taken back.
    ``floor``: bytes that stay free on every file system; ``redoes``: the plan that is so done again, if one is.
    """
    present = _Present(Scene(world))
    space = Space(floor)
    steps: list[PlanStep] = []
    left: list[Unmoved] = []
    why = f"it does a step of the plan {redoes} again" if redoes else f"it takes back a step of the plan {plan.id}"
    for step in reversed(done):
        try:
            opposite = _opposite(step, why, present)
            crowded = space.take(opposite, present.scene)
            if crowded:
                raise Stays(crowded)
        except Stays as stays:
            place = step.files[0].source if step.back else step.files[0].destination
            left.append(Unmoved(place=place, image=step.image, rule=step.rule, why=spelled(str(stays))))
        else:
            present.follow(opposite)
            steps.append(opposite)
    return named_plan(
        Plan(
            id="",
            at=at,
            root=plan.root,
            rules=plan.rules,
            steps=tuple(steps),
            unmoved=tuple(left),
            rooms=space.rooms(),
            undoes=plan.id,
        )
    )


class _Put(NamedTuple):
    """What a step that is taken back leaves at a place."""

    place: Place
    stamp: FileStamp | None
    """None: nothing."""
    content: bytes | None


class _Present:
    """What is where, once the steps so far have been taken back."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._put: dict[bytes, _Put] = {}

    def at(self, place: Place) -> Entry | None:
        """What is at a place."""
        put = self._put.get(place.absolute)
        if put is None:
            return self.scene.shelf(place.base, place.directory).named(place.name)
        return Entry(name=place.name, stamp=put.stamp) if put.stamp is not None else None

    def unchanged(self, file: PlannedFile) -> FileStamp:
        """The stamp of the file at a destination, which is still what was put there. Raises ``Stays``."""
        place = file.destination
        entry = self.at(place)
        if entry is None:
            raise Stays(f"{shown(place.absolute)} is not there any more{self._elsewhere(file)}")
        if entry.stamp is None or not self._is(place, entry.stamp, file):
            raise Stays(f"{shown(place.absolute)} was changed since")
        return entry.stamp

    def holder(self, file: PlannedFile) -> tuple[Place, FileStamp] | None:
        """A file with the content of one that was made, other than that one: what it was made of, if it can be."""
        entry = self.at(file.source)
        if entry is not None and entry.stamp is not None and self._is(file.source, entry.stamp, file):
            return file.source, entry.stamp
        for place in self._holding(file.sha256) if file.sha256 is not None else ():
            found = self.at(place)
            if found is not None and found.stamp is not None and place.absolute != file.destination.absolute:
                return place, found.stamp
        return None

    def follow(self, step: PlanStep) -> None:
        """Take note of a step that will have been done."""
        for file in (*step.displaced, *step.files, *step.returned):
            moves = step.back or step.action is Action.MOVE or file not in step.files
            if moves:
                self._put[file.source.absolute] = _Put(file.source, None, None)
            if not (step.back and file in step.files):
                self._put[file.destination.absolute] = _Put(file.destination, file.stamp, file.sha256)

    def _is(self, place: Place, stamp: FileStamp, file: PlannedFile) -> bool:
        """Whether a file at a place is the planned one: by its content, or while that is not known by size and time."""
        put = self._put.get(place.absolute)
        content = put.content if put is not None else self.scene.known(place, stamp).sha256
        if content is not None and file.sha256 is not None:
            return content == file.sha256
        return (stamp.size, stamp.mtime_ns) == (file.stamp.size, file.stamp.mtime_ns)

    def _holding(self, content: bytes) -> list[Place]:
        """Where files of a content are, but in the trash."""
        put = [one.place for one in self._put.values() if one.content == content and not one.place.in_trash]
        return [*(place for place in self.scene.holding(content) if place.absolute not in self._put), *put]

    def _elsewhere(self, file: PlannedFile) -> str:
        places = self._holding(file.sha256) if file.sha256 is not None else []
        return f"; {shown(places[0].absolute)} holds the same photo" if places else ""


def _opposite(step: PlanStep, why: str, present: _Present) -> PlanStep:
    """What takes a step back. Raises ``Stays``."""
    reverse = _moved_back if step.action is Action.MOVE else _made_again if step.back else _unmade
    fresh = replace(step, why=(why,), conflict="", confidence=1.0, waits="")
    opposite = reverse(replace(fresh, auto=False, displaced=(), returned=()), present)
    returned = tuple(_returned(step.displaced, present))
    missing = [
        shown(one.source.name) for one in step.displaced if one.source not in {back.destination for back in returned}
    ]
    displaced = tuple(_turned(one, present.unchanged(one)) for one in step.returned)
    words = f"{', '.join(missing)} cannot come back: not in the trash any more" if missing else ""
    opposite = named_step(replace(opposite, displaced=displaced, returned=returned, conflict=words))
    _require_room(opposite, present)
    return opposite


def _moved_back(step: PlanStep, present: _Present) -> PlanStep:
    return replace(step, files=tuple(_turned(file, present.unchanged(file)) for file in step.files))


def _unmade(step: PlanStep, present: _Present) -> PlanStep:
    """What was made is removed where its content stays, or else goes to the trash."""
    if step.action is Action.SYMLINK:
        for file in step.files:
            entry = present.at(file.destination)
            if entry is None or entry.target != file.source.absolute:
                raise Stays(f"{shown(file.destination.absolute)} is not the link any more that was made")
        return replace(step, back=True, files=tuple(_turned(file, file.stamp) for file in step.files))
    made = [Loose(file.destination, present.unchanged(file), file.sha256) for file in step.files]
    holders = [present.holder(file) for file in step.files]
    kept = [one.to(holder[0]) for one, holder in zip(made, holders, strict=True) if holder is not None]
    if len(kept) == len(made):
        return replace(step, back=True, files=tuple(kept))
    return replace(step, action=Action.MOVE, files=to_trash(step, made, present.scene))


def _made_again(step: PlanStep, present: _Present) -> PlanStep:
    files = []
    for file in step.files:
        # What it was made of is at the destination of the step that has removed it.
        holder = present.holder(replace(file, source=file.destination, destination=file.source))
        if holder is None:
            raise Stays(f"{shown(file.destination.absolute)}, of which it is to be made again, is not there any more")
        files.append(Loose(*holder, file.sha256).to(file.source))
    return replace(step, back=False, files=tuple(files))


def _returned(displaced: Sequence[PlannedFile], present: _Present) -> Iterator[PlannedFile]:
    """Those files that can come back from the trash."""
    for file in displaced:
        with suppress(Stays):
            yield _turned(file, present.unchanged(file))


def _require_room(step: PlanStep, present: _Present) -> None:
    """Raise ``Stays`` where a place is taken by anything but what this step takes away from there."""
    going = {file.source.absolute for file in (*step.files, *step.displaced, *step.returned)}
    for file in (*step.displaced, *(() if step.back else step.files), *step.returned):
        if file.destination.absolute not in going and present.at(file.destination) is not None:
            raise Stays(f"{shown(file.destination.absolute)} is taken by another file now")


def _turned(file: PlannedFile, stamp: FileStamp) -> PlannedFile:
    return PlannedFile(source=file.destination, destination=file.source, stamp=stamp, sha256=file.sha256)
