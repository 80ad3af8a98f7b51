"""Between two clusterings: does a newcomer belong to a group? A vote of its nearest photos. Pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from pixsortd.records import Membership


def vote(
    neighbours: Sequence[tuple[bytes, float]],
    membership_of: Callable[[bytes], Membership | None],
    floor_of: Callable[[str], float],
    k: int,
) -> Membership | None:
    """The group that most of the ``k`` nearest photos (sha256, cosine) are in, or None for "unsure".

    None where no group has more than half of the votes, or the newcomer is less alike to its
    supporters than the group's floor. An ungrouped neighbour votes for staying ungrouped.
    """
    nearest = sorted(neighbours, key=lambda pair: (-pair[1], pair[0]))[:k]
    supporters: defaultdict[str, list[tuple[bytes, float]]] = defaultdict(list)
    for sha256, cosine in nearest:
        membership = membership_of(sha256)
        if membership is not None:
            supporters[membership.group].append((sha256, cosine))
    if not supporters:
        return None
    group = max(
        supporters, key=lambda name: (len(supporters[name]), sum(cosine for _, cosine in supporters[name]), name)
    )
    share = len(supporters[group]) / len(nearest)
    similarity = sum(cosine for _, cosine in supporters[group]) / len(supporters[group])
    if share <= 0.5 or similarity < floor_of(group):
        return None
    return Membership(
        group=group,
        strength=share,
        how="joined",
        nearest=tuple(sha256 for sha256, _ in supporters[group]),
        similarity=similarity,
    )
