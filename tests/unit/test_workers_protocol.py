"""What is said to a worker arrives as it was said, and deadlines follow from what it says back."""

import io
import math
import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config import Duration, ScoreSettings, Settings, Size, SpaceSettings, WorkerSettings
from pixsortd.records import (
    Ability,
    AbilityState,
    Analysis,
    Embedding,
    FileStamp,
    Fingerprint,
    MetricInfo,
    Photo,
    Reason,
    Score,
    Space,
    Wants,
    WorkItem,
)
from pixsortd.workers.channel import LONGEST, Channel, ChannelBroken
from pixsortd.workers.child import limit_memory
from pixsortd.workers.flight import LOADING, Flight
from pixsortd.workers.protocol import (
    Abilities,
    Analysed,
    Batch,
    Busy,
    Done,
    Hello,
    Named,
    Order,
    Reply,
    Request,
    Survey,
    decode_reply,
    decode_request,
    encode,
)
from pixsortd.workers.serve import serve
from pixsortd.workers.stderr import forward_lines

SETTINGS = Settings(
    worker=WorkerSettings(timeout=Duration(7.5), batch_bytes=Size(5 * 10**9)),
    spaces={"own": SpaceSettings(model="timm:x", weights="/w", args={"a": [1, "b", {"c": 2.5}]})},
    score=ScoreSettings(metrics=("niqe",), weights={"niqe": "/x.mat"}),
)
SPACE = Space(name="builtin", model="builtin", revision="1", preprocessing="p", dim=2)
STAMP = FileStamp(size=1, mtime_ns=2**62, ctime_ns=-5, inode=2**64 - 1, device=0)


