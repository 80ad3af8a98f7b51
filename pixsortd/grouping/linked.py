"""Joining rows link by link, the most alike first, where some must not meet. Pure; numpy only at its edges."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

Marks = Mapping[int, frozenset[Hashable]]


def joined(
    rows: Iterable[int],
    links: Iterable[tuple[int, int]],
    *,
    together: Iterable[Sequence[int]] = (),
    have: Marks,
    shun: Marks,
) -> list[list[int]]:
    """Parts of ``rows``, each by rising row, the part of the smallest row first.

    Links, in the order given, join the parts of their two rows unless one of the parts shuns a mark that
    the other has. ``together`` are joined before, whatever they shun. This is single linkage (Sneath 1957)
    with pairs that it may not join; a refused link stays refused, so that the nearer side wins.
    """
    part = {row: [row] for row in rows}
    held = {row: (set(have.get(row, ())), set(shun.get(row, ()))) for row in part}
    head = {row: row for row in part}

    def join(first: int, second: int) -> None:
        one, other = head[first], head[second]
        if len(part[one]) < len(part[other]):
            one, other = other, one
        for row in part[other]:
            head[row] = one
        part[one] += part.pop(other)
        for mine, theirs in zip(held[one], held.pop(other), strict=True):
            mine |= theirs

    for chain in together:
        for row in chain[1:]:
            if head[row] != head[chain[0]]:
                join(chain[0], row)
    for first, second in links:
        one, other = head[first], head[second]
        if one != other and not (held[one][0] & held[other][1] or held[one][1] & held[other][0]):
            join(first, second)
    return sorted(sorted(members) for members in part.values())
