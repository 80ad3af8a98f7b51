"""Scores compared with the library's, reports, rankings, and the jobs that compute what is missing."""

import math
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.api.ports import COMPOSITE, StageName
from pixsortd.config import ScoreSettings, Settings
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.quality import DaemonQuality, distributions
from pixsortd.daemon.quality.distributions import Distributions, Spread, histogram
from pixsortd.errors import InvalidRequest, NotFound
from pixsortd.records import Ability, AbilityState, Gone, Group, JobState, Membership, MetricInfo, Reason, Score
from tests.unit.index_material import NIQE, ROOT, analysis, content, drop, opened

MUSIQ = MetricInfo(name="musiq", lower_better=False, low=0, high=100, version="1")
OLD = MetricInfo(name="niqe", lower_better=True, version="0")
WHY = Reason(code="weights-missing", message="not here", next_step="pull them")


class Room:
    """A quality room over a store, whose line takes orders and does nothing by itself."""

    def __init__(self, store, *, metrics=("niqe", "musiq"), weights=None) -> None:
        self.store = store
        self.orders = []
        self.holds = Holds(store)
        self.online = {ROOT}
        self.settings = Settings(score=ScoreSettings(metrics=metrics, composite=weights or {}))
        self.jobs = Jobs(lambda _: None, beat=lambda: None, beat_every=None)
        line = SimpleNamespace(order=self.orders.append, withdraw=lambda order: setattr(order, "withdrawn", True))
        self.quality = DaemonQuality(
            lambda: self.settings,
            store,
            self.jobs,
            line,
            self.holds,
            online=lambda: self.online,
            abilities=lambda: store.abilities(),
        )

    def ready(self, *metrics: MetricInfo) -> None:
        for metric in metrics:
            ability = Ability(kind="metric", name=metric.name, state=AbilityState.READY, metric=metric)
            self.store.save_ability(ability)

    def unavailable(self, name: str) -> None:
        self.store.save_ability(Ability(kind="metric", name=name, state=AbilityState.UNAVAILABLE, reason=WHY))

    def photo(self, name: bytes, *scores: tuple[MetricInfo, float], taken: float = 1.0, start: int = 1) -> bytes:
        row = drop(self.store, name, start=start)[0]
        found = analysis(content(name), taken=taken, niqe=None)
        given_scores = tuple(Score(metric=metric, value=value) for metric, value in scores)
        self.store.commit([(row, msgspec.structs.replace(found, scores=given_scores))])
        return content(name)


@pytest.fixture
def room(tmp_path):
    with opened(tmp_path / "index") as store:
        room = Room(store)
        room.ready(NIQE, MUSIQ)
        yield room


@pytest.fixture
def three(room):
    """NIQE says a is best, MUSIQ says c is."""
    return [
        room.photo(b"a", (NIQE, 2.0), (MUSIQ, 30.0), start=1),
        room.photo(b"b", (NIQE, 4.0), (MUSIQ, 50.0), start=2),
        room.photo(b"c", (NIQE, 6.0), (MUSIQ, 70.0), start=3),
    ]


# --- reports -----------------------------------------------------------------------------------------


def test_a_report_compares_each_score_with_the_library_in_its_own_direction(room, three):
    report = room.quality.report(three[0], None, compute=False, again=False)
    found = {item.score.metric.name: (item.score.value, round(item.library, 1), item.group) for item in report.items}
    assert found == {"niqe": (2.0, 100.0, None), "musiq": (30.0, 33.3, None)}
    assert report.composite.value == pytest.approx((100 + 100 / 3) / 2)
    assert [part.weight for part in report.composite.parts] == [0.5, 0.5]
    assert (report.missing, report.job) == ((), None)


def test_a_report_compares_within_the_group(room, three):
    members = {sha256: Membership(group="g", strength=1.0, how="clustered") for sha256 in three[1:]}
    room.store.regroup(members.items(), [Group(id="g", size=0)])
    report = room.quality.report(three[1], "niqe", compute=False, again=False)
    assert [(item.score.metric.name, item.group) for item in report.items] == [("niqe", 100.0)]
    assert room.quality.report(three[0], "niqe", False, False).items[0].group is None


def test_scores_of_another_version_do_not_compare_and_count_as_missing(room, three):
    old = room.photo(b"d", (OLD, 1.0), start=9)
    report = room.quality.report(old, "niqe", compute=True, again=False)
    assert report.items == ()
    assert [(missing.metric, missing.reason) for missing in report.missing] == [("niqe", None)]
    assert report.job.total == 1
    assert room.quality.report(three[0], "niqe", False, False).items[0].library == 100.0


