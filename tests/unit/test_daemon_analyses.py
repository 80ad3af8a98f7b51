"""Analyses of batches as jobs: what becomes of one that fails, is cancelled, replaced, or cut short."""

import threading
from array import array
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from pixsortd.config import Settings
from pixsortd.daemon.batches import Analyses, analyses
from pixsortd.daemon.clustering import Fill
from pixsortd.daemon.jobs import Cancelled, Jobs, Progress
from pixsortd.decisions import BatchState, Decisions
from pixsortd.decisions.batches import groups_of
from pixsortd.errors import GroupingFailed, StateDirectoryError
from pixsortd.grouping.request import FoundGroup, Reply, Request
from pixsortd.records import BatchParameters, CreateBatch, Job, JobState, LabelBatch
from tests.harness import wait_until
from tests.unit.index_material import SPACE, content, index, opened

NAMES = [b"%d" % i for i in range(6)]
MEMBERS = tuple(content(name) for name in NAMES)
ROWS = {sha256: row for row, sha256 in enumerate(sorted(MEMBERS))}
TWO, THREE = BatchParameters(min_cluster_size=2), BatchParameters(min_cluster_size=3)


def reply(**groups: tuple[bytes, ...]) -> Reply:
    """What the analyst answers."""
    return Reply(
        groups=tuple(
            FoundGroup(
                id=label.replace("_", " "),
                rows=array("i", (ROWS[sha256] for sha256 in members)).tobytes(),
                strengths=b"",
                nearest=b"",
                similarities=b"",
                exemplars=members[:1],
                floor=0.0,
                cohesion=1.0,
            )
            for label, members in groups.items()
        )
    )


