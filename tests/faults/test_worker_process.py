"""A real worker process: crashed, hung, killed, starved of memory, stopped, orphaned."""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from pixsortd.config import DecodeSettings, Duration, EmbedSettings, ScoreSettings, Settings, WorkerSettings
from pixsortd.errors import WorkerFailed
from pixsortd.records import Analysis, FileStamp, Fingerprint, Wants, WorkItem
from pixsortd.workers.dispatch import Crashed, Dispatcher, Outcome
from pixsortd.workers.local import COMMAND, LocalWorker
from tests.conftest import write_photo

PACKAGE = Path(__file__).resolve().parents[2]
"""Found by the worker even where the package is not installed: it does not look in the current directory."""

Make = Callable[..., Dispatcher]


def settings(timeout: float = 30, memory: str = "", megapixels: int = 256) -> Settings:
    return Settings(
        embed=EmbedSettings(space="builtin"),
        score=ScoreSettings(metrics=()),
        worker=WorkerSettings(timeout=Duration(timeout), memory=memory, threads=2),
        decode=DecodeSettings(max_megapixels=megapixels),
    )


@pytest.fixture
def dispatcher() -> Iterator[Make]:
    """``dispatcher(command=..., environment=..., **settings)``; all are stopped at the end."""
    made: list[Dispatcher] = []

    def make(*, environment: Mapping[str, str] | None = None, command: object = None, **chosen: object) -> Dispatcher:
        own = settings(**chosen)  # type: ignore[arg-type]
        words = COMMAND if command is None else (sys.executable, "-c", str(command))
        path = os.pathsep.join((str(PACKAGE), os.environ.get("PYTHONPATH", "")))
        surroundings = {"PYTHONPATH": path, **(environment or {})}
        made.append(Dispatcher(lambda: LocalWorker(own, command=words, environment=surroundings), own.worker))
        return made[-1]

    yield make
    for subject in made:
        subject.stop()


def items_below(root: Path) -> list[WorkItem]:
    items = []
    for number, path in enumerate(sorted(path for path in root.rglob("*") if path.is_file())):
        stamp = FileStamp.of(path.stat())
        name = os.fsencode(path.relative_to(root))
        items.append(WorkItem(id=number, root=os.fsencode(root), path=name, stamp=stamp))
    return items


def photos(root: Path, *names: str) -> list[WorkItem]:
    for number, name in enumerate(names):
        write_photo(root / name, number, (160, 120))
    return items_below(root)


def everything(hashes: Mapping[int, bytes]) -> dict[int, Wants]:
    return dict.fromkeys(hashes, Wants(photo=True, spaces=("builtin",)))


def run(subject: Dispatcher, items: list[WorkItem]) -> dict[int, Outcome]:
    outcomes = list(subject.run(items, everything))
    assert sorted(outcome.id for outcome in outcomes) == [item.id for item in items]
    return {outcome.id: outcome for outcome in outcomes}


def good(outcome: Outcome) -> bool:
    return isinstance(outcome, Analysis) and outcome.photo is not None and outcome.failure is None


