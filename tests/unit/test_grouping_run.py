"""The analyst process as the core sees it: answers, failures in words, deadlines, cancelling."""

import io
import os
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pixsortd.errors import GroupingCancelled, GroupingFailed
from pixsortd.grouping import run
from pixsortd.grouping.analyst import answer, serve
from pixsortd.grouping.frames import Unframer
from pixsortd.grouping.packing import hashes
from pixsortd.grouping.request import Failure, Progress, Reply, Request
from pixsortd.grouping.rows import unit
from pixsortd.grouping.run import recluster
from pixsortd.records import Selection, Weights

SIZES = (20, 12, 8)


def no_progress(done: int, total: int, what: str) -> None:
    """For runs whose progress is not looked at."""


def never() -> bool:
    return False


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., Request]:
    """``request_of(order=None, **changes)``: three subjects and ten loners, rows in any order."""

    def make(order: np.ndarray | None = None, **changes: object) -> Request:
        generator = np.random.default_rng(0)
        centres = np.repeat(unit(generator.normal(size=(3, 64))), SIZES, axis=0)
        members = unit(centres + 0.5 * unit(generator.normal(size=(sum(SIZES), 64))))
        vectors = np.concatenate([members, unit(generator.normal(size=(10, 64)))]).astype(np.float16)
        contents = [generator.bytes(32) for _ in vectors]
        if order is not None:
            vectors, contents = vectors[order], [contents[i] for i in order]
        path = tmp_path / "vectors.npy"
        np.save(path, vectors)
        return msgspec.structs.replace(Request(vectors=str(path), contents=b"".join(contents)), **changes)

    return make


def outcome(asked: Request, reply: Reply) -> object:
    """The reply without its times, photos by their hashes."""
    photos = hashes(asked.contents)
    plain = msgspec.structs.replace(reply, seconds={}, groups=())
    return plain, [
        (group.id, group.exemplars, group.floor, group.cohesion, sorted(group.memberships(photos, 0.0)))
        for group in reply.groups
    ]


def test_a_run_finds_groups_and_says_why(request_of: Callable[..., Request]) -> None:
    told: list[tuple[int, int, str]] = []
    asked = request_of()
    reply = recluster(asked, lambda *progress: told.append(progress), never)
    assert len(reply.groups) == len(SIZES)
    assert reply.ungrouped >= 5
    assert [done for done, _, _ in told] == [0, 1, 2, 3]
    assert "HDBSCAN" in reply.method
    assert set(reply.seconds) == {"read", "learn", "cluster", "match", "describe"}
    largest = reply.groups[0]
    assert set(largest.members()) >= set(range(SIZES[0]))
    members = dict(largest.memberships(hashes(asked.contents), 5.0))
    assert len(members) == largest.size
    assert set(largest.exemplars) <= set(members)
    for sha256, membership in members.items():
        assert membership.group == largest.id
        assert membership.how == "clustered"
        assert 0 < membership.strength <= 1
        assert sha256 not in membership.nearest
        assert len(membership.nearest) == 5
        assert set(membership.nearest) <= set(members)
        assert membership.similarity is not None
    floors = [member.similarity >= largest.floor for member in members.values() if member.similarity]
    assert sum(floors) >= 0.9 * len(floors)


def test_which_clusters_are_taken_is_asked_for(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    subjects = np.repeat(unit(generator.normal(size=(6, 64))), 2, axis=0)  # each in two versions
    versions = np.repeat(unit(subjects + 0.25 * unit(generator.normal(size=subjects.shape))), 12, axis=0)
    vectors = unit(versions + 0.2 * unit(generator.normal(size=versions.shape))).astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    contents = b"".join(generator.bytes(32) for _ in vectors)

    def groups(**parameters: object) -> tuple[int, str]:
        asked = msgspec.structs.replace(Request(vectors=str(tmp_path / "vectors.npy"), contents=contents), **parameters)
        reply = recluster(asked, no_progress, never)
        return len(reply.groups), reply.method

    leaves, how = groups(selection=Selection.LEAF)
    assert leaves == 12
    assert "leaf" in how
    merged, how = groups(selection=Selection.LEAF, epsilon=0.9)
    assert merged == 6
    assert "0.9" in how


@pytest.mark.parametrize("weights", list(Weights))
def test_order_of_arrival_changes_nothing(request_of: Callable[..., Request], weights: Weights) -> None:
    first = request_of(weights=weights)
    before = outcome(first, answer(first, no_progress))
    shuffled = request_of(np.random.default_rng(7).permutation(sum(SIZES) + 10), weights=weights)
    assert outcome(shuffled, answer(shuffled, no_progress)) == before


def test_ids_go_on_and_named_groups_without_a_successor_rest(request_of: Callable[..., Request]) -> None:
    asked = request_of()
    count = sum(SIZES)
    previous = {group: array("i", rows).tobytes() for group, rows in (("beach", range(18)), ("old", ()))}
    previous["gone"] = array("i", range(count, count + 5)).tobytes()
    reply = answer(msgspec.structs.replace(asked, previous=previous, touched=["beach", "gone"]), no_progress)
    assert reply.groups[0].id == "beach"
    assert reply.dormant == ("gone",)
    assert reply.ended == ("old",)


def test_vectors_that_mean_nothing_stay_ungrouped(request_of: Callable[..., Request]) -> None:
    asked = request_of()
    vectors = np.load(asked.vectors)
    vectors[0], vectors[1] = np.nan, 0
    np.save(asked.vectors, vectors)
    reply = answer(asked, no_progress)
    assert reply.unusable == 2
    assert reply.ungrouped >= 7
    assert 0 not in reply.groups[0].members()


@pytest.mark.parametrize("count", [0, 1, 6])
def test_few_photos(tmp_path: Path, count: int) -> None:
    np.save(tmp_path / "few.npy", np.eye(max(count, 1), 8, dtype=np.float16)[:count])
    asked = Request(vectors=str(tmp_path / "few.npy"), contents=b"".join(bytes([i]) * 32 for i in range(count)))
    reply = answer(asked, no_progress)
    assert reply.groups == ()
    assert reply.ungrouped == count


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vectors": "missing.npy"}, "missing.npy"),
        ({"contents": b"a" * 32 + b"b" * 32}, "2 photos do not fit"),
        ({"contents": b"a" * 32 * (sum(SIZES) + 10)}, "named twice"),
    ],
)
def test_a_request_that_cannot_be_done_is_answered_in_words(
    request_of: Callable[..., Request], changes: dict[str, object], words: str
) -> None:
    written = io.BytesIO()
    asked = msgspec.msgpack.encode(request_of(niceness=0, **changes))
    assert serve(io.BytesIO(asked), written) == 1
    *progress, last = Unframer().feed(written.getvalue())
    assert all(isinstance(message, Progress) for message in progress)
    assert isinstance(last, Failure)
    assert words in last.reason.message


