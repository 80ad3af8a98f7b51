"""The line: orders and files in turn, what is held, and what happens when no worker can be had."""

import threading
from collections.abc import Iterator

import pytest

from pixsortd.api.ports import StageName
from pixsortd.config import ScoreSettings, Settings, WorkerSettings
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.ingest import Ingest
from pixsortd.daemon.pipeline.orders import Order
from pixsortd.errors import IndexFull, WorkerFailed
from pixsortd.records import Ability, AbilityState, Analysis, MetricInfo, Score
from tests.unit.index_material import NIQE, ROOT, SPACE, content, drop, opened
from tests.unit.index_material import analysis as made
from tests.unit.index_material import content as real_content

BRISQUE = MetricInfo(name="brisque", lower_better=True, version="1")


class Worker:
    """Answers at once; each file's content is its path."""

    running = True

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.ahead: list[list[bytes]] = []
        self.computed: list[bytes] = []
        self.broken = False
        self.ready = [NIQE, BRISQUE]
        self.value = 1.0

    def abilities(self) -> tuple[Ability, ...]:
        space = Ability(kind="space", name="builtin", state=AbilityState.READY, space=SPACE)
        metrics = {info.name: info for info in self.ready}
        return (
            space,
            *(
                Ability(
                    kind="metric",
                    name=name,
                    state=AbilityState.READY if name in metrics else AbilityState.UNAVAILABLE,
                    metric=metrics.get(name),
                )
                for name in ("niqe", "brisque")
            ),
        )

    def run(self, items, needs, ahead=()) -> Iterator[Analysis]:
        if self.broken:
            raise WorkerFailed("the worker process cannot be started", next_step="See the log.")
        wishes = needs({item.id: content(item.path) for item in items})
        self.batches.append([item.path for item in items])
        self.ahead.append([item.path for item in ahead])
        for item in items:
            found, wish = made(content(item.path), niqe=None), wishes[item.id]
            self.computed += [found.sha256] * wish.photo
            scores = tuple(Score(metric=info, value=self.value) for info in self.ready if info.name in wish.metrics)
            yield Analysis(
                id=item.id,
                sha256=found.sha256,
                photo=found.photo if wish.photo else None,
                thumbnail=found.thumbnail if wish.photo else None,
                embeddings=found.embeddings if wish.spaces else (),
                scores=scores,
            )

    def survey(self) -> tuple[Ability, ...]:
        return self.abilities()

    def end_if_idle(self, idle) -> None:
        pass

    def stop(self) -> None:
        pass


class Line:
    """An ingest that is stepped by hand."""

    def __init__(self, store) -> None:
        self.store = store
        self.worker = Worker()
        self.holds = Holds(store)
        self.stalls = []
        score = ScoreSettings(metrics=("niqe", "brisque"))
        known = Settings(score=score, worker=WorkerSettings(batch_files=2))
        self.online = {ROOT: b"/photos"}
        self.ingest = Ingest(
            lambda: known,
            store,
            self.worker,
            holds=self.holds,
            root_paths=lambda: self.online,
            on_commit=lambda results, added: None,
            on_trouble=lambda row, reason: None,
            on_stall=self.stalls.append,
            on_idle=lambda: None,
            on_abilities=lambda: None,
            beat=lambda: None,
            beat_every=None,
        )

    def drain(self) -> list[list[bytes]]:
        """Step until nothing is left to do; the batches of these steps."""
        before = len(self.worker.batches)
        while self.ingest._step():
            pass
        return self.worker.batches[before:]

    def order(self, *names: bytes, metrics=("niqe", "brisque"), again=True):
        ended = []
        order = Order([content(name) for name in names], metrics, again, lambda _: None, ended.append)
        self.ingest.order(order)
        return order, ended

    def scores(self, name: bytes) -> dict[str, float]:
        return {score.metric.name: score.value for score in self.store.scores(content(name))}


@pytest.fixture
def line(tmp_path):
    with opened(tmp_path / "index") as store:
        yield Line(store)


def test_orders_and_files_that_wait_take_turns(line):
    drop(line.store, b"a", b"b", b"c", b"d")
    line.drain()
    order, ended = line.order(b"a", b"b", b"c", b"d")
    drop(line.store, b"e", b"f", b"g", b"h", start=10)
    batches = [sorted(batch) for batch in line.drain()[:4]]
    assert sum(batch in ([b"a", b"b"], [b"c", b"d"]) for batch in batches[:2]) == 1
    assert sum(batch in ([b"a", b"b"], [b"c", b"d"]) for batch in batches) == 2
    assert ended == [order]
    assert (order.done, order.scored) == (4, 4)


def test_an_order_again_replaces_what_is_stored_and_one_without_computes_what_is_missing(line):
    drop(line.store, b"a")
    line.worker.ready = [NIQE]
    line.drain()
    line.worker.ready, line.worker.value = [NIQE, BRISQUE], 2.0
    line.order(b"a", again=False)
    line.drain()
    assert line.scores(b"a") == {"niqe": 1.0, "brisque": 2.0}
    line.worker.value = 3.0
    line.order(b"a", metrics=("niqe",))
    line.drain()
    assert line.scores(b"a") == {"niqe": 3.0, "brisque": 2.0}


def test_photos_that_cannot_be_read_are_counted_and_end_the_order(line):
    drop(line.store, b"a")
    line.drain()
    line.online.clear()
    order, ended = line.order(b"a", b"never seen")
    assert line.drain() == []
    assert (ended, order.away, order.problem) == ([order], 2, None)