def test_a_metric_without_an_answer_is_not_asked_again_unless_told_to(room):
    one = room.photo(b"a", (NIQE, math.nan), (MUSIQ, 1.0))
    report = room.quality.report(one, None, compute=True, again=False)
    assert [(missing.metric, missing.reason.code) for missing in report.missing] == [("niqe", "no-answer")]
    assert report.job is None
    assert room.quality.report(one, None, compute=False, again=True).job is not None


def test_what_is_missing_says_why(room):
    room.unavailable("musiq")
    one = room.photo(b"a")
    report = room.quality.report(one, None, compute=True, again=False)
    assert [(missing.metric, missing.reason) for missing in report.missing] == [("niqe", None), ("musiq", WHY)]
    assert room.orders[0].metrics == {"niqe"}
    room.online.clear()
    report = room.quality.report(one, "niqe", compute=True, again=False)
    assert (report.missing[0].reason.code, report.job) == ("away", None)
    room.online.add(ROOT)
    room.holds.set(StageName.SCORE, True)
    report = room.quality.report(one, "niqe", compute=True, again=False)
    assert (report.missing[0].reason.code, report.job) == ("paused-score", None)


def test_unknown_photos_and_metrics_are_refused(room, three):
    with pytest.raises(NotFound):
        room.quality.compute([three[0], content(b"nobody")], None, False)
    with pytest.raises(InvalidRequest) as caught:
        room.quality.report(three[0], "liqe", False, False)
    assert "add it to score.metrics" in caught.value.next_step
    with pytest.raises(InvalidRequest):
        room.quality.rank_of(three, "liqe")
    with pytest.raises(NotFound):
        room.quality.rank("nobody", "niqe")


def test_a_photo_that_lost_its_last_file_counts_no_more(room, three):
    room.store.record(ROOT, [Gone(path=b"a", reason=Reason(code="gone", message="gone"))])
    assert room.quality.report(three[1], "niqe", False, False).items[0].library == 100.0
    with pytest.raises(NotFound):
        room.quality.report(three[0], None, False, False)


# --- rankings ----------------------------------------------------------------------------------------


def test_rankings_follow_each_metrics_direction_and_put_unknown_photos_last(room, three):
    nobody = content(b"nobody")
    niqe = room.quality.rank_of([nobody, *three], "niqe")
    assert [(item.id, item.rank) for item in niqe.items] == [
        (three[0], 1),
        (three[1], 2),
        (three[2], 3),
        (nobody, None),
    ]
    assert (niqe.lower_better, niqe.job) == (True, None)
    musiq = room.quality.rank_of(three, "musiq")
    assert [item.id for item in musiq.items] == three[::-1]
    assert not musiq.lower_better


def test_the_composite_ranks_like_a_metric_of_which_more_is_better(tmp_path, room, three):
    room.settings = Settings(score=ScoreSettings(metrics=("niqe", "musiq"), composite={"niqe": 3.0, "musiq": 1.0}))
    ranking = room.quality.rank_of(three, COMPOSITE)
    assert [item.id for item in ranking.items] == three
    assert ranking.items[0].value == pytest.approx((3 * 100 + 100 / 3) / 4)
    assert not ranking.lower_better
    report = room.quality.report(three[0], COMPOSITE, False, False)
    assert {item.score.metric.name for item in report.items} == {"niqe", "musiq"}


def test_a_library_group_is_ranked_by_what_is_stored_and_a_job_computes_the_rest(room, three):
    bare = room.photo(b"d", start=9)
    members = {sha256: Membership(group="g", strength=1.0, how="clustered") for sha256 in [*three, bare]}
    room.store.regroup(members.items(), [Group(id="g", size=0)])
    ranking = room.quality.rank("g", "niqe")
    assert [item.id for item in ranking.items] == [*three, bare]
    assert (ranking.job.kind, ranking.job.total) == ("quality", 1)
    assert (room.orders[0].metrics, bare in room.orders[0]) == ({"niqe"}, True)
    assert room.quality.rank("g", COMPOSITE).job.id != ranking.job.id
    assert room.orders[1].metrics == {"niqe", "musiq"}


# --- jobs --------------------------------------------------------------------------------------------


def test_the_same_question_is_one_job_and_one_with_a_sequel_is_its_own(room):
    one = room.photo(b"a")
    first = room.quality.compute_job([one], ["niqe"], False)
    assert room.quality.compute_job([one], ["niqe"], False).id == first.id
    assert room.quality.compute_job([one], ["niqe", "musiq"], False).id != first.id
    assert room.quality.compute_job([one], ["niqe"], False, lambda: None).id != first.id
    assert len(room.orders) == 3