def test_a_broken_request_is_answered_in_words() -> None:
    written = io.BytesIO()
    assert serve(io.BytesIO(b""), written) == 1
    assert isinstance(next(Unframer().feed(written.getvalue())), Failure)


def test_a_failure_reaches_the_core_with_what_to_do(request_of: Callable[..., Request]) -> None:
    with pytest.raises(GroupingFailed, match="missing") as failed:
        recluster(request_of(vectors="missing.npy"), no_progress, never)
    assert failed.value.next_step


def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put a program of a few lines in the analyst's place."""
    script = tmp_path / "analyst.py"
    script.write_text(code)
    monkeypatch.setattr(run, "_ANALYST", (sys.executable, str(script)))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


SLEEPER = "import os, pathlib, time\npathlib.Path({!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n"


def test_cancelling_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_of: Callable[..., Request]
) -> None:
    note = tmp_path / "pid"
    child(tmp_path, monkeypatch, SLEEPER.format(str(note)))
    with pytest.raises(GroupingCancelled):
        recluster(request_of(), no_progress, lambda: note.exists() and note.read_text() != "")
    assert gone(int(note.read_text()))


def test_a_deadline_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_of: Callable[..., Request]
) -> None:
    child(tmp_path, monkeypatch, SLEEPER.format(str(tmp_path / "pid")))
    with pytest.raises(GroupingFailed, match=r"deadline of 0\.5 s"):
        recluster(request_of(deadline=0.5), no_progress, never)
    note = tmp_path / "pid"
    assert not note.exists() or gone(int(note.read_text()))


def test_an_error_in_the_callback_ends_the_process(request_of: Callable[..., Request]) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, total: int, what: str) -> None:
        raise StopError

    with pytest.raises(StopError):
        recluster(request_of(), stop, never)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("import sys; print('no such luck', file=sys.stderr); sys.exit(3)", "(?s)exit status 3.*no such luck"),
        ("print('hello, I am not a frame at all', end='', flush=True); input()", "ended"),
        ("import os; os.write(1, b'\\0\\0\\0\\1\\xc1')", "nonsense"),
    ],
)
def test_an_analyst_that_breaks_is_reported_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_of: Callable[..., Request], code: str, words: str
) -> None:
    child(tmp_path, monkeypatch, code)
    with pytest.raises(GroupingFailed, match=words):
        recluster(request_of(), no_progress, never)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_analyst_dies_with_the_core(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "request")  # the analyst waits here for a request that never comes
    core = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, os, time\n"
            f"source = os.open({str(tmp_path / 'request')!r}, os.O_RDWR)\n"
            "child = subprocess.Popen([sys.executable, '-m', 'pixsortd.grouping.analyst'], stdin=source)\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(60)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert core.stdout is not None
    analyst = int(core.stdout.readline())
    status = Path(f"/proc/{analyst}")
    wait_until(lambda: "pixsortd.grouping.analyst" in (status / "cmdline").read_text())
    wait_until(lambda: "S (sleeping)" in (status / "status").read_text() and waits_for_input(analyst))
    core.send_signal(signal.SIGKILL)
    core.wait()
    wait_until(lambda: gone(analyst) or "Z (zombie)" in (status / "status").read_text())


def waits_for_input(pid: int) -> bool:
    """Whether the analyst is past its imports: standard output was moved to standard error by then."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir())) >= 4


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_the_core_side_imports_nothing_heavy() -> None:
    code = (
        "import sys, pixsortd.grouping.run, pixsortd.grouping.join, pixsortd.grouping.request\n"
        "heavy = {'hdbscan', 'sklearn', 'scipy', 'torch', 'numpy'}\n"
        "print(sorted(heavy.intersection(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