@pytest.mark.parametrize(
    "request_",
    [
        Hello(settings=SETTINGS, threads=2),
        Survey(),
        Batch(items=(WorkItem(id=0, root=b"/r", path=b"\xff\n", stamp=STAMP),)),
        Order(wants={3: Wants(photo=True, spaces=("a",)), 4: Wants()}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_requests_arrive_as_they_were_sent(request_: Request) -> None:
    back = decode_request(encode(request_))
    assert back == request_
    if isinstance(back, Hello):
        assert type(back.settings.worker.timeout) is Duration
        assert type(back.settings.worker.batch_bytes) is Size


@pytest.mark.parametrize(
    "reply",
    [
        Busy(stage="decode", ids=(1, 2)),
        Done(),
        Named(fingerprint=Fingerprint(id=1, sha256=b"s" * 32)),
        Named(fingerprint=Fingerprint(id=1, failure=Reason(code="c", message="m"))),
        Abilities(abilities=(Ability(kind="space", name="b", state=AbilityState.READY, space=SPACE),)),
        Analysed(
            analysis=Analysis(
                id=1,
                sha256=b"s" * 32,
                photo=Photo(sha256=b"s" * 32, size=1, format="JPEG", width=1, height=1),
                thumbnail=b"\xff\xd8",
                embeddings=(Embedding(space=SPACE, vector=b"1234"),),
                scores=(Score(metric=MetricInfo(name="n", lower_better=True), value=1.5),),
                seconds={"read": 0.1},
            )
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_replies_arrive_as_they_were_sent(reply: Reply) -> None:
    assert decode_reply(encode(reply)) == reply


def test_a_score_that_is_no_number_survives_the_journey() -> None:
    score = Score(metric=MetricInfo(name="n", lower_better=True), value=math.nan)
    back = decode_reply(encode(Analysed(analysis=Analysis(id=1, sha256=b"", scores=(score,)))))
    assert isinstance(back, Analysed)
    assert math.isnan(back.analysis.scores[0].value)


# --- channel -------------------------------------------------------------------------------------


def pair() -> tuple[Channel, Channel]:
    """Two channels that hear each other."""
    first, second = os.pipe(), os.pipe()
    return Channel(first[0], second[1]), Channel(second[0], first[1])


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_frames_keep_their_bounds(frames: list[bytes]) -> None:
    here, there = pair()
    try:
        for frame in frames:
            here.send(frame)
        assert [there.receive() for _ in frames] == frames
    finally:
        here.close()
        there.close()


def test_large_frames_from_many_threads_do_not_mix() -> None:
    here, there = pair()
    frames = [bytes([number]) * 300_000 for number in range(8)]
    threads = [threading.Thread(target=here.send, args=(frame,)) for frame in frames]
    for thread in threads:
        thread.start()
    assert sorted(there.receive() or b"" for _ in frames) == frames
    for thread in threads:
        thread.join()
    here.close()
    assert there.receive() is None
    there.close()
    there.close()


@pytest.mark.parametrize("written", [b"\x01", b"\x09\0\0\0abc", (LONGEST + 1).to_bytes(4, "little"), b"Hello, world"])
def test_what_is_no_frame_is_noticed(written: bytes) -> None:
    source, sink = os.pipe()
    os.write(sink, written)
    os.close(sink)
    channel = Channel(source, os.open(os.devnull, os.O_WRONLY))
    with pytest.raises(ChannelBroken):
        channel.receive()
    channel.close()


def test_nobody_listening_is_an_error_for_the_sender() -> None:
    here, there = pair()
    there.close()
    with pytest.raises(BrokenPipeError):
        here.send(b"x" * 10)
    here.close()


# --- deadlines -----------------------------------------------------------------------------------


def test_silence_is_overdue_after_the_timeout() -> None:
    flight = Flight(10, now=0)
    assert flight.deadline == 10
    flight.heard(5)
    assert flight.overdue(14.9) is None
    late = flight.overdue(15)
    assert late is not None
    assert (late.stage, late.ids) == ("silence", ())


def test_each_file_has_its_own_deadline_however_busy_the_others_are() -> None:
    flight = Flight(10, now=0)
    flight.busy("decode", (1,), 0)
    for second in range(1, 10):
        flight.busy("decode", (2,), second)
        flight.busy("", (2,), second)
    assert flight.ids == (1,)
    late = flight.overdue(10)
    assert late is not None
    assert (late.stage, late.ids, late.seconds) == ("decode", (1,), 10)


def test_a_batch_in_a_model_has_time_for_each_of_its_files() -> None:
    flight = Flight(10, now=0)
    flight.busy("embed:clip", (1, 2, 3), 0)
    assert flight.deadline == 30
    flight.busy("", (1, 2, 3), 20)
    assert flight.deadline == 30
    assert flight.ids == ()


def test_loading_a_model_may_take_long_and_ends_with_the_next_word() -> None:
    flight = Flight(10, now=0)
    flight.busy("load:clip", (), 0)
    assert flight.deadline == LOADING
    flight.busy("load:niqe", (), 400)
    assert flight.deadline == 400 + LOADING
    flight.busy("decode", (1,), 500)
    assert flight.deadline == 510
    assert Flight(10_000, 0).deadline == 10_000


# --- the child's loop ----------------------------------------------------------------------------


class Pretender:
    """An analysis that knows its answers beforehand."""

    def __init__(self, settings: Settings, threads: int, busy: Any) -> None:
        self._busy = busy
        self.state = AbilityState.READY

    def abilities(self) -> list[Ability]:
        self._busy("load:builtin", ())
        self.state = AbilityState.READY
        return self.states()

    def states(self) -> list[Ability]:
        return [Ability(kind="space", name="builtin", state=self.state)]

    def fingerprint(self, items: Any) -> Any:
        return (Fingerprint(id=item.id, sha256=b"%d" % item.id) for item in items)

    def analyze(self, wants: Any, ahead: Any) -> Any:
        self.state = AbilityState.UNAVAILABLE
        return (Analysis(id=number, sha256=b"%d" % number) for number in wants)


def test_the_child_answers_each_request_and_ends_with_the_pipe() -> None:
    core, child = pair()
    thread = threading.Thread(target=serve, args=(child, Pretender))
    thread.start()
    requests: list[Request] = [
        Hello(settings=SETTINGS, threads=1),
        Batch(items=(WorkItem(id=7, root=b"/", path=b"a", stamp=STAMP),)),
        Order(wants={7: Wants(photo=True)}),
        Survey(),
    ]
    for request in requests:
        core.send(encode(request))
    replies = [decode_reply(core.receive() or b"") for _ in range(9)]
    core.close()
    thread.join(5)
    child.close()
    assert not thread.is_alive()
    assert [type(reply).__name__ for reply in replies] == [
        "Busy", "Abilities", "Named", "Done", "Analysed", "Abilities", "Done", "Busy", "Abilities",
    ]  # fmt: skip
    changed, again = replies[5], replies[8]
    assert isinstance(changed, Abilities)
    assert isinstance(again, Abilities)
    assert changed.abilities[0].state is AbilityState.UNAVAILABLE
    assert again.abilities[0].state is AbilityState.READY


# --- small things --------------------------------------------------------------------------------


def test_standard_error_becomes_log_lines_and_last_words() -> None:
    tail: list[str] = []
    lines = b'{"event": "ready", "level": "info", "x": 1}\n{"event": "bad", "level": "error", "path": "a"}\n'
    lines += b'\nFatal Python error: Aborted\n{not json\n{"no": "log line"}\n\xff\xfe\n'
    lines += b'{"event": "e", "level": "nonsense"}\n{"event": "e", "level": ["x"]}\n'
    forward_lines(io.BytesIO(lines), tail)
    assert tail[:3] == ["bad path=a", "Fatal Python error: Aborted", "{not json"]
    assert len(tail) == 5


def test_the_memory_limit_counts_and_never_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 3 * 10**9))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert limit_memory("2GB") == 2 * 10**9
    assert limit_memory("8GB") == 3 * 10**9
    assert 0 < limit_memory("") <= 3 * 10**9
    assert all(hard == 3 * 10**9 for _, hard in asked)