def test_a_job_reports_what_was_done_and_calls_its_sequel(room):
    room.unavailable("musiq")
    one, two, away = room.photo(b"a", start=1), room.photo(b"b", start=2), room.photo(b"c", start=3)
    called = []
    job = room.quality.compute_job([one, two, away], [COMPOSITE], False, lambda: called.append(room.orders))
    order = room.orders[0]
    order.take(3)
    order.out_of_reach(1)
    order.committed(2)
    order.processed(2)
    ended = room.jobs.get(job.id)
    assert (ended.state, len(called)) == (JobState.COMPLETE, 1)
    assert ended.result == {"photos": 3, "scored": 2, "away": 1}


def test_a_job_names_the_metric_that_turned_out_to_be_unavailable(room):
    job = room.quality.compute_job([room.photo(b"a")], ["niqe"], False)
    room.unavailable("niqe")
    room.orders[0].give_up()
    assert room.jobs.get(job.id).result == {"photos": 1, "scored": 0, "away": 0, "unavailable": "niqe"}


def test_a_job_that_is_given_up_fails_with_the_reason_and_without_its_sequel(room):
    job = room.quality.compute_job([room.photo(b"a")], ["niqe"], False, lambda: pytest.fail("called"))
    room.orders[0].give_up(Reason(code="worker-failed", message="no worker", next_step="See the log."))
    ended = room.jobs.get(job.id)
    assert (ended.state, ended.error) == (JobState.FAILED, "no worker See the log.")


def test_a_cancelled_job_is_taken_out_of_the_line(room):
    job = room.quality.compute_job([room.photo(b"a")], ["niqe"], False)
    assert room.jobs.cancel(job.id).state is JobState.CANCELLED
    assert room.orders[0].withdrawn


# --- distributions -----------------------------------------------------------------------------------


class SlowClock:
    """Each reading of the library takes ``step`` seconds."""

    def __init__(self) -> None:
        self.now, self.step = 0.0, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_the_library_is_read_again_when_it_changed_and_has_rested(room, three, monkeypatch):
    monkeypatch.setattr(distributions, "SLICE", 2)
    clock = SlowClock()
    clock.step = 0.1
    library = Distributions(room.store, clock)
    assert list(library.spreads()["niqe"].rising) == [2.0, 4.0, 6.0]
    clock.step = 0.0
    room.photo(b"d", (NIQE, 1.0), start=9)
    assert len(library.spreads()["niqe"].rising) == 3
    clock.now += 3.0
    assert list(library.spreads()["niqe"].rising) == [1.0, 2.0, 4.0, 6.0]


def test_a_metric_that_is_new_is_waited_for(room, three):
    clock = SlowClock()
    clock.step = 1000.0
    library = Distributions(room.store, clock)
    library.spreads()
    clock.step = 0.0
    other = MetricInfo(name="piqe", lower_better=True, version="1")
    room.ready(other)
    room.photo(b"d", (other, 5.0), start=9)
    assert "piqe" not in library.spreads()
    assert len(library.spreads({other})["piqe"].rising) == 1


def test_without_a_present_version_the_one_with_most_values_counts(tmp_path):
    with opened(tmp_path / "index") as store:
        room = Room(store)
        for number, info in enumerate((OLD, NIQE, NIQE)):
            room.photo(bytes([number]), (info, float(number)), start=number + 1)
        library = Distributions(store)
        assert list(library.spreads()["niqe"].rising) == [1.0, 2.0]


def test_histograms_have_round_edges_and_lose_no_value(room, three):
    found = room.quality.distributions()
    assert [(plot.metric.name, plot.count, plot.median) for plot in found] == [("musiq", 3, 50.0), ("niqe", 3, 4.0)]
    assert all(sum(plot.counts) == plot.count for plot in found)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_a_histogram_counts_everything_once_between_rising_edges(values):
    plot = histogram(Spread(metric=NIQE, rising=np.sort(np.array(values))))
    assert sum(plot.counts) == plot.count == len(values)
    assert len(plot.edges) == len(plot.counts) + 1
    assert all(low < high for low, high in zip(plot.edges, plot.edges[1:], strict=False))
    assert len(plot.counts) <= 42


def test_a_few_outliers_do_not_flatten_a_histogram():
    values = np.sort(np.concatenate([np.random.default_rng(0).normal(5, 1, 1000), [9000.0]]))
    plot = histogram(Spread(metric=NIQE, rising=values))
    assert plot.edges[-1] < 20
    assert sum(plot.counts) == 1001
