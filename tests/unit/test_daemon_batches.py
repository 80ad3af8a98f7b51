"""Batches without a daemon: labels over time, and how a batch is shown."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.api.ports import BatchStatus, Cell, ImageStatus
from pixsortd.daemon.batches import shown
from pixsortd.daemon.batches.labels import earlier, labelled
from pixsortd.daemon.batches.labels import given as given_by_hand
from pixsortd.decisions import BatchState
from pixsortd.records import UNGROUPED, BatchAnalyzed, BatchParameters, Job, JobState, RankBatch

A, B, C, D, E, F = (bytes([i]) * 32 for i in range(6))
JOB = Job(id="j", kind="batch", state=JobState.RUNNING)
STATE = BatchState(
    id="b",
    name="Trip",
    created=1.0,
    members=(A, B, C, D, E, F),
    analysis=BatchAnalyzed(batch="b", groups={"Group 1": (A, B), "Group 2": (C,)}, ungrouped=(D,), left_out=(E,), at=9),
    analyzed_with=BatchParameters(),
    manual={C: "Cats", D: "Cats", F: "Cats"},
    rankings={"Group 1": RankBatch(batch="b", label="Group 1", metric="niqe", order=(B, A), values=(3.5,), at=10.0)},
)


CELLS = {  # taken later the smaller the id
    sha256: Cell(id=sha256.hex(), name=b"x.jpg", status=ImageStatus.INDEXED, taken=100.0 - sha256[0])
    for sha256 in STATE.members
}


def test_new_clusters_get_the_lowest_free_numbers_the_largest_first() -> None:
    found = [("g1", {A, B}), ("Group 2", {C}), ("g2", {D}), ("g3", {E})]
    assert labelled(found, {"Group 2", "Group 1"}, {"Group 3", "Cats"}) == {
        "Group 1": (A, B),
        "Group 2": (C,),
        "Group 4": (D,),
        "Group 5": (E,),
    }


def test_a_cluster_that_goes_on_keeps_its_label() -> None:
    assert labelled([("Cats", {A}), ("Group 7", {B})], {"Cats", "Group 7"}, {"Cats"}) == {"Cats": (A,), "Group 7": (B,)}


@settings(deadline=None)
@given(
    ids=st.lists(st.sampled_from(["Group 1", "Group 2", "Group 3", "Cats", "g1", "g2", "g3"]), unique=True),
    going_on=st.sets(st.sampled_from(["Group 1", "Group 2", "Group 3", "Cats"])),
    taken=st.sets(st.sampled_from(["Group 1", "Group 4", "Dogs"])),
)
def test_no_two_clusters_get_one_label(ids: list[str], going_on: set[str], taken: set[str]) -> None:
    found = [(one, {bytes([i])}) for i, one in enumerate(ids)]
    labels = labelled(found, going_on, taken)
    assert len(labels) == len(ids)
    assert list(labels.values()) == [tuple(members) for _, members in found]
    assert {one for one in ids if one in going_on} <= labels.keys()
    assert labels.keys() & taken <= set(ids) & going_on


def test_groups_that_may_go_on_are_those_shown_but_ungrouped() -> None:
    assert earlier(STATE) == {"Group 1": (A, B), "Cats": (C, D, F)}
    dormant = msgspec.structs.replace(STATE, dormant={"Group 1": (E, F), "Group 9": (E,)})
    assert earlier(dormant) == {"Group 1": (A, B), "Cats": (C, D, F), "Group 9": (E,)}
    assert given_by_hand(STATE) == {"Cats"}
    assert given_by_hand(msgspec.structs.replace(STATE, manual={A: UNGROUPED})) == frozenset()


def test_status() -> None:
    assert shown.status_of(STATE, JOB) is BatchStatus.PROCESSING
    assert shown.status_of(STATE, None) is BatchStatus.PENDING, "F was never looked at"
    current = msgspec.structs.replace(STATE, members=(A, B, C, D, E))
    assert shown.status_of(current, None) is BatchStatus.COMPLETE
    assert shown.status_of(msgspec.structs.replace(current, error="no memory"), None) is BatchStatus.FAILED


def test_a_summary() -> None:
    found = shown.summary(STATE, None, {A, B, C, E, F})
    assert (found.size, found.groups, found.grouped, found.left_out, found.analyzed) == (6, 2, 5, 1, 9.0)
    assert found.preview == (C, B, A, E, F), "the largest group's first, the best of the ranked one, then the others"


def test_an_entry_is_sorted_by_group_rank_and_time() -> None:
    found = shown.entry(STATE, JOB, CELLS)
    assert found.summary.job == JOB
    assert [(bytes.fromhex(one.cell.id), one.label, one.manual, one.rank, one.value) for one in found.members] == [
        (F, "Cats", True, None, None),
        (D, "Cats", True, None, None),
        (C, "Cats", True, None, None),
        (B, "Group 1", False, 1, 3.5),
        (A, "Group 1", False, None, None),
        (E, None, False, None, None),
    ]
    assert [(one.label, one.size, one.manual, one.cover, one.metric) for one in found.groups] == [
        ("Cats", 3, 3, F, None),
        ("Group 1", 2, 0, B, "niqe"),
    ]


def test_ungrouped_comes_last_however_large() -> None:
    analysis = BatchAnalyzed(batch="b", groups={"Group 1": (A,)}, ungrouped=(B, C, D, E, F))
    found = shown.entry(msgspec.structs.replace(STATE, analysis=analysis, manual={}, rankings={}), None, CELLS)
    assert [one.label for one in found.groups] == ["Group 1", UNGROUPED]
    assert (found.summary.groups, found.summary.grouped) == (1, 1)


def test_photos_of_which_nothing_is_known_only_count() -> None:
    known = {sha256: entry for sha256, entry in CELLS.items() if sha256 not in (F, B)}
    found = shown.entry(STATE, None, known)
    assert (found.summary.size, len(found.members)) == (6, 4)
    assert [one.cover for one in found.groups] == [D, A]
    assert not {F, B} & set(found.summary.preview)


@pytest.mark.parametrize("members", [(), (A,)])
def test_small_batches(members: tuple[bytes, ...]) -> None:
    state = BatchState(id="b", name="Trip", created=1.0, members=members)
    found = shown.entry(state, None, CELLS)
    assert found.groups == ()
    assert [one.label for one in found.members] == [None] * len(members)
    assert found.summary.preview == members
