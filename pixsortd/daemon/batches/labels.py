"""Labels of a batch's groups over time: which ones a new clustering goes on with, and what new groups are called. Pure.

Which cluster continues which group is decided by the members they share, in the analyst, as for the
library's groups. Groups of the user's are among them, so a cluster whose photos are mostly called
"Cats" is called "Cats". Their labels weigh no more than others there, unlike the names of the
library's groups: they stay on their photos anyway, and two photos taken out of a group by hand must
not draw the others after them.
"""

from collections.abc import Collection, Iterable
from itertools import count

from pixsortd.decisions.batches import BatchState, groups_of
from pixsortd.records import UNGROUPED


def earlier(state: BatchState) -> dict[str, tuple[bytes, ...]]:
    """Members by label of the groups that may go on: the present ones, and those that an analysis did not find."""
    present = {label: members for label, members in groups_of(state).items() if label != UNGROUPED}
    return state.dormant | present


def given(state: BatchState) -> frozenset[str]:
    """Labels that the user gave to some photo."""
    return frozenset(state.manual.values()) - {UNGROUPED}


def labelled(
    found: Iterable[tuple[str, Collection[bytes]]], going_on: Collection[str], taken: Collection[str]
) -> dict[str, tuple[bytes, ...]]:
    """Members by label of the clusters ``found``: (the label it goes on with or any other id, members), largest first.

    A cluster whose id is not in ``going_on`` becomes "Group n" with the lowest n that neither those
    that go on nor the labels ``taken`` have.
    """
    clusters = list(found)
    used = {label for label, _ in clusters if label in going_on}.union(taken)
    fresh = (label for n in count(1) if (label := f"Group {n}") not in used)
    return {label if label in going_on else next(fresh): tuple(sorted(members)) for label, members in clusters}
