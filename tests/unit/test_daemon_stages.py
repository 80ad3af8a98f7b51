"""Stages, what holds them, how fast they go, and orders that are worked on between batches."""

import threading
from types import SimpleNamespace

import pytest

from pixsortd.api.ports import QueueReport, StageName
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.pipeline.course import Course
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.orders import Order, Orders
from pixsortd.daemon.pipeline.rates import DAY_MINUTES, Rate, Throughput
from pixsortd.daemon.pipeline.stages import Stages
from pixsortd.errors import Conflict, WorkerFailed
from pixsortd.records import (
    Ability,
    AbilityState,
    Analysis,
    FileRow,
    FileState,
    Found,
    Job,
    JobState,
    Lot,
    Reason,
    Refused,
    RootRecord,
    RootState,
)
from tests.harness import wait_until
from tests.unit.index_material import ROOT, content, stamp


class Memory(dict):
    """A place for notes."""

    meta_get = dict.get

    def meta_set(self, name: str, value: bytes) -> None:
        self[name] = value


class Clock:
    """A time that only moves when told."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


# --- rates -------------------------------------------------------------------------------------------


def test_a_rate_counts_the_last_minute_and_ends_at_nothing():
    clock = Clock()
    rate = Rate(clock)
    assert rate.per_second() == 0.0
    rate.add(10)
    clock.now = 20.0
    rate.add(10)
    assert rate.per_second() == 1.0
    clock.now = 79.0
    assert rate.per_second() == pytest.approx(10 / 59)
    clock.now = 81.0
    assert rate.per_second() == 0.0


def test_a_rate_of_bursts_is_spread_over_the_minute():
    rate = Rate(Clock(), bursts=True)
    rate.add(600)
    assert rate.per_second() == 10.0


def test_throughput_keeps_a_day_without_empty_minutes():
    clock = Clock(1_000_020.0)
    throughput = Throughput(clock)
    throughput.add(0)
    assert throughput.points() == ()
    throughput.add(3)
    throughput.add(4)
    clock.now += 180.0
    throughput.add(5)
    assert [(point.at, point.count) for point in throughput.points()] == [(1_000_020.0, 7), (1_000_200.0, 5)]
    clock.now -= 3600.0
    throughput.add(1)
    assert [point.count for point in throughput.points()] == [7, 6]
    clock.now = 1_000_020.0 + DAY_MINUTES * 60.0
    assert [point.count for point in throughput.points()] == [6]


# --- holds and stages --------------------------------------------------------------------------------


def test_what_is_held_stays_held_across_a_restart():
    memory = Memory()
    holds = Holds(memory)
    assert holds.set(StageName.ANALYZE, True)
    assert not holds.set(StageName.ANALYZE, True)
    again = Holds(memory)
    assert StageName.ANALYZE in again
    assert again.reason(StageName.ANALYZE).code == "paused-analyze"
    assert again.reason(StageName.SCORE) is None
    again.set(StageName.ANALYZE, False)
    assert StageName.ANALYZE not in Holds(memory)


def test_a_note_of_another_version_holds_nothing_it_cannot_name():
    assert StageName.SETTLE not in Holds(Memory(held_stages=b'["settle", "dream"]'))


class Setting:
    """Stages over parts that stand still."""

    def __init__(self) -> None:
        self.told = 0
        self.woken = 0
        self.resumed = 0
        self.holds = Holds(Memory())
        self.clock = Clock()
        self.line = SimpleNamespace(
            backfill=8,
            ordered=2,
            unscored=0,
            lane=StageName.SCORE,
            trouble=None,
            course=Course(self.clock),
            wake=lambda: setattr(self, "woken", self.woken + 1),
        )
        groups = SimpleNamespace(
            grouped=Rate(self.clock),
            unconsidered=lambda: 30,
            resume=lambda: setattr(self, "resumed", self.resumed + 1),
        )
        self.root = RootRecord(id=ROOT, path=b"/photos", state=RootState.ONLINE, last_scan=1.0)
        lot = Lot(suffix=b".jpg", magnitude=10, files=53, bytes=53_000)
        figures = SimpleNamespace(
            waiting=lambda: QueueReport(settling=3, ready=50), lots=lambda roots: [lot] if ROOT in roots else []
        )
        self.stages = Stages(
            self.holds, figures, self.line, groups, lambda: [self.root], lambda: setattr(self, "told", self.told + 1)
        )

    def work(self, stage: StageName, files: int, seconds: float) -> None:
        """The line does equal files of that stage, a second's batch after the other."""
        self.line.course.begin(stage, cold=False)
        for _ in range(round(seconds)):
            self.clock.now += 1.0
            row = FileRow(root=ROOT, path=b"a.jpg", state=FileState.PENDING, stamp=stamp(1))
            done = Analysis(id=0, sha256=content(b"a"), seconds={"decode": 0.01})
            self.line.course.done([(row, done)] * round(files / seconds))
        self.line.course.halt()

    def report(self, name: StageName):
        return next(report for report in self.stages.reports() if report.name is name)


