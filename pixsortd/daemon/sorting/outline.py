"""A plan by the folders its photos come to be in: what it says as a whole, and its steps in that order."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

from pixsortd.api.ports import PlanFolder, PlanOutline, StepEntry
from pixsortd.records import Plan, PlanRecord, StepState, Unmoved

_OPEN = {StepState.WAITING, StepState.DONE}
_Order = list[tuple[int, bytes]]
_DIGITS = re.compile(rb"(\d+)")


def by_folder(entries: Iterable[StepEntry]) -> list[StepEntry]:
    """Steps of one folder together, by name, where numbers count as such."""
    folders = cache(_natural)

    def place(entry: StepEntry) -> tuple[_Order, _Order, str]:
        folder, name = os.path.split(_spot(entry))
        return folders(folder), _natural(name), entry.step.id

    return sorted(entries, key=place)


def by_reason(files: Iterable[Unmoved]) -> list[Unmoved]:
    """Files that stay for one reason together, those of most files first."""
    given = list(files)
    counts = Counter(one.why for one in given)
    return sorted(given, key=lambda one: (-counts[one.why], one.why, _natural(one.place.absolute)))


def outlined(record: PlanRecord, plan: Plan, entries: Sequence[StepEntry]) -> PlanOutline:
    """All that is told of a plan before one looks at its steps."""
    folders = groupby(by_folder(entries), key=lambda one: os.path.dirname(_spot(one)))
    return PlanOutline(
        record=record,
        folders=tuple(PlanFolder(path=path, steps=tuple(one.step.id for one in steps)) for path, steps in folders),
        settled=tuple(one.step.id for one in entries if one.state not in _OPEN),
        rules=_counted(one.step.rule for one in entries),
        waits=_counted(one.step.waits for one in entries),
        stays=_counted(one.why for one in by_reason(plan.unmoved)),
        rooms=plan.rooms,
    )


def _spot(entry: StepEntry) -> bytes:
    """Where the photo comes to be; or, where that goes away, where it is."""
    first = entry.step.files[0]
    goes = entry.step.back or first.destination.in_trash
    return (first.source if goes else first.destination).absolute


def _natural(path: bytes) -> _Order:
    return [(int(part) if part.isdigit() else -1, part.lower()) for part in _DIGITS.split(path)]


def _counted(texts: Iterable[str]) -> dict[str, int]:
    """How often each text is there, the most frequent first; empty ones are not counted."""
    return dict(Counter(text for text in texts if text).most_common())