class Stage:
    """Analyses of a batch ``b`` of six photos over a real job thread; ``analyst`` stands for the process."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, store: object) -> None:
        self.told: list[str] = []
        self.analyst: Callable[[Progress], Reply] = lambda _: reply(g1=MEMBERS[:4])
        self.decisions = Decisions.open(home / "decisions")
        if "b" not in self.decisions.batches():
            self.decisions.append(CreateBatch(batch="b", name="Trip", members=MEMBERS, at=1.0))
        self.jobs = Jobs(self._changed, lambda: None, None)
        spaces = SimpleNamespace(active=lambda: SPACE)
        self.analyses = Analyses(Settings, store, spaces, self.decisions, self.jobs, home / "scratch", self.told.append)
        self.asked: list[Request] = []

        def clustered(
            _: Path, fill: Fill, asked: Callable[[str, bytes], Request], progress: Progress
        ) -> tuple[bytes, Reply]:
            contents = fill(BytesIO())
            self.asked.append(asked("vectors.npy", contents))
            return contents, self.analyst(progress)

        monkeypatch.setattr(analyses, "clustered", clustered)
        self.jobs.start()

    def _changed(self, job: Job) -> None:
        self.analyses.heed(job)

    @property
    def batch(self) -> BatchState:
        return self.decisions.batches()["b"]

    def over(self, job: Job) -> Job:
        """The job once it has ended."""
        return wait_until(lambda: (now := self.jobs.get(job.id)).ended and now, 20, 0.01)

    def run(self, parameters: BatchParameters = TWO) -> Job:
        return self.over(self.analyses.ask("b", parameters))

    def close(self) -> None:
        self.analyses.close()
        self.jobs.stop(10)
        self.decisions.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Stage]]:
    """Start a stage; every further one is the daemon started again."""
    stages: list[Stage] = []
    with opened(tmp_path / "index") as store:
        index(store, *NAMES)

        def begin() -> Stage:
            if stages:
                stages[-1].close()
            stages.append(Stage(tmp_path, monkeypatch, store))
            return stages[-1]

        yield begin
        stages[-1].close()


@pytest.fixture
def stage(start: Callable[[], Stage]) -> Stage:
    return start()


def until_cancelled(began: threading.Event) -> Callable[[Progress], Reply]:
    """An analyst that never ends by itself."""

    def analyst(progress: Progress) -> Reply:
        began.set()
        wait_until(progress.cancelled, 20, 0.01)
        raise Cancelled

    return analyst


def test_an_answer_is_recorded_with_labels_of_its_own(stage: Stage) -> None:
    job = stage.run()
    assert (job.state, job.kind, job.result) == (JobState.COMPLETE, "batch", {"groups": 1, "grouped": 4, "left_out": 0})
    assert groups_of(stage.batch) == {"Group 1": tuple(MEMBERS[:4]), "Ungrouped": tuple(MEMBERS[4:])}
    assert set(stage.told) == {"b"}
    assert stage.analyses.job_of("b") is None
    stage.analyst = lambda _: reply(g1=MEMBERS[4:], Group_1=MEMBERS[:2])
    stage.run()
    assert set(array("i", stage.asked[-1].previous["Group 1"])) == {ROWS[sha256] for sha256 in MEMBERS[:4]}
    assert {label: set(members) for label, members in groups_of(stage.batch).items()} == {
        "Group 1": set(MEMBERS[:2]),
        "Group 2": set(MEMBERS[4:]),
        "Ungrouped": set(MEMBERS[2:4]),
    }


def test_a_failure_says_why_and_leaves_the_groups(stage: Stage) -> None:
    stage.run()

    def fails(_: Progress) -> Reply:
        raise GroupingFailed("no memory\nTraceback ...", next_step="Buy some.")

    stage.analyst = fails
    job = stage.run()
    assert job.state is JobState.FAILED
    assert stage.batch.error == "no memory Buy some."
    assert len(groups_of(stage.batch)["Group 1"]) == 4
    assert not stage.batch.asked

    def breaks(_: Progress) -> Reply:
        raise ValueError("odd")

    stage.analyst = breaks
    stage.run()
    assert stage.batch.error == "ValueError: odd"


def test_a_label_given_while_it_runs_is_not_given_twice(stage: Stage) -> None:
    def analyst(_: Progress) -> Reply:
        stage.decisions.append(LabelBatch(batch="b", labels={"Group 1": (MEMBERS[5],)}))
        return reply(g1=MEMBERS[:4])

    stage.analyst = analyst
    stage.run()
    assert {label: len(members) for label, members in groups_of(stage.batch).items()} == {
        "Group 2": 4,
        "Ungrouped": 1,
        "Group 1": 1,
    }


def test_a_cancelled_one_is_not_run_at_the_next_start(start: Callable[[], Stage]) -> None:
    stage, began = start(), threading.Event()
    stage.analyst = until_cancelled(began)
    job = stage.analyses.ask("b", TWO)
    assert began.wait(20)
    assert stage.analyses.ask("b", TWO).id == job.id, "the one that runs"
    stage.jobs.cancel(job.id)
    assert stage.over(job).state is JobState.CANCELLED
    wait_until(lambda: not stage.batch.asked, 20, 0.01)
    assert stage.analyses.job_of("b") is None
    again = start()
    again.analyses.resume()
    assert again.jobs.list() == []


def test_one_cancelled_before_it_began_is_cancelled_too(stage: Stage) -> None:
    began, release = threading.Event(), threading.Event()

    def other(_: Progress) -> None:
        began.set()
        release.wait(20)

    stage.jobs.submit("other", other)
    assert began.wait(20)
    job = stage.analyses.ask("b", TWO)
    assert stage.analyses.job_of("b") == job
    stage.jobs.cancel(job.id)
    assert not stage.batch.asked
    release.set()
    assert not stage.asked


def test_other_parameters_take_its_place(stage: Stage) -> None:
    began = threading.Event()
    stage.analyst = until_cancelled(began)
    first = stage.analyses.ask("b", TWO)
    assert began.wait(20)
    stage.analyst = lambda _: reply(g1=MEMBERS[:3])
    second = stage.run(THREE)
    assert second.state is JobState.COMPLETE
    assert stage.over(first).state is JobState.CANCELLED
    assert stage.batch.analyzed_with == THREE
    assert not stage.batch.asked


def test_an_answer_that_was_called_off_is_not_recorded(stage: Stage) -> None:
    def analyst(_: Progress) -> Reply:
        stage.analyses.call_off("b")
        return reply(g1=MEMBERS[:4])

    stage.analyst = analyst
    assert stage.run().state is JobState.CANCELLED
    assert stage.batch.analysis is None


def test_the_daemons_end_cancels_nothing_for_good(start: Callable[[], Stage]) -> None:
    stage, began = start(), threading.Event()
    stage.analyst = until_cancelled(began)
    stage.analyses.ask("b", THREE)
    assert began.wait(20)
    again = start()
    assert again.batch.asked
    again.analyses.resume()
    wait_until(lambda: again.batch.analysis is not None, 20, 0.01)
    assert again.batch.analyzed_with == THREE


def test_an_answer_that_cannot_be_kept_is_asked_for_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def analyst(_: Progress) -> Reply:
        def full(_: object) -> None:
            raise StateDirectoryError("the disk is full")

        monkeypatch.setattr(stage.decisions, "append", full)
        return reply(g1=MEMBERS[:4])

    stage.analyst = analyst
    job = stage.run()
    assert (job.state, "disk is full" in (job.error or "")) == (JobState.FAILED, True)
    assert stage.batch.asked
    wait_until(lambda: stage.analyses.job_of("b") is None, 20, 0.01)
    assert stage.jobs.is_alive()


def test_too_few_vectors_start_no_process(stage: Stage) -> None:
    job = stage.run(BatchParameters(min_cluster_size=7))
    assert job.state is JobState.COMPLETE
    assert not stage.asked
    assert groups_of(stage.batch) == {"Ungrouped": MEMBERS}