def test_an_order_for_metrics_that_cannot_be_had_reads_nothing(line):
    line.worker.ready = []
    drop(line.store, b"a")
    line.drain()
    order, ended = line.order(b"a")
    assert line.drain() == []
    assert (ended, order.done) == ([order], 0)


def test_an_order_is_given_up_when_no_worker_can_be_had(line, monkeypatch):
    drop(line.store, b"a")
    line.drain()
    line.worker.broken = True
    order, ended = line.order(b"a")
    monkeypatch.setattr(line.ingest, "_sleep", lambda _: setattr(line.ingest, "_stopping", True))
    line.ingest.run()
    assert (ended, order.problem.code) == ([order], "worker-failed")
    assert [reason.code for reason in line.stalls] == ["worker-failed"]
    assert line.ingest.lane is StageName.SCORE


def test_while_the_analysis_is_held_nothing_is_sent(line):
    drop(line.store, b"a")
    line.holds.set(StageName.ANALYZE, True)
    line.order(b"a")
    assert line.drain() == []
    assert line.ingest.ordered == 1
    line.holds.set(StageName.ANALYZE, False)
    assert line.drain()[0] == [b"a"]


def test_while_the_scoring_is_held_photos_come_in_without_scores(line):
    line.holds.set(StageName.SCORE, True)
    drop(line.store, b"a")
    line.order(b"a")
    line.drain()
    assert (line.scores(b"a"), line.ingest.backfill, line.ingest.ordered) == ({}, 1, 1)
    drop(line.store, b"b", b"c", start=5)
    line.drain()
    assert line.ingest.backfill == 3
    line.holds.set(StageName.SCORE, False)
    line.drain()
    assert all(line.scores(name) == {"niqe": 1.0, "brisque": 1.0} for name in (b"a", b"b", b"c"))
    assert (line.ingest.backfill, line.ingest.ordered) == (0, 0)


def test_a_metric_in_another_version_is_computed_anew_for_every_photo(line):
    drop(line.store, b"a", b"b", b"c")
    line.drain()
    line.worker.ready = [MetricInfo(name="niqe", lower_better=True, version="2"), BRISQUE]
    line.worker.value = 7.0
    line.ingest.survey()
    line.drain()
    assert [line.scores(name)["niqe"] for name in (b"a", b"b", b"c")] == [7.0, 7.0, 7.0]


# --- commits beside the next batch ---------------------------------------------------------------


class Gate:
    """A commit that waits until it is let through."""

    def __init__(self, line: Line, monkeypatch) -> None:
        self.open, self.entered = threading.Event(), threading.Event()
        self.problem: Exception | None = None
        self._commit = line.store.commit
        monkeypatch.setattr(line.store, "commit", self.commit)

    def commit(self, results):
        self.entered.set()
        assert self.open.wait(20)
        if self.problem is not None:
            problem, self.problem = self.problem, None
            raise problem
        return self._commit(results)


@pytest.fixture
def gate(line, monkeypatch):
    gate = Gate(line, monkeypatch)
    yield gate
    gate.open.set()


def test_the_worker_has_its_next_batch_while_the_last_is_committed(line, gate):
    drop(line.store, *(b"%d" % n for n in range(6)))
    assert line.ingest._step()
    assert gate.entered.wait(20)
    assert line.ingest.in_flight == 2
    threading.Timer(0.3, gate.open.set).start()
    assert line.ingest._step()
    first, second = line.worker.batches
    assert not set(first) & set(second)
    # The first batch was told of the second, the second of the third.
    assert line.worker.ahead[0] == second
    line.drain()
    assert [len(batch) for batch in line.worker.batches[:3]] == [2, 2, 2]
    assert line.worker.ahead[1] == line.worker.batches[2]
    assert line.store.counts().photos == 6
    assert line.ingest.in_flight == 0


def test_a_copy_of_what_is_being_committed_is_not_computed_again(line, gate, monkeypatch):
    monkeypatch.setattr("tests.unit.test_daemon_ingest.content", lambda path: real_content(path[1:]))
    drop(line.store, b"1a", b"2b", b"3c", b"4a", b"5b", b"6c")
    threading.Timer(0.2, gate.open.set).start()
    line.drain()
    assert line.store.counts().photos == 3
    assert sorted(line.worker.computed) == sorted({real_content(name) for name in (b"a", b"b", b"c")})


def test_a_commit_that_fails_is_told_and_its_files_come_again(line, gate, monkeypatch):
    gate.open.set()
    gate.problem = IndexFull("no space left", next_step="Make room.")
    drop(line.store, *(b"%d" % n for n in range(4)))
    sleeps = []

    def sleep(seconds):
        sleeps.append(seconds)
        line.ingest._stopping = line.store.counts().photos == 4 or len(sleeps) > 5

    monkeypatch.setattr(line.ingest, "_sleep", sleep)
    line.ingest.run()
    assert [reason.code for reason in line.stalls] == ["index-full"]
    assert line.store.counts().photos == 4
    assert len(line.worker.batches) > 2


def test_a_stopped_line_finishes_the_commit_that_is_under_way(line, gate):
    drop(line.store, b"a")
    line.ingest.start()
    assert gate.entered.wait(20)
    threading.Timer(0.2, gate.open.set).start()
    line.ingest.stop(20)
    assert not line.ingest.is_alive()
    assert line.store.counts().photos == 1
