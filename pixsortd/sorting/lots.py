"""Which steps of a plan can be done at once. Pure."""

from collections.abc import Iterator, Sequence

from pixsortd.records import Place, PlanStep
from pixsortd.sorting.contents import DIRECTORIES, FILES, in_runs


def lots(steps: Sequence[PlanStep]) -> Iterator[Sequence[PlanStep]]:
    """Consecutive steps that share no place, none of them with too many files or directories."""
    for apart in _apart(steps):
        start = 0
        for count in in_runs(map(places, apart), FILES, DIRECTORIES):
            yield apart[start : start + count]
            start += count


def _apart(steps: Sequence[PlanStep]) -> Iterator[Sequence[PlanStep]]:
    """A step that needs what an earlier one has done, or needs the same file, comes after it."""
    now: list[PlanStep] = []
    seen: set[Place] = set()
    for step in steps:
        own = places(step)
        if not seen.isdisjoint(own):
            yield now
            now, seen = [], set()
        now.append(step)
        seen.update(own)
    if now:
        yield now


def places(step: PlanStep) -> list[Place]:
    """Every place that a step concerns."""
    files = (*step.files, *step.displaced, *step.returned)
    return [place for file in files for place in (file.source, file.destination)]
