"""The small parts of the daemon: lock, notification, signs of life, jobs, schedule, wants."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from pixsortd.config import EmbedSettings, ScoreSettings, Settings
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.jobs import Jobs, Progress
from pixsortd.daemon.lock import Address, InstanceLock, read_address
from pixsortd.daemon.notify import Notifier
from pixsortd.daemon.pipeline.wants import active_space, offer, wants
from pixsortd.daemon.schedule import Schedule, next_run
from pixsortd.daemon.weights import glance
from pixsortd.errors import AlreadyRunning, Conflict, NotFound, WorkerFailed
from pixsortd.records import Ability, AbilityState, JobState, MetricInfo, Space
from tests.harness import wait_until


def test_lock_refuses_a_second_daemon_and_is_free_after_a_kill(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from pixsortd.daemon.lock import InstanceLock\n"
        "with InstanceLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(AlreadyRunning) as caught, InstanceLock(tmp_path):
        pass
    assert "pixsortd status" in caught.value.next_step
    child.kill()
    child.wait()
    with InstanceLock(tmp_path) as lock:
        lock.announce(Address(pid=1, url="http://127.0.0.1:1", token="secret"))
        assert read_address(tmp_path) == Address(pid=1, url="http://127.0.0.1:1", token="secret")
        assert lock.note.stat().st_mode & 0o077 == 0
    assert read_address(tmp_path) is None


def test_notifier_speaks_to_the_socket_systemd_names(tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "6000000"})
        assert notifier.watchdog_seconds == 6.0
        notifier.ready("serving")
        assert set(server.recv(1000).decode().split("\n")) == {"READY=1", "STATUS=serving", f"MAINPID={os.getpid()}"}
        notifier.alive()
        assert server.recv(1000) == b"WATCHDOG=1"
    notifier.status("nobody listens any more")


def test_notifier_is_silent_without_systemd_and_for_another_pid():
    assert Notifier({}).watchdog_seconds is None
    assert Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    Notifier({}).ready("nobody")


def test_heart_names_the_thread_that_went_silent():
    now = [0.0]
    heart = Heart(5.0, clock=lambda: now[0])
    watch, jobs = heart.beat_of("watch"), heart.beat_of("jobs")
    now[0] = 20.0
    watch()
    assert heart.stuck(10.0) == ["jobs"]
    jobs()
    assert heart.stuck(10.0) == []
    now[0] = 99.0
    heart.forget("watch")
    heart.forget("jobs")
    assert heart.stuck(1.0) == []


@pytest.fixture
def jobs():
    seen = []
    thread = Jobs(seen.append, beat=lambda: None, beat_every=None)
    thread.start()
    thread.seen = seen
    yield thread
    thread.stop(5)


def ended(jobs: Jobs, job_id: str, state: JobState):
    return wait_until(lambda: jobs.get(job_id).state is state and jobs.get(job_id), 5)


def test_job_reports_progress_and_result(jobs):
    def work(progress: Progress):
        progress(1, 2, "half")
        return {"groups": 3}

    job = ended(jobs, jobs.submit("recluster", work).id, JobState.COMPLETE)
    assert (job.done, job.total, job.result, job.error) == (2, 2, {"groups": 3}, None)
    assert next(j.state for j in jobs.seen if j.id == job.id) is JobState.QUEUED


def test_job_failure_is_told_in_words_and_the_thread_goes_on(jobs):
    def fails(_: Progress):
        raise WorkerFailed("the analyst ended", next_step="Look at the log.")

    def breaks(_: Progress):
        raise RuntimeError("boom")

    assert ended(jobs, jobs.submit("a", fails).id, JobState.FAILED).error == "the analyst ended Look at the log."
    assert ended(jobs, jobs.submit("b", breaks).id, JobState.FAILED).error == "RuntimeError: boom"
    assert ended(jobs, jobs.submit("c", lambda _: None).id, JobState.COMPLETE)


def test_a_job_that_has_not_ended_is_shared_by_kind_and_subject_and_can_be_cancelled(jobs):
    started = threading.Event()

    def endless(progress: Progress):
        started.set()
        while True:
            progress(0, 0)
            time.sleep(0.01)

    running = jobs.submit("scan", endless)
    assert started.wait(5)
    assert jobs.submit("scan", endless).id == running.id
    waiting = jobs.submit("scan", endless, subject="another root")
    assert jobs.submit("scan", endless, subject="another root").id == waiting.id != running.id
    jobs.cancel(waiting.id)
    assert jobs.get(waiting.id).state is JobState.CANCELLED
    jobs.cancel(running.id)
    ended(jobs, running.id, JobState.CANCELLED)
    with pytest.raises(Conflict):
        jobs.cancel(running.id)
    with pytest.raises(NotFound):
        jobs.get("nope")


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, 1100.0), (999.0, 1099.0), (0.0, 1060.0), (5000.0, 1100.0)],
    ids=["never ran", "just ran", "overdue waits for the start to settle", "clock was set back"],
)
def test_next_run(last, expected):
    assert next_run(last, every=100.0, now=1000.0) == expected


class Memory(dict):
    def meta_get(self, key):
        return self.get(key)

    def meta_set(self, key, value):
        self[key] = value


def test_schedule_remembers_the_last_run_across_restarts():
    memory = Memory()

    async def first() -> None:
        schedule = Schedule(memory)
        schedule.every("recluster", 3600, lambda: None)
        schedule.start()
        schedule.ran("recluster")
        assert schedule.upcoming()["recluster"] == pytest.approx(time.time() + 3600, abs=10)
        schedule.stop()

    async def second() -> None:
        memory["last_run:recluster"] = repr(time.time() - 3000).encode()
        schedule = Schedule(memory)
        schedule.every("recluster", 3600, lambda: None)
        schedule.start()
        assert schedule.upcoming()["recluster"] == pytest.approx(time.time() + 600, abs=10)
        schedule.stop()

    asyncio.run(first())
    assert memory["last_run:recluster"]
    asyncio.run(second())


def test_a_job_that_never_ran_comes_due_although_the_daemon_restarts_before_its_interval():
    memory = Memory()

    async def start() -> float:
        schedule = Schedule(memory)
        schedule.every("backup", 3600, lambda: None)
        schedule.start()
        due = schedule.upcoming()["backup"]
        schedule.stop()
        return due

    first = asyncio.run(start())
    memory["last_run:backup"] = repr(float(memory["last_run:backup"]) - 3000).encode()
    assert asyncio.run(start()) == pytest.approx(first - 3000, abs=10)


def test_schedule_runs_what_is_due():
    async def run() -> int:
        count = []
        schedule = Schedule(Memory())
        schedule.every("tick", 1, lambda: count.append(1), remember=False)
        schedule.start()
        end = time.monotonic() + 10
        while len(count) < 1 and time.monotonic() < end:
            await asyncio.sleep(0.05)
        schedule.stop()
        return len(count)

    assert asyncio.run(run()) >= 1


CLIP = Space(name="clip", model="m", revision="r", preprocessing="p", dim=512)
BUILTIN = Space(name="builtin", model="b", revision="1", preprocessing="p", dim=64)
NIQE = MetricInfo(name="niqe", lower_better=True)


def ability(space: Space, state: AbilityState) -> Ability:
    return Ability(kind="space", name=space.name, state=state, space=space)


def test_builtin_stands_in_only_while_the_wished_space_is_missing():
    settings = Settings(embed=EmbedSettings(space="clip"), score=ScoreSettings(metrics=("niqe", "piqe")))
    niqe = Ability(kind="metric", name="niqe", state=AbilityState.READY, metric=NIQE)
    builtin = ability(BUILTIN, AbilityState.READY)
    without = offer(settings, [ability(CLIP, AbilityState.UNAVAILABLE), builtin, niqe])
    assert [space.name for space in without.spaces] == ["builtin"]
    assert without.metrics == ("niqe",)
    with_clip = offer(settings, [ability(CLIP, AbilityState.READY), builtin])
    assert [space.name for space in with_clip.spaces] == ["clip"]


def test_wants_only_what_is_not_known():
    settings = Settings(embed=EmbedSettings(space="clip", also=("builtin",)), score=ScoreSettings(metrics=("niqe",)))
    niqe = Ability(kind="metric", name="niqe", state=AbilityState.READY, metric=NIQE)
    full = offer(settings, [ability(CLIP, AbilityState.READY), ability(BUILTIN, AbilityState.READY), niqe])
    asked = wants(full, photo=True, spaces={BUILTIN.key}, metrics=set())
    assert (asked.photo, asked.spaces, asked.metrics) == (False, ("clip",), ("niqe",))
    assert not wants(full, photo=True, spaces={BUILTIN.key, CLIP.key}, metrics={"niqe"})


def test_active_space_changes_over_once_the_wished_one_covers_nearly_all():
    settings = Settings(embed=EmbedSettings(space="clip"))
    known = [CLIP, BUILTIN]
    assert active_space(settings, known, {}) is None
    assert active_space(settings, known, {BUILTIN.key: 100}) == BUILTIN
    assert active_space(settings, known, {BUILTIN.key: 100, CLIP.key: 50}) == BUILTIN
    assert active_space(settings, known, {BUILTIN.key: 100, CLIP.key: 96}) == CLIP
    assert active_space(settings, known, {BUILTIN.key: 100, CLIP.key: 500}) == CLIP


def test_weights_that_arrive_are_noticed(tmp_path):
    settings = Settings(score=ScoreSettings(weights={"niqe": str(tmp_path / "niqe.mat")}))
    environ = {"HF_HOME": str(tmp_path / "hf"), "TORCH_HOME": str(tmp_path / "torch")}
    before = glance(settings, environ)
    assert glance(settings, environ) == before
    (tmp_path / "hf" / "hub" / "models--a--b" / "snapshots" / "main").mkdir(parents=True)
    with_repository = glance(settings, environ)
    assert with_repository != before
    (tmp_path / "niqe.mat").write_bytes(b"x")
    assert glance(settings, environ) != with_repository
