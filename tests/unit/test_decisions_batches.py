"""The state of a batch, decision by decision."""

from typing import Any

from pixsortd.decisions import Projections
from pixsortd.decisions.batches import BatchState, groups_of, is_current, labels_of
from pixsortd.records import (
    UNGROUPED,
    AnalyzeBatch,
    BatchAnalyzed,
    BatchParameters,
    CancelAnalysis,
    ChangeBatch,
    CreateBatch,
    Decision,
    DeleteBatch,
    LabelBatch,
    RankBatch,
    RenameBatch,
)

A, B, C, D, E, F = (bytes([i]) * 32 for i in range(6))
MADE = CreateBatch(batch="b", name="Trip", members=(A, B, C, D, A), at=1.0)
ASKED = AnalyzeBatch(batch="b", parameters=BatchParameters(min_cluster_size=2), at=2.0)
ANSWERED = BatchAnalyzed(batch="b", groups={"Group 1": (A, B)}, ungrouped=(C,), left_out=(D,), at=3.0)


def after(*said: Decision) -> BatchState:
    return Projections([MADE, *said]).batches()["b"]


def change(**fields: Any) -> ChangeBatch:
    return ChangeBatch(batch="b", **fields)


def ranked(*order: bytes, label: str = "Group 1") -> RankBatch:
    return RankBatch(batch="b", label=label, metric="niqe", order=order, values=tuple(map(float, range(len(order)))))


def test_a_new_batch() -> None:
    state = after()
    assert state.members == (A, B, C, D)
    assert (state.name, state.created, state.asked, state.deleted) == ("Trip", 1.0, False, False)
    assert labels_of(state) == dict.fromkeys((A, B, C, D))
    assert groups_of(state) == {}
    assert not is_current(state)


def test_names_come_and_go_and_come_back() -> None:
    assert after(RenameBatch(batch="b", name="Journey")).name == "Journey"
    assert after(DeleteBatch(batch="b")).deleted
    assert not after(DeleteBatch(batch="b"), DeleteBatch(batch="b", restored=True)).deleted


def test_what_is_said_of_an_unknown_batch_means_nothing() -> None:
    assert Projections([RenameBatch(batch="gone", name="x"), ASKED, ANSWERED]).batches() == {}


def test_an_answered_analysis_is_current_until_the_batch_changes() -> None:
    assert after(ASKED).asked
    state = after(ASKED, ANSWERED)
    assert not state.asked
    assert is_current(state)
    assert labels_of(state) == {A: "Group 1", B: "Group 1", C: UNGROUPED, D: None}
    assert not is_current(after(ASKED, ANSWERED, change(added=(E,))))
    assert not is_current(after(ASKED, ANSWERED, change(removed=(C,))))
    assert is_current(after(ASKED, ANSWERED, change(added=(E,)), change(removed=(E,))))
    assert is_current(after(ASKED, ANSWERED, change(added=(A,), removed=(F,))))
    other = AnalyzeBatch(batch="b", parameters=BatchParameters(min_samples=9))
    assert not is_current(after(ASKED, ANSWERED, other))


def test_a_photo_that_came_while_the_analysis_ran_leaves_it_to_be_done_again() -> None:
    assert not is_current(after(ASKED, change(added=(E,)), ANSWERED))


def test_a_cancelled_analysis_is_not_waited_for() -> None:
    state = after(ASKED, CancelAnalysis(batch="b"))
    assert not state.asked
    assert not is_current(state)
    assert not after(ASKED, DeleteBatch(batch="b"), DeleteBatch(batch="b", restored=True)).asked


def test_a_failed_analysis_keeps_the_groups_of_the_last_one() -> None:
    failed = BatchAnalyzed(batch="b", error="no memory")
    state = after(ASKED, ANSWERED, ASKED, failed)
    assert state.error == "no memory"
    assert groups_of(state)["Group 1"] == (A, B)
    assert after(ASKED, failed, change(added=(E,))).error is None
    assert after(ASKED, failed, ASKED).error is None


def test_labels_by_hand_go_before_the_analysis_and_outlive_it() -> None:
    hand = LabelBatch(batch="b", labels={"Cats": (B, C, F), UNGROUPED: (D,)})
    state = after(ASKED, ANSWERED, hand)
    assert state.manual == {B: "Cats", C: "Cats", D: UNGROUPED}, "only members"
    assert groups_of(state) == {"Group 1": (A,), "Cats": (B, C), UNGROUPED: (D,)}
    again = BatchAnalyzed(batch="b", groups={"Group 1": (A, B, C, D)})
    assert groups_of(after(hand, ASKED, again)) == groups_of(state)
    assert groups_of(after(hand, ASKED, again, LabelBatch(batch="b", freed=(B, D)))) == {
        "Group 1": (A, B, D),
        "Cats": (C,),
    }


def test_who_leaves_takes_the_label_along_and_comes_back_without() -> None:
    hand = LabelBatch(batch="b", labels={"Cats": (C,)})
    left, returned = change(removed=(A, C)), change(added=(A, C))
    assert labels_of(after(ASKED, ANSWERED, hand, left)) == {B: "Group 1", D: None}
    assert labels_of(after(ASKED, ANSWERED, hand, left, returned)) == {
        B: "Group 1",
        D: None,
        A: "Group 1",
        C: UNGROUPED,
    }


def test_groups_that_an_analysis_did_not_find_are_remembered_until_their_label_is_used_again() -> None:
    none = BatchAnalyzed(batch="b", ungrouped=(A, B, C), left_out=(D,))
    assert after(ASKED, ANSWERED, none, none).dormant == {"Group 1": (A, B)}
    again = BatchAnalyzed(batch="b", groups={"Group 1": (B, C)})
    assert after(ASKED, ANSWERED, none, again).dormant == {}


def test_a_ranking_holds_while_its_group_does() -> None:
    base = (ASKED, ANSWERED, ranked(B, A))
    assert list(after(*base).rankings) == ["Group 1"]
    assert list(after(*base, change(added=(E,))).rankings) == ["Group 1"], "the newcomer is in no group yet"
    assert list(after(*base, ASKED, ANSWERED).rankings) == ["Group 1"], "the same photos"
    for later in (
        change(removed=(A,)),
        LabelBatch(batch="b", labels={"Group 1": (C,)}),
        LabelBatch(batch="b", labels={"Cats": (A,)}),
        BatchAnalyzed(batch="b", groups={"Group 1": (A, B, C)}),
        BatchAnalyzed(batch="b", groups={"Group 2": (A, B)}),
    ):
        assert after(*base, later).rankings == {}, later


def test_a_ranking_that_ended_does_not_come_back() -> None:
    state = after(ASKED, ANSWERED, ranked(A, B), change(removed=(A,)), change(added=(A,)))
    assert groups_of(state)["Group 1"] == (B, A)
    assert state.rankings == {}


def test_a_ranking_of_photos_that_are_not_the_group_says_nothing() -> None:
    assert after(ASKED, ANSWERED, ranked(A)).rankings == {}
    assert after(ranked(A, B, label="nowhere")).rankings == {}
