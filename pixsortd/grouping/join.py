"""Between two clusterings: does a newcomer belong to a group? A vote of its nearest photos. Pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from pixsortd.records import Membership

NEAREST = 5
"""Members of a group that a photo is compared with; a group's floor is measured with as many."""

SHARPNESS = 4
"""Power of the cosine that a vote weighs, so that a tight group smaller than half of the voters can win."""


def vote(
    neighbours: Sequence[tuple[bytes, float]],
    membership_of: Callable[[bytes], Membership | None],
    floor_of: Callable[[str], float],
    k: int,
) -> Membership | None:
    """The group that most of the ``k`` nearest photos (sha256, cosine) are in, or None for "unsure".

    Unsure is: no group has more than half of the weight, or the newcomer is less alike to its
    nearest members there than the group's floor. An ungrouped neighbour votes against all groups.
    The floor is what keeps loners out: on labelled photos one in fifty joined with it, one in four without.
    """
    nearest = sorted(neighbours, key=lambda pair: (-pair[1], pair[0]))[:k]
    supporters: defaultdict[str, list[tuple[bytes, float]]] = defaultdict(list)
    for sha256, cosine in nearest:
        membership = membership_of(sha256)
        if membership is not None:
            supporters[membership.group].append((sha256, cosine))
    weights = {group: _weight(members) for group, members in supporters.items()}
    group = max(weights, key=lambda name: (weights[name], name), default=None)
    if group is None:
        return None
    share = weights[group] / max(_weight(nearest), 1e-9)
    speakers = supporters[group][:NEAREST]
    similarity = sum(cosine for _, cosine in speakers) / len(speakers)
    if share <= 0.5 or similarity < floor_of(group):
        return None
    return Membership(
        group=group,
        strength=min(share, 1.0),
        how="joined",
        nearest=tuple(sha256 for sha256, _ in speakers),
        similarity=similarity,
    )


def _weight(voters: Sequence[tuple[bytes, float]]) -> float:
    return sum(max(cosine, 0.0) ** SHARPNESS for _, cosine in voters)
