"""What decisions about batches amount to: the state of each batch, one decision at a time. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pixsortd.records import (
    UNGROUPED,
    AnalyzeBatch,
    BatchAnalyzed,
    BatchParameters,
    CancelAnalysis,
    ChangeBatch,
    CreateBatch,
    DeleteBatch,
    LabelBatch,
    RankBatch,
    Record,
    RenameBatch,
)


class BatchState(Record, frozen=True, kw_only=True):
    """A batch as all decisions together have it."""

    id: str
    name: str
    created: float
    deleted: bool = False
    members: tuple[bytes, ...] = ()
    """In the order they were put in."""
    parameters: BatchParameters = BatchParameters()
    """Those of the last analysis that was asked for."""
    asked: bool = False
    """That analysis has no answer yet."""
    analysis: BatchAnalyzed | None = None
    """The last one that came to an end, as it was recorded: photos may have left the batch since."""
    analyzed_with: BatchParameters | None = None
    dormant: dict[str, tuple[bytes, ...]] = {}
    """Members by label of earlier groups that it did not go on with: other parameters may find them again."""
    error: str | None = None
    """Why the last analysis failed, until the batch changes or another is asked for."""
    manual: dict[bytes, str] = {}
    """Labels that the user gave, by photo."""
    rankings: dict[str, RankBatch] = {}
    """By label; only those that hold for the label's present members."""


def labels_of(state: BatchState) -> dict[bytes, str | None]:
    """The group of each member, in their order; None for one that no analysis has looked at."""
    found: dict[bytes, str] = {}
    if state.analysis is not None:
        found.update(dict.fromkeys(state.analysis.ungrouped, UNGROUPED))
        for label, members in state.analysis.groups.items():
            found.update(dict.fromkeys(members, label))
    found.update(state.manual)
    return {sha256: found.get(sha256) for sha256 in state.members}


def groups_of(state: BatchState) -> dict[str, tuple[bytes, ...]]:
    """Members by label, for every label that has one, the user's and Ungrouped included."""
    found: dict[str, list[bytes]] = {}
    for sha256, label in labels_of(state).items():
        if label is not None:
            found.setdefault(label, []).append(sha256)
    return {label: tuple(members) for label, members in found.items()}


def is_current(state: BatchState) -> bool:
    """Whether the last analysis saw exactly the present members with the present parameters."""
    if state.analysis is None or state.analyzed_with != state.parameters:
        return False
    seen = {*state.analysis.ungrouped, *state.analysis.left_out}
    return seen.union(*state.analysis.groups.values()) == set(state.members)


def created(decision: CreateBatch) -> BatchState:
    """A batch at its beginning."""
    members = tuple(dict.fromkeys(decision.members))
    return BatchState(id=decision.batch, name=decision.name, created=decision.at, members=members)


def folded(state: BatchState, decision: object) -> BatchState:
    """The batch after a decision about it, one of those that ``FOLDS`` names."""
    return FOLDS[type(decision)](state, decision)


def _renamed(state: BatchState, decision: RenameBatch) -> BatchState:
    return msgspec.structs.replace(state, name=decision.name)


def _deleted(state: BatchState, decision: DeleteBatch) -> BatchState:
    # Nobody waits for the analysis of a deleted batch.
    return msgspec.structs.replace(state, deleted=not decision.restored, asked=False)


def _changed(state: BatchState, decision: ChangeBatch) -> BatchState:
    removed = frozenset(decision.removed)
    members = dict.fromkeys((*state.members, *decision.added))
    left = tuple(sha256 for sha256 in members if sha256 not in removed)
    if left == state.members:
        return state
    manual = {sha256: label for sha256, label in state.manual.items() if sha256 not in removed}
    return _ranked_still(msgspec.structs.replace(state, members=left, manual=manual, error=None))


def _asked(state: BatchState, decision: AnalyzeBatch) -> BatchState:
    return msgspec.structs.replace(state, parameters=decision.parameters, asked=True, error=None)


def _analyzed(state: BatchState, decision: BatchAnalyzed) -> BatchState:
    if decision.error is not None:
        return msgspec.structs.replace(state, asked=False, error=decision.error)
    before = state.dormant | (state.analysis.groups if state.analysis is not None else {})
    return _ranked_still(
        msgspec.structs.replace(
            state,
            asked=False,
            error=None,
            analysis=decision,
            analyzed_with=state.parameters,
            dormant={label: members for label, members in before.items() if label not in decision.groups},
        )
    )


def _cancelled(state: BatchState, _: CancelAnalysis) -> BatchState:
    return msgspec.structs.replace(state, asked=False)


def _labelled(state: BatchState, decision: LabelBatch) -> BatchState:
    members, freed = frozenset(state.members), frozenset(decision.freed)
    manual = {sha256: label for sha256, label in state.manual.items() if sha256 not in freed}
    for label, photos in decision.labels.items():
        manual.update(dict.fromkeys(members.intersection(photos), label))
    return _ranked_still(msgspec.structs.replace(state, manual=manual))


def _ranked(state: BatchState, decision: RankBatch) -> BatchState:
    return _ranked_still(msgspec.structs.replace(state, rankings={**state.rankings, decision.label: decision}))


def _ranked_still(state: BatchState) -> BatchState:
    """Without the rankings whose photos are not, or not all, of their group any more."""
    if not state.rankings:
        return state
    groups = groups_of(state)
    held = {
        label: ranking
        for label, ranking in state.rankings.items()
        if frozenset(ranking.order) == frozenset(groups.get(label, ()))
    }
    return state if len(held) == len(state.rankings) else msgspec.structs.replace(state, rankings=held)


FOLDS: Mapping[type, Callable[[BatchState, Any], BatchState]] = {
    RenameBatch: _renamed,
    DeleteBatch: _deleted,
    ChangeBatch: _changed,
    AnalyzeBatch: _asked,
    BatchAnalyzed: _analyzed,
    CancelAnalysis: _cancelled,
    LabelBatch: _labelled,
    RankBatch: _ranked,
}
