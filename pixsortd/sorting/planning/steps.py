"""Steps as they are made of a file, what a rule says of it, and how its name was come by."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pixsortd.records import Action, FileStamp, Place, PlannedFile, PlanStep, Subject
from pixsortd.sorting import names
from pixsortd.sorting.planning.conflicts import Rival, Ruling, Way
from pixsortd.sorting.planning.identity import named_step, parcel_id
from pixsortd.sorting.planning.scene import Scene
from pixsortd.sorting.rules import Choice


class Loose(NamedTuple):
    """A file that has no destination yet."""

    place: Place
    stamp: FileStamp
    sha256: bytes | None = None

    def to(self, destination: Place) -> PlannedFile:
        """It gets one."""
        return PlannedFile(source=self.place, destination=destination, stamp=self.stamp, sha256=self.sha256)


class Case(NamedTuple):
    """All that a step is made of."""

    subject: Subject
    choice: Choice
    place: Place
    """Where the photo's file would go if its name were free."""
    wanted: Sequence[bytes]
    """What the files of the unit would be called."""
    free: Sequence[bytes]
    """What they can be called."""
    rival: Rival | None
    """The file that is to make room, or that there will be another link to."""
    scene: Scene


def unit(subject: Subject) -> list[Loose]:
    """A photo's file and its companions."""
    photo = Loose(subject.place, subject.stamp, subject.image)
    return [photo, *(Loose(one.place, one.stamp) for one in subject.companions)]


def step_of(case: Case, ruling: Ruling) -> PlanStep:
    """What is done, by any ruling but the one to stay. Raises ``Stays``."""
    choice = case.choice
    plain = PlanStep(
        id="",
        image=case.subject.image,
        rule=choice.rule.name,
        action=choice.rule.action,
        files=(),
        why=tuple(map(names.spelled, choice.why)),
        confidence=choice.confidence,
        auto=choice.rule.auto,
    )
    return _BUILDERS[ruling.way](plain, case, names.spelled(ruling.words))


def to_trash(step: PlanStep, files: Sequence[Loose], scene: Scene) -> tuple[PlannedFile, ...]:
    """Files of one directory, a photo's first, and what they are called in the trash of their file system."""
    first = files[0]
    volume = scene.volume(first.place.base, first.place.directory)
    trash = Place.trashed(first.place.base, volume.top, b"-")
    parcel = parcel_id(step.id, first.to(first.place))
    stored = (names.stored_name(parcel, number, one.place.name, volume.longest) for number, one in enumerate(files))
    return tuple(one.to(trash.beside(name)) for one, name in zip(files, stored, strict=True))


def family(rival: Rival, scene: Scene) -> list[Loose]:
    """A file that is at a destination, and what goes with it."""
    photo = Loose(rival.place, rival.stamp, rival.known.sha256)
    return [photo, *(Loose(place, stamp) for place, stamp in scene.companions(rival.place))]


def _placed(plain: PlanStep, case: Case, words: str) -> PlanStep:
    files = _to(unit(case.subject), case.place, case.free)
    conflict = f"{words}; it becomes {names.shown(case.free[0])}" if words else ""
    return named_step(replace(plain, files=files, conflict=conflict))


def _yielding(plain: PlanStep, case: Case, words: str) -> PlanStep:
    # Its name in the trash says from where to where it was to go.
    asked = named_step(replace(plain, files=_to(unit(case.subject), case.place, case.wanted)))
    files = to_trash(asked, unit(case.subject), case.scene)
    return named_step(replace(plain, action=Action.MOVE, files=files, conflict=f"{words}; this one goes to the trash"))


def _replacing(plain: PlanStep, case: Case, words: str) -> PlanStep:
    assert case.rival is not None, "something is replaced"
    step = named_step(replace(plain, files=_to(unit(case.subject), case.place, case.wanted)))
    displaced = to_trash(step, family(case.rival, case.scene), case.scene)
    return named_step(replace(step, displaced=displaced, conflict=f"{words}; that one goes to the trash"))


def _linking(plain: PlanStep, case: Case, words: str) -> PlanStep:
    assert case.rival is not None, "something is linked to"
    there = Loose(case.rival.place, case.rival.stamp, case.rival.known.sha256)
    step = named_step(replace(plain, action=Action.HARDLINK, files=_to([there], case.place, case.free[:1])))
    displaced = to_trash(step, unit(case.subject), case.scene)
    return named_step(replace(step, displaced=displaced, conflict=f"{words}; it gets a link of that name"))


def _to(files: Sequence[Loose], place: Place, called: Sequence[bytes]) -> tuple[PlannedFile, ...]:
    return tuple(one.to(place.beside(name)) for one, name in zip(files, called, strict=True))


_Builder = Callable[[PlanStep, Case, str], PlanStep]
_BUILDERS: Mapping[Way, _Builder] = {
    Way.NUMBER: _placed,
    Way.YIELD: _yielding,
    Way.REPLACE: _replacing,
    Way.LINK: _linking,
}