def ends(process: psutil.Process) -> bool:
    """Whether it is gone, or a zombie that nobody has asked after yet; waits a while."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_a_file_that_crashes_the_decoder_runs_twice_and_the_rest_goes_on(dispatcher: Make, tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(6)]
    items = photos(tmp_path, *names[:3], "poison.jpg", *names[3:])
    subject = dispatcher(environment={"PIXSORTD_TEST_CRASH": "poison"})
    outcomes = run(subject, items)
    (bad,) = [item.id for item in items if b"poison" in item.path]
    crashed = outcomes[bad]
    assert isinstance(crashed, Crashed)
    assert (crashed.attempts, crashed.reason.code) == (2, "worker-crashed")
    assert "SIGABRT" in crashed.reason.message
    assert crashed.sha256 is not None
    assert all(good(outcome) for number, outcome in outcomes.items() if number != bad)
    # Each run of the poison is one death.
    assert subject.died == 2
    assert all(good(outcome) for outcome in run(subject, [i for i in items if i.id != bad]).values())


def test_a_file_that_hangs_the_decoder_runs_twice_and_the_rest_goes_on(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, "a.jpg", "hang.jpg", "z.jpg")
    subject = dispatcher(environment={"PIXSORTD_TEST_HANG": "hang"}, timeout=2)
    outcomes = run(subject, items)
    crashed = outcomes[1]
    assert isinstance(crashed, Crashed)
    assert crashed.reason.code == "timeout"
    assert "decode" in crashed.reason.message
    assert good(outcomes[0])
    assert good(outcomes[2])
    assert subject.died == 2


def test_a_worker_killed_from_outside_costs_no_file(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, *(f"{n:02}.jpg" for n in range(24)))
    subject = dispatcher()
    subject.survey()
    (process,) = psutil.Process().children()
    outcomes: dict[int, Outcome] = {}
    for outcome in subject.run(items, _killing(process)):
        outcomes[outcome.id] = outcome
    assert len(outcomes) == 24
    assert all(good(outcome) for outcome in outcomes.values())
    assert subject.died == 1


def _killing(process: psutil.Process) -> Callable[[Mapping[int, bytes]], dict[int, Wants]]:
    """Asked in the middle of a batch, it kills the worker first."""

    def needs(hashes: Mapping[int, bytes]) -> dict[int, Wants]:
        if process.is_running():
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        return everything(hashes)

    return needs


def _blank_png(path: Path, width: int, height: int) -> None:
    """A valid picture of that size in a few kilobytes, written without ever being held."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    squeeze = zlib.compressobj(1)
    row = bytes(1 + 3 * width)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def test_a_file_beyond_the_memory_limit_fails_and_the_worker_lives(dispatcher: Make, tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b.jpg")
    _blank_png(tmp_path / "large.png", 16_000, 15_000)
    items = items_below(tmp_path)
    subject = dispatcher(memory="600MB")
    outcomes = run(subject, items)
    large = outcomes[2]
    assert isinstance(large, Analysis)
    assert large.failure is not None
    assert large.failure.code == "too-large"
    assert "memory" in large.failure.message
    assert good(outcomes[0])
    assert good(outcomes[1])
    assert (subject.started, subject.died) == (1, 0)


HANGING = """
import time
from pixsortd.analyze import reader
from pixsortd.daemon.worker import main
really = reader.read_stable
def slow(root, path, stamp, max_bytes):
    if b"hang" in path:
        time.sleep(1000)
    return really(root, path, stamp, max_bytes)
reader.read_stable = slow
main()
"""
"""A worker whose disk never answers for some files."""


def test_a_file_whose_read_hangs_ahead_of_its_turn_is_charged_itself(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, *(f"{n}.jpg" for n in range(4)), "hang.jpg", *(f"z{n}.jpg" for n in range(4)))
    first, second = items[:4], items[4:]
    subject = dispatcher(command=HANGING, timeout=3)
    outcomes = {outcome.id: outcome for outcome in subject.run(first, everything, second)}
    assert subject.died == 0
    assert all(good(outcome) for outcome in outcomes.values())
    outcomes = run(subject, second)
    crashed = outcomes[4]
    assert isinstance(crashed, Crashed)
    assert (crashed.reason.code, crashed.attempts) == ("timeout", 2)
    assert "read" in crashed.reason.message
    assert all(good(outcome) for number, outcome in outcomes.items() if number != 4)
    assert subject.died == 2


def test_a_file_that_hangs_ahead_and_is_never_asked_for_harms_nobody(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, *(f"{n}.jpg" for n in range(6)), "hang.jpg")
    hang = items[-1]
    subject = dispatcher(command=HANGING, timeout=3)
    for part, ahead in ((items[:2], [hang]), (items[2:4], items[4:6]), (items[4:6], [hang])):
        outcomes = list(subject.run(part, everything, ahead))
        assert [good(outcome) for outcome in outcomes] == [True, True]
    assert (subject.started, subject.died) == (1, 0)
    (process,) = psutil.Process().children()
    assert subject.end_if_idle(0) is None
    assert ends(process)


def test_what_was_read_ahead_is_not_read_again(dispatcher: Make, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for number in range(12):
        write_photo(root / f"{number:02}.jpg", number, (1600, 1200))
    items = items_below(root)
    subject = dispatcher()
    # The first photo draws in parts of libraries, which are bytes as well.
    assert good(run(subject, items[:1])[0])
    (process,) = psutil.Process().children()
    before = process.io_counters().read_chars
    for start in range(0, 12, 4):
        outcomes = list(subject.run(items[start : start + 4], everything, items[start + 4 : start + 8]))
        assert all(good(outcome) for outcome in outcomes)
    size = sum(item.stamp.size for item in items)
    assert process.io_counters().read_chars - before <= 1.05 * size


def test_a_panorama_among_small_photos_is_taken_in_with_them(dispatcher: Make, tmp_path: Path) -> None:
    photos(tmp_path, *(f"{n:02}.jpg" for n in range(40)))
    _blank_png(tmp_path / "panorama.png", 20_000, 10_000)
    subject = dispatcher(memory="2GB")
    assert all(good(outcome) for outcome in run(subject, items_below(tmp_path)).values())
    assert (subject.started, subject.died) == (1, 0)


def test_stop_ends_a_hung_worker_and_the_run_that_waits_for_it(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, "hang.jpg")
    subject = dispatcher(environment={"PIXSORTD_TEST_HANG": "hang"}, timeout=1000)
    subject.survey()
    (process,) = psutil.Process().children()
    asked = threading.Event()
    outcomes: list[Outcome] = []

    def needs(hashes: Mapping[int, bytes]) -> dict[int, Wants]:
        asked.set()
        return everything(hashes)

    thread = threading.Thread(target=lambda: outcomes.extend(subject.run(items, needs)))
    thread.start()
    assert asked.wait(20)
    subject.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert outcomes == []
    assert ends(process)


STUBBORN = """
import os, signal, sys
from pixsortd.workers.child import take_pipes
from pixsortd.workers.channel import Channel
from pixsortd.workers.protocol import Abilities, encode
signal.signal(signal.SIGTERM, signal.SIG_IGN)
channel = Channel(*take_pipes())
channel.receive()
channel.send(encode(Abilities(abilities=())))
while True:
    pass
"""


def test_a_worker_that_will_not_listen_is_ended_all_the_same(dispatcher: Make) -> None:
    subject = dispatcher(command=STUBBORN)
    subject.survey()
    (process,) = psutil.Process().children()
    subject.stop()
    assert ends(process)
    assert not subject.running


NOISY = """
import os, sys
from pixsortd.records import Ability, AbilityState, Analysis, Fingerprint, Photo
from pixsortd.workers.child import take_pipes
from pixsortd.workers.channel import Channel
from pixsortd.workers.serve import serve
class Noisy:
    def __init__(self, settings, threads, busy): noise()
    def abilities(self): return []
    states = abilities
    def fingerprint(self, items):
        for item in items:
            noise()
            yield Fingerprint(id=item.id, sha256=b"s%d" % item.id)
    def analyze(self, wants, ahead):
        for number in wants:
            noise()
            photo = Photo(sha256=b"", size=1, format="JPEG", width=1, height=1)
            yield Analysis(id=number, sha256=b"s%d" % number, photo=photo)
def noise():
    print("a library prints", flush=True)
    os.write(1, b"native code prints\\n")
    sys.stderr.write("and complains\\n")
channel = Channel(*take_pipes())
noise()
serve(channel, Noisy)
"""


def test_what_libraries_print_does_not_disturb_the_protocol(dispatcher: Make, tmp_path: Path) -> None:
    outcomes = run(dispatcher(command=NOISY), photos(tmp_path, "a.jpg", "b.jpg"))
    assert all(good(outcome) for outcome in outcomes.values())


def test_workers_leave_no_descriptor_and_no_thread_behind(dispatcher: Make, tmp_path: Path) -> None:
    items = photos(tmp_path, "a.jpg")
    subject = dispatcher(command=NOISY)
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        run(subject, items)
        assert subject.end_if_idle(0) is None
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("import sys; print('libtorch is missing', file=sys.stderr); sys.exit(3)", ["exit status 3", "libtorch"]),
        ("import os; os.kill(os.getpid(), 11)", ["SIGSEGV"]),
        ("print('Hello, world, this is no frame at all')", ["cannot start"]),
        ("raise ImportError('no module named numpy')", ["no module named numpy"]),
    ],
)
def test_a_worker_that_cannot_start_says_why(dispatcher: Make, command: str, words: list[str]) -> None:
    subject = dispatcher(command=command)
    with pytest.raises(WorkerFailed) as caught:
        subject.survey()
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert not subject.running