@pytest.fixture
def setting():
    return Setting()


def etas(setting):
    return [report.eta for report in setting.stages.reports()]


def test_stages_come_in_order_with_depth_rate_and_an_honest_eta(setting):
    assert [report.name for report in setting.stages.reports()] == list(StageName)
    assert [report.depth for report in setting.stages.reports()] == [3, 50, 10, 30]
    assert etas(setting) == [None] * 4
    setting.work(StageName.ANALYZE, 20, 10)
    analyze = setting.report(StageName.ANALYZE)
    assert (analyze.rate, analyze.eta, analyze.bytes) == (2.0, 26.5, 53_000)
    assert etas(setting)[2] is None, "nothing was scored yet"
    setting.work(StageName.SCORE, 10, 10)
    assert etas(setting)[2] == 36.5, "it comes after the analysis"
    setting.stages.pause(StageName.SCORE, True)
    assert etas(setting) == [None, 26.5, None, None]
    setting.stages.pause(StageName.SCORE, False)
    setting.stages.pause(StageName.ANALYZE, True)
    assert etas(setting) == [None] * 4


def test_no_time_left_is_told_while_the_line_stands(setting):
    setting.work(StageName.ANALYZE, 20, 10)
    setting.line.trouble = Reason(code="full", message="no space")
    assert etas(setting) == [None] * 4


def test_the_first_walk_makes_it_the_least_and_an_absent_root_is_left_out(setting):
    setting.work(StageName.ANALYZE, 20, 10)
    assert not setting.report(StageName.ANALYZE).growing
    setting.root = RootRecord(id=ROOT, path=b"/photos", state=RootState.ONLINE)
    assert setting.report(StageName.ANALYZE).growing
    setting.root = RootRecord(id=ROOT, path=b"/photos", state=RootState.AWAY)
    analyze = setting.report(StageName.ANALYZE)
    assert (analyze.growing, analyze.away, analyze.depth, analyze.eta) == (False, 50, 50, None)


def test_pausing_is_told_once_and_resuming_goes_on(setting):
    setting.stages.pause(StageName.GROUP, True)
    setting.stages.pause(StageName.GROUP, True)
    assert (setting.told, setting.resumed) == (1, 0)
    assert setting.report(StageName.GROUP).paused
    assert [reason.code for reason in setting.stages.notices()] == ["paused-group"]
    reports = setting.stages.pause(StageName.GROUP, False)
    assert not any(report.paused for report in reports)
    assert (setting.told, setting.resumed) == (2, 1)
    setting.stages.pause(StageName.SCORE, True)
    setting.stages.pause(StageName.SCORE, False)
    assert setting.woken == 1
    assert list(setting.stages.notices()) == []


def test_settling_cannot_be_held(setting):
    assert not setting.report(StageName.SETTLE).can_pause
    with pytest.raises(Conflict) as caught:
        setting.stages.pause(StageName.SETTLE, True)
    assert "analyze, score, group" in caught.value.next_step


def test_each_stage_remembers_its_last_trouble(setting):
    bad, worse = Reason(code="unreadable", message="no"), Reason(code="decode-failed", message="broken")
    setting.stages.files_changed(
        [Refused(path=b"x", reason=bad), Found(path=b"a", stamp=stamp(1), settled=True), Refused(path=b"y", reason=bad)]
    )
    assert setting.report(StageName.SETTLE).error == bad
    assert setting.report(StageName.SETTLE).rate > 0
    assert setting.told == 1
    setting.line.lane = StageName.ANALYZE
    setting.stages.line_trouble(bad)
    setting.stages.line_trouble(worse)
    assert setting.report(StageName.ANALYZE).error == worse
    assert setting.report(StageName.ANALYZE).error_at > 0
    missing = Ability(kind="metric", name="musiq", state=AbilityState.UNAVAILABLE, reason=bad)
    ready = Ability(kind="space", name="clip", state=AbilityState.READY)
    setting.stages.abilities_changed([missing, ready])
    assert setting.report(StageName.SCORE).error.message == "metric musiq: no"
    setting.stages.job_failed(Job(id="1", kind="recluster", state=JobState.FAILED, error="out of memory"))
    setting.stages.job_failed(Job(id="2", kind="backup", state=JobState.FAILED, error="disk full"))
    assert setting.report(StageName.GROUP).error == Reason(code="recluster-failed", message="out of memory")


