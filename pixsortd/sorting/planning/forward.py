"""The plan of an inbox: what its files, the rules, and the names that are taken come to."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pixsortd.records import Action, Place, Plan, PlanStep, Subject, Unmoved
from pixsortd.sorting import names
from pixsortd.sorting.planning.approval import Standing, waits
from pixsortd.sorting.planning.conflicts import Rival, Way
from pixsortd.sorting.planning.identity import named_plan
from pixsortd.sorting.planning.late import Late, followed
from pixsortd.sorting.planning.meeting import Meeting, ruled
from pixsortd.sorting.planning.scene import Scene, Stays
from pixsortd.sorting.planning.space import BOUND, Space
from pixsortd.sorting.planning.steps import Case, step_of, unit
from pixsortd.sorting.planning.world import Terms, World
from pixsortd.sorting.rules import Choice


class _Draft(NamedTuple):
    """A step before it is known what of it waits."""

    place: Place
    """Of the file."""
    turn: int
    """Which of the choices for the file."""
    choice: Choice
    step: PlanStep


def plan(
    chosen: Iterable[tuple[Subject, Sequence[Choice]]], world: World, terms: Terms, late: Iterable[Late] = ()
) -> Plan:
    """What would be done to the files of an inbox, each with what the rules say of it, in their order.

    The order of the files changes nothing. Files that get the same name are numbered in the order of
    their content hashes. ``late`` are files that follow photos which are elsewhere already.
    """
    scene = Scene(world, terms.photos)
    drafts: list[_Draft] = []
    unmoved: list[Unmoved] = []
    for subject, choices in sorted(chosen, key=lambda one: (one[0].image, one[0].place.absolute)):
        if not choices:
            unmoved.append(Unmoved(place=subject.place, image=subject.image, why="no rule takes it"))
        for index, choice in enumerate(choices):
            try:
                step = _step(subject, choice, choices[index + 1 :], scene, terms)
            except Stays as stays:
                why = names.spelled(str(stays))
                unmoved.append(Unmoved(place=subject.place, image=subject.image, rule=choice.rule.name, why=why))
            else:
                drafts.append(_Draft(subject.place, index, choice, step))
    for one in sorted(late, key=lambda one: one.file.place.absolute):
        try:
            step = followed(one, scene, terms)
        except Stays as stays:
            why = names.spelled(str(stays))
            unmoved.append(Unmoved(place=one.file.place, image=one.image, why=why))
        else:
            assert one.choice is not None, "a step has a rule"
            drafts.append(_Draft(one.file.place, 0, one.choice, step))
    drafts.sort(key=lambda one: (one.place.absolute, one.turn))
    space = Space(terms.floor)
    return named_plan(
        Plan(
            id="",
            at=terms.at,
            root=terms.root,
            rules=terms.rules,
            steps=tuple(_weighed(drafts, scene, space, terms)),
            unmoved=tuple(sorted(unmoved, key=lambda one: (one.place.absolute, one.rule))),
            rooms=space.rooms(),
        )
    )


def _weighed(drafts: Sequence[_Draft], scene: Scene, space: Space, terms: Terms) -> Iterable[PlanStep]:
    """The steps, each with the reason for which it waits."""
    behind: set[Place] = set()
    for draft in drafts:
        crowded = space.take(draft.step, scene)
        why = waits(Standing(draft.choice, terms, crowded, draft.step.image, draft.place in behind))
        if why:
            behind.add(draft.place)
        yield replace(draft.step, waits=why)


def _step(subject: Subject, choice: Choice, later: Sequence[Choice], scene: Scene, terms: Terms) -> PlanStep:
    """What is done with a file. Raises ``Stays``."""
    destination = _destination(subject, choice, later, terms)
    directory = scene.enter(destination.base, destination.directory)
    place = Place(base=destination.base, path=directory + b"/" + destination.name if directory else destination.name)
    if place.absolute == subject.place.absolute:
        raise Stays("it is where it belongs")
    here, volume = (scene.volume(one.base, one.directory) for one in (subject.place, place))
    if choice.rule.action in BOUND and volume.device != here.device:
        raise Stays(f"a {choice.rule.action.value} cannot lead to another file system")
    called = names.renamed([one.place.name for one in unit(subject)], place.name)
    wanted = names.numbered(called, 1, volume.longest)
    if len(set(wanted)) < len(wanted):
        raise Stays("two of the files that belong to it would get the same name")
    found = scene.search(place, wanted, volume.longest)
    ruling, rival = ruled(Meeting(subject, choice.rule, place, wanted, found, scene))
    if ruling.way is Way.STAY:
        raise Stays(ruling.words)
    step = step_of(Case(subject, choice, place, wanted, found.free, rival, scene), ruling)
    _claim(step, ruling.way, rival, scene)
    return step


def _destination(subject: Subject, choice: Choice, later: Sequence[Choice], terms: Terms) -> Place:
    """Where a file is to go. Raises ``Stays`` where it goes nowhere, whatever is there."""
    if choice.rule.action is Action.LEAVE:
        raise Stays(f'the rule "{choice.rule.name}" leaves it: ' + ", ".join(choice.why))
    if choice.destination is None:
        raise Stays(choice.missing)
    if (subject.image, choice.digest) in terms.refused:
        raise Stays("you said leave it")
    if (subject.image, choice.digest) in terms.done and choice.rule.action is not Action.MOVE:
        raise Stays("that was done already")
    moves = [one.rule.name for one in later if one.rule.action is Action.MOVE]
    if choice.rule.action is Action.SYMLINK and moves:
        raise Stays(f'a link to it would lead nowhere once the rule "{moves[0]}" has moved it')
    return choice.destination


def _claim(step: PlanStep, way: Way, rival: Rival | None, scene: Scene) -> None:
    """Let the names that a step takes be known to all that come later."""
    goal = step.files[0].destination
    shelf = scene.shelf(goal.base, goal.directory)
    if way is not Way.YIELD:
        shelf.claims.update((names.folded(file.destination.name), step.image) for file in step.files)
    if way is Way.REPLACE:
        shelf.leaving.update(file.source.name for file in step.displaced)
    elif way is not Way.NUMBER and rival is not None:
        scene.shelf(rival.place.base, rival.place.directory).relied.add(rival.place.name)