def test_a_program_that_is_not_there_is_said_too() -> None:
    with pytest.raises(WorkerFailed, match="cannot be started"):
        LocalWorker(settings(), command=("/nonexistent/python",)).start()


PARENT = """
import os, sys, time
from pixsortd.config import EmbedSettings, ScoreSettings, Settings
from pixsortd.workers.local import LocalWorker
worker = LocalWorker(Settings(embed=EmbedSettings(space="builtin"), score=ScoreSettings(metrics=())))
worker.start()
os.write(1, b"\\n%d\\n" % worker.pid)  # another thread may be in the middle of a line of the log
time.sleep(100)
"""


def test_a_worker_does_not_outlive_a_killed_core() -> None:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    core = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment)
    assert core.stdout is not None
    with core.stdout:
        told = next((int(line) for line in core.stdout if line.strip().isdigit()), None)
    assert told is not None, f"it ended with {core.wait()} before it had a worker; see what it wrote"
    worker = psutil.Process(told)
    core.kill()
    core.wait()
    assert ends(worker)


def test_a_worker_outlives_the_thread_that_started_it(dispatcher: Make, tmp_path: Path) -> None:
    subject = dispatcher()
    thread = threading.Thread(target=subject.survey)
    thread.start()
    thread.join()
    assert good(run(subject, photos(tmp_path, "a.jpg"))[0])
    assert (subject.started, subject.died) == (1, 0)


def test_the_core_never_loads_what_the_worker_needs() -> None:
    code = (
        "import sys, pixsortd.workers.dispatch, pixsortd.workers.local;"
        "print(sorted({'torch', 'numpy', 'PIL', 'pixsortd.analyze'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("folder", ["bad", "formats"])
def test_every_hostile_and_odd_file_has_an_outcome_with_a_reason(
    dispatcher: Make, shared_data: Path, folder: str
) -> None:
    items = items_below(shared_data / folder)
    assert len(items) > 70
    subject = dispatcher(timeout=60, memory="4GB")
    outcomes: dict[int, Outcome] = {}
    for start in range(0, len(items), 32):
        outcomes |= run(subject, items[start : start + 32])
    fine = {outcome.sha256 for outcome in outcomes.values() if isinstance(outcome, Analysis) and good(outcome)}
    assert len(fine) > 50
    # Some files are there twice; the copy shares what became of the first.
    assert all(_reason(outcome) for outcome in outcomes.values() if outcome.sha256 not in fine)
    assert subject.died == 0


def _reason(outcome: Outcome) -> str:
    match outcome:
        case Analysis(failure=reason) | Fingerprint(failure=reason):
            return "" if reason is None else reason.message
        case Crashed(reason=reason):
            return reason.message