def test_stages_are_read_by_prometheus(setting):
    setting.stages.pause(StageName.SCORE, True)
    readings = {(r.name, r.labels["stage"]): r.value for r in setting.stages.readings()}
    assert readings["stage_depth", "analyze"] == 50
    assert [readings["stage_paused", stage.value] for stage in StageName] == [0, 0, 1, 0]
    assert ("stage_eta_seconds", "analyze") not in readings
    setting.work(StageName.ANALYZE, 20, 10)
    readings = {(r.name, r.labels["stage"]): r.value for r in setting.stages.readings()}
    assert (readings["stage_rate", "analyze"], readings["stage_eta_seconds", "analyze"]) == (2.0, 26.5)
    assert readings["stage_waiting_bytes", "analyze"] == 53_000


# --- orders ------------------------------------------------------------------------------------------


def ordered(contents, metrics=("niqe",), again=False):
    said, ended = [], []
    order = Order(contents, metrics, again, lambda o: said.append((o.done, o.total)), ended.append)
    return order, said, ended


def test_orders_take_turns_so_that_a_short_one_does_not_wait_for_a_long_one():
    orders = Orders()
    long, *_ = ordered([bytes([n]) for n in range(5)])
    short, *_ = ordered([b"x"])
    orders.add(long)
    orders.add(short)
    assert orders.depth == 6
    taken = []
    while (batch := orders.take(2)) is not None:
        taken.append((batch[0], len(batch[1])))
    assert taken == [(long, 2), (short, 1), (long, 2), (long, 1)]
    assert orders.depth == 0


def test_an_order_tells_how_far_it_is_and_ends_once():
    order, said, ended = ordered([b"a", b"b", b"b", b"c"])
    assert order.total == 3
    order.take(2)
    order.out_of_reach(1)
    order.committed(1)
    order.processed(1)
    assert (said, ended) == ([(1, 3), (2, 3)], [])
    order.take(2)
    order.processed(1)
    assert ended == [order]
    assert (order.done, order.scored, order.away, order.problem) == (3, 1, 1, None)


def test_a_withdrawn_order_ends_without_a_word():
    orders = Orders()
    order, said, ended = ordered([b"a", b"b"])
    orders.add(order)
    orders.take(1)
    orders.withdraw(order)
    order.processed(1)
    order.give_up(Reason(code="x", message="x"))
    assert (orders.take(1), said, ended) == (None, [], [])


def test_an_order_wants_what_is_offered_and_missing_or_everything_again():
    order, *_ = ordered([b"a"], ("niqe", "piqe", "musiq"))
    assert order.wants(("piqe", "brisque", "niqe"), {"niqe"}) == ("piqe",)
    again, *_ = ordered([b"a"], ("niqe",), again=True)
    assert again.wants(("piqe", "niqe"), {"niqe"}) == ("niqe",)
    assert b"a" in order
    assert b"b" not in order


# --- tracked jobs ------------------------------------------------------------------------------------


@pytest.fixture
def jobs():
    thread = Jobs(lambda _: None, beat=lambda: None, beat_every=None)
    thread.start()
    yield thread
    thread.stop(5)


def test_a_tracked_job_keeps_no_other_job_waiting_and_ends_as_it_is_told(jobs):
    held = []
    job = jobs.track("quality", lambda tracked: held.append(tracked) or (lambda: None), "s")
    assert job.state is JobState.RUNNING
    assert jobs.track("quality", lambda _: pytest.fail("begun twice"), "s").id == job.id
    other = jobs.submit("recluster", lambda _: None)
    wait_until(lambda: jobs.get(other.id).state is JobState.COMPLETE, 5)
    held[0].progress(1, 2, "half")
    assert (jobs.get(job.id).done, jobs.get(job.id).detail) == (1, "half")
    held[0].conclude(lambda: {"scored": 2})
    held[0].progress(0, 9)
    ended = jobs.get(job.id)
    assert (ended.state, ended.done, ended.total, ended.result) == (JobState.COMPLETE, 2, 2, {"scored": 2})


def test_a_tracked_job_that_is_cancelled_takes_its_work_back(jobs):
    back, held = threading.Event(), []
    job = jobs.track("quality", lambda tracked: held.append(tracked) or back.set)
    assert jobs.cancel(job.id).state is JobState.CANCELLED
    assert back.is_set()
    held[0].conclude(lambda: {"scored": 1})
    assert jobs.get(job.id).state is JobState.CANCELLED
    with pytest.raises(Conflict):
        jobs.cancel(job.id)


def test_a_tracked_job_whose_last_step_fails_says_why(jobs):
    def fails():
        raise WorkerFailed("no worker", next_step="See the log.")

    held = []
    job = jobs.track("quality", lambda tracked: held.append(tracked) or (lambda: None))
    held[0].conclude(fails)
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == (JobState.FAILED, "no worker See the log.")
