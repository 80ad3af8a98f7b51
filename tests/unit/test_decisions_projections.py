"""What decisions amount to: the last word on each subject, whatever was said before, and after a restart."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd import logfile
from pixsortd.decisions import Decisions, Projections, last_said
from pixsortd.decisions.projections import Latest
from pixsortd.errors import StateDirectoryError
from pixsortd.records import (
    AnalyzeBatch,
    BatchAnalyzed,
    BatchMetric,
    BatchParameters,
    CancelAnalysis,
    CaptionPhoto,
    ChangeBatch,
    ColourLabel,
    CreateBatch,
    Decision,
    DeleteBatch,
    LabelBatch,
    LabelPhoto,
    NameGroup,
    RankBatch,
    RatePhoto,
    RenameBatch,
)

PHOTOS = [bytes([i]) * 32 for i in range(8)]
photo = st.sampled_from(PHOTOS)
photos = st.lists(photo, max_size=6, unique=True).map(tuple)
batch = st.sampled_from(["b1", "b2"])
label = st.sampled_from(["Group 1", "Group 2", "Cats", "Ungrouped"])
parameters = st.builds(BatchParameters, min_cluster_size=st.integers(2, 4), metric=st.sampled_from(list(BatchMetric)))


@st.composite
def analyses(draw: st.DrawFn) -> BatchAnalyzed:
    """An answer whose groups are disjoint."""
    places = draw(st.dictionaries(photo, label, max_size=8))
    groups: dict[str, tuple[bytes, ...]] = {}
    for sha256, where in places.items():
        groups[where] = (*groups.get(where, ()), sha256)
    return BatchAnalyzed(
        batch=draw(batch),
        groups=groups,
        left_out=tuple(sha256 for sha256 in PHOTOS if sha256 not in places),
        error=draw(st.none() | st.just("the analyst ended")),
        at=draw(st.floats(0, 1e9)),
    )


decisions: st.SearchStrategy[Decision] = st.one_of(
    st.builds(NameGroup, group=st.sampled_from("ab"), name=st.none() | st.text(max_size=5)),
    st.builds(RatePhoto, sha256=photo, stars=st.none() | st.integers(0, 5)),
    st.builds(LabelPhoto, sha256=photo, label=st.none() | st.sampled_from(list(ColourLabel))),
    st.builds(CaptionPhoto, sha256=photo, caption=st.none() | st.text(max_size=9)),
    st.builds(CreateBatch, batch=batch, name=st.text(max_size=5), members=photos, at=st.floats(0, 1e9)),
    st.builds(RenameBatch, batch=batch, name=st.text(max_size=5)),
    st.builds(DeleteBatch, batch=batch, restored=st.booleans()),
    st.builds(ChangeBatch, batch=batch, added=photos, removed=photos),
    st.builds(AnalyzeBatch, batch=batch, parameters=parameters),
    analyses(),
    st.builds(CancelAnalysis, batch=batch),
    st.builds(LabelBatch, batch=batch, labels=st.dictionaries(label, photos, max_size=2), freed=photos),
    st.builds(RankBatch, batch=batch, label=label, metric=st.just("niqe"), order=photos, values=st.just(())),
)


def everything(said: Projections | Decisions) -> tuple[object, ...]:
    """All that the decisions amount to."""
    marks = tuple(dict(part()) for part in (said.ratings, said.labels, said.captions, said.batches))
    return *marks, said.constraints()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(decisions, max_size=15), more=st.lists(decisions, max_size=6))
def test_it_amounts_to_the_same_after_a_restart(tmp_path: Path, first: list[Decision], more: list[Decision]) -> None:
    directory = tmp_path / os.urandom(6).hex()
    held = Decisions.open(directory)
    for decision in first:
        held.append(decision)
    held.append_all(more)
    before = everything(held)
    held.close()
    again = Decisions.open(directory)
    assert everything(again) == before
    assert everything(Projections([*first, *more])) == before
    assert everything(last_said(directory)) == before
    again.close()


@settings(max_examples=60, deadline=None)
@given(said=st.lists(decisions, max_size=20))
def test_a_batch_stays_sound_whatever_is_said(said: list[Decision]) -> None:
    for state in Projections(said).batches().values():
        members = set(state.members)
        assert len(members) == len(state.members)
        assert state.manual.keys() <= members
        assert all(set(ranking.order) <= members for ranking in state.rankings.values())


def test_what_was_handed_out_never_changes() -> None:
    held = Latest[str, int]()
    held.say("a", 1)
    before = held.now()
    held.say("b", 2)
    held.say("a", None)
    assert before == {"a": 1}
    assert held.now() == {"b": 2}


def test_many_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Decisions.open(tmp_path)
    calls: list[str] = []
    real_write, real_sync = os.pwrite, os.fsync

    def write(handle: int, data: bytes, position: int) -> int:
        calls.append("write")
        return real_write(handle, data, position)

    def sync(handle: int) -> None:
        assert not held.ratings(), "nothing counts before it is on disk"
        calls.append("sync")
        real_sync(handle)

    monkeypatch.setattr(logfile.os, "pwrite", write)
    monkeypatch.setattr(logfile.os, "fsync", sync)
    held.append_all([RatePhoto(sha256=i.to_bytes(32, "big"), stars=3) for i in range(500)])
    held.append_all([])
    assert calls == ["write", "sync"]
    assert len(held.ratings()) == 500
    held.close()


def test_a_log_that_is_closed_takes_no_more(tmp_path: Path) -> None:
    held = Decisions.open(tmp_path)
    held.close()
    with pytest.raises(StateDirectoryError):
        held.append(RatePhoto(sha256=PHOTOS[0], stars=1))
    assert not held.ratings()


def test_memory_does_not_grow_with_what_is_superseded() -> None:
    members = tuple(i.to_bytes(32, "big") for i in range(2000))
    said = Projections([CreateBatch(batch="b", name="Trip", members=members)])

    def analysed(turn: int) -> BatchAnalyzed:
        # Contents of its own each time, as they are when they come from the log.
        groups = {f"Group {g}": tuple(bytes(bytearray(one)) for one in members[g::20]) for g in range(20)}
        return BatchAnalyzed(batch="b", groups=groups, at=float(turn))

    tracemalloc.start()
    try:
        said.fold(analysed(0))
        once = tracemalloc.get_traced_memory()[0]
        for turn in range(1, 100):
            said.fold(AnalyzeBatch(batch="b", parameters=BatchParameters(min_samples=turn)))
            said.fold(analysed(turn))
        assert tracemalloc.get_traced_memory()[0] < 1.5 * once
    finally:
        tracemalloc.stop()
