"""Training by a real analyst process, as a job: done, cancelled, killed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pixsortd.config import Settings
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.search import Searcher
from pixsortd.daemon.training import KIND, Trainer
from pixsortd.index.store import Store
from pixsortd.index.vectors import Shape
from pixsortd.records import Job, JobState, Reason
from tests.harness import wait_until
from tests.unit.index_material import SPACE, content, index, opened, vector

COUNT, BORDER = 300, 100


class Stage:
    """A store with photos, a search with a low border, and the thread that runs jobs."""

    def __init__(self, directory: Path, store: Store) -> None:
        self.directory = directory
        self.store = store
        self.searcher = Searcher(Settings, store, directory, border=BORDER)
        (self.vectors,) = self.searcher.open()
        self.seen: list[Job] = []
        self.changed = threading.Event()
        self.jobs = Jobs(self.seen.append, beat=lambda: None, beat_every=None)
        self.trainer = Trainer(Settings, store, self.searcher, self.jobs, directory, self.changed.set)
        self.jobs.start()

    def ended(self) -> Job:
        """The last job of training, once it has ended."""
        return wait_until(lambda: next((job for job in self.jobs.list() if job.kind == KIND and job.ended), None), 60)

    def analyst(self) -> psutil.Process:
        """The process that trains."""

        def found() -> psutil.Process | None:
            children = psutil.Process().children()
            return next((one for one in children if "pixsortd.index.vectors.analyst" in " ".join(one.cmdline())), None)

        return wait_until(found, 30, every=0.005)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with opened(tmp_path / "index") as store:
        index(store, *(b"%d" % i for i in range(COUNT)))
        made = Stage(tmp_path / "index", store)
        yield made
        made.jobs.stop(10)


def left_over(stage: Stage) -> list[str]:
    return [path.name for path in stage.directory.glob("*trained*")]


def test_a_search_that_has_grown_is_trained_once(stage: Stage) -> None:
    before = stage.vectors.search(vector(5), 10)
    stage.trainer.submit_if_due()
    stage.trainer.submit_if_due()
    job = stage.ended()
    assert (job.state, job.result) == (JobState.COMPLETE, {"vectors": COUNT})
    assert [one.detail for one in stage.seen if one.detail], "it says what it does"
    assert stage.vectors.shape.inverted == COUNT
    assert stage.vectors.search(vector(5), 10)[0] == before[0]
    stage.trainer.submit_if_due(idle=True)
    assert len(stage.jobs.list()) == 1
    assert not left_over(stage)
    again = Searcher(Settings, stage.store, stage.directory).open()[0]
    assert (again.origin.kind, again.shape) == ("file", stage.vectors.shape)


def test_a_killed_analyst_leaves_the_search_in_service(stage: Stage) -> None:
    before = stage.vectors.search(vector(5), 10)
    stage.trainer.submit_if_due()
    stage.analyst().kill()
    job = stage.ended()
    assert job.state is JobState.FAILED
    assert "signal 9" in str(job.error)
    assert stage.changed.is_set()
    (notice,) = stage.trainer.notices()
    assert isinstance(notice, Reason)
    assert notice.code == "search-untrained"
    assert stage.vectors.shape == Shape(flat=COUNT)
    assert stage.vectors.search(vector(5), 10) == before
    assert not left_over(stage)
    stage.trainer.submit_if_due()
    assert len(stage.jobs.list()) == 1, "not again with every commit"
    index(stage.store, *(b"more%d" % i for i in range(COUNT)), start=2000)
    stage.vectors.rebuild()
    stage.trainer.submit_if_due()
    wait_until(lambda: stage.vectors.shape.inverted == 2 * COUNT, 60)
    wait_until(lambda: not list(stage.trainer.notices()), 10)


def test_cancelling_ends_the_analyst(stage: Stage) -> None:
    stage.trainer.submit_if_due()
    process = stage.analyst()
    stage.jobs.cancel(stage.jobs.list()[0].id)
    assert stage.ended().state is JobState.CANCELLED
    wait_until(lambda: not process.is_running(), 10)
    assert stage.vectors.shape == Shape(flat=COUNT)
    assert not list(stage.trainer.notices())


def test_a_search_that_shrank_is_flat_again(stage: Stage) -> None:
    stage.trainer.submit_if_due()
    assert stage.ended().state is JobState.COMPLETE
    kept = {content(b"%d" % i) for i in range(30)}
    numbers = stage.store.numbered_vectors(SPACE.key).numbers.tolist()
    named = stage.store.named(numbers)
    stage.vectors.remove([number for number in numbers if named[number] not in kept])
    assert stage.vectors.count == 30
    stage.trainer.submit_if_due()
    wait_until(lambda: stage.vectors.shape.inverted == 0, 30)
