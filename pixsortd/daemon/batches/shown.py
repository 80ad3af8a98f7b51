"""Batches as the API shows them, worked out from their state. Pure."""

from collections.abc import Collection, Iterator, Mapping

from pixsortd.api.ports import BatchEntry, BatchGroup, BatchMember, BatchStatus, BatchSummary, Cell
from pixsortd.decisions.batches import BatchState, groups_of, is_current, labels_of
from pixsortd.records import UNGROUPED, Job

PREVIEW = 6
"""Photos that stand for a batch."""


def status_of(state: BatchState, job: Job | None) -> BatchStatus:
    """Where a batch stands; ``job`` is its analysis that waits or runs."""
    if job is not None:
        return BatchStatus.PROCESSING
    if state.error is not None:
        return BatchStatus.FAILED
    return BatchStatus.COMPLETE if is_current(state) else BatchStatus.PENDING


def faces(state: BatchState) -> Iterator[bytes]:
    """Photos that may stand for a batch, the best suited first: one of each group, then whoever was put in first."""
    groups = groups_of(state)
    for label in _in_order(groups):
        ranking = state.rankings.get(label)
        yield (ranking.order if ranking is not None else groups[label])[0]
    yield from state.members[: 2 * PREVIEW]


def summary(state: BatchState, job: Job | None, known: Collection[bytes]) -> BatchSummary:
    """A batch in brief; only photos that are ``known`` can be in its preview."""
    groups = groups_of(state)
    groups.pop(UNGROUPED, None)
    members = frozenset(state.members)
    analysis = state.analysis
    return BatchSummary(
        id=state.id,
        name=state.name,
        status=status_of(state, job),
        created=state.created,
        parameters=state.parameters,
        size=len(state.members),
        groups=len(groups),
        grouped=sum(map(len, groups.values())),
        left_out=len(members.intersection(analysis.left_out)) if analysis is not None else 0,
        analyzed=analysis.at if analysis is not None else None,
        method=(analysis.method or None) if analysis is not None else None,
        error=state.error,
        job=job,
        preview=tuple(dict.fromkeys(sha256 for sha256 in faces(state) if sha256 in known))[:PREVIEW],
    )


def entry(state: BatchState, job: Job | None, cells: Mapping[bytes, Cell]) -> BatchEntry:
    """A batch with all it holds.

    ``cells`` are the members that anything is known of. The others, such as uploads that no analysis
    has seen yet, count in the sizes and appear once they are known.
    """
    groups, labels = groups_of(state), labels_of(state)
    order = {label: place for place, label in enumerate(_in_order(groups))}
    ranks = {
        sha256: (place, ranking.values[place - 1])
        for ranking in state.rankings.values()
        for place, sha256 in enumerate(ranking.order[: len(ranking.values)], start=1)
    }

    def member(sha256: bytes) -> BatchMember:
        rank, value = ranks.get(sha256, (None, None))
        return BatchMember(
            cell=cells[sha256], label=labels[sha256], manual=sha256 in state.manual, rank=rank, value=value
        )

    def place(sha256: bytes) -> tuple[int, float, float, bytes]:
        label, taken = labels[sha256], cells[sha256].taken
        return (
            order[label] if label is not None else len(order),
            ranks[sha256][0] if sha256 in ranks else float("inf"),
            taken if taken is not None else float("inf"),
            sha256,
        )

    shown = sorted((sha256 for sha256 in state.members if sha256 in cells), key=place)
    first: dict[str | None, bytes] = {}
    for sha256 in shown:
        first.setdefault(labels[sha256], sha256)
    return BatchEntry(
        summary=summary(state, job, cells.keys()),
        groups=tuple(_group(state, label, groups[label], first.get(label)) for label in order),
        members=[member(sha256) for sha256 in shown],
    )


def _group(state: BatchState, label: str, members: Collection[bytes], cover: bytes | None) -> BatchGroup:
    ranking = state.rankings.get(label)
    return BatchGroup(
        label=label,
        size=len(members),
        manual=sum(sha256 in state.manual for sha256 in members),
        cover=cover,
        metric=ranking.metric if ranking is not None else None,
        ranked_at=ranking.at if ranking is not None else None,
    )


def _in_order(groups: Mapping[str, Collection[bytes]]) -> list[str]:
    """Labels, the largest group first, Ungrouped last."""
    return sorted(groups, key=lambda label: (label == UNGROUPED, -len(groups[label]), label))
