"""What arrives for a photo when that was sorted away already: it follows, under the name that the photo has now."""

from pixsortd.records import Action, Companion, Place, PlannedFile, PlanStep, Record
from pixsortd.sorting import names
from pixsortd.sorting.planning.identity import named_step
from pixsortd.sorting.planning.scene import Scene, Stays
from pixsortd.sorting.planning.world import Terms
from pixsortd.sorting.rules import Choice


class Late(Record, frozen=True, kw_only=True):
    """A file that belongs to a photo that is elsewhere now."""

    file: Companion
    image: bytes
    """SHA-256 of the photo."""
    was: bytes
    """The photo's name when it was beside it."""
    photo: Place
    """Where the photo is."""
    choice: Choice | None = None
    """The rule that sorted the photo, if it still says the same."""
    kept: str = ""
    """Why nothing can be put beside the photo, in words."""


def followed(late: Late, scene: Scene, terms: Terms) -> PlanStep:
    """The step that brings a file to its photo. Raises ``Stays``."""
    belongs = f"it belongs to {names.shown(late.was)}, which was sorted to {names.shown(late.photo.absolute)}"
    if late.choice is None:
        raise Stays(f"{belongs}; the rule that did so says something else now, so put it there by hand")
    if late.kept:
        raise Stays(f"{belongs}; {late.kept}")
    if (late.image, late.choice.digest) in terms.refused:
        raise Stays(f"{belongs}; you said leave it")
    place = late.file.place
    name = names.renamed([late.was, place.name], late.photo.name)[1]
    destination = late.photo.beside(name)
    shelf = scene.shelf(destination.base, destination.directory)
    if shelf.taken(names.folded(name)):
        raise Stays(f"{belongs}; there is another {names.shown(name)} beside it already")
    shelf.claims[names.folded(name)] = late.image
    rule = late.choice.rule
    return named_step(
        PlanStep(
            id="",
            image=late.image,
            rule=rule.name,
            action=Action.MOVE,
            files=(PlannedFile(source=place, destination=destination, stamp=late.file.stamp),),
            why=(names.spelled(belongs),),
            auto=rule.auto,
        )
    )
