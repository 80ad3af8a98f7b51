"""What happens to files when workers die: each has one outcome, and the poison runs twice at most."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config import WorkerSettings
from pixsortd.errors import WorkerFailed
from pixsortd.records import (
    Ability,
    AbilityState,
    Analysis,
    FileStamp,
    Fingerprint,
    Photo,
    Reason,
    Wants,
    WorkItem,
)
from pixsortd.workers.dispatch import Crashed, Dispatcher, Outcome
from pixsortd.workers.local import Stopped, WorkerDied

STAMP = FileStamp(size=1, mtime_ns=0, ctime_ns=0, inode=0, device=0)
ABILITIES = (Ability(kind="space", name="builtin", state=AbilityState.READY),)


class World:
    """Files by path with their content; which contents kill, where; and what has been run."""

    def __init__(
        self, contents: Sequence[bytes] = (), kills_read: str = "", kills: str = "", refuses: str = ""
    ) -> None:
        self.contents = contents
        self.kills_read, self.kills, self.refuses = kills_read.encode(), kills.encode(), refuses.encode()
        self.runs: Counter[bytes] = Counter()
        self.workers: list[FakeWorker] = []
        self.ignores: set[int] = set()
        self.ahead: list[list[int]] = []
        self.start_fails = False

    def worker(self) -> "FakeWorker":
        self.workers.append(FakeWorker(self))
        return self.workers[-1]

    @property
    def items(self) -> list[WorkItem]:
        return [WorkItem(id=n, root=b"/", path=b"%d" % n, stamp=STAMP) for n in range(len(self.contents))]


class FakeWorker:
    """Dies as a process would: at once, in the middle of what it was doing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.abilities: tuple[Ability, ...] = ()
        self.idle_since: float | None = None
        self.alive = False
        self.stopped = False
        self.surveys = 0
        self.held: dict[int, bytes] = {}

    def start(self) -> None:
        if self.stopped:
            raise Stopped
        if self.world.start_fails:
            raise WorkerFailed("cannot start")
        self.alive = True
        self.abilities = ABILITIES
        self.idle_since = time.monotonic()

    def survey(self) -> None:
        self.surveys += 1

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        assert self.alive
        self.held = {}
        for item in items:
            content = self.world.contents[item.id]
            if content and content[:1] in self.world.kills_read:
                self.world.runs[content] += 1
                self._die(item.id)
            if content == b"":
                yield Fingerprint(id=item.id, changed=True)
                continue
            self.held[item.id] = content
            yield Fingerprint(id=item.id, sha256=content)

    def analyze(self, wants: Mapping[int, Wants], ahead: Sequence[WorkItem]) -> Iterator[Analysis]:
        assert self.alive
        self.world.ahead.append([item.id for item in ahead])
        for number in wants:
            content = self.held[number]
            self.world.runs[content] += 1
            if self.stopped:
                raise Stopped
            if content[:1] in self.world.kills:
                self._die(number)
            if number in self.world.ignores:
                continue
            refused = content[:1] in self.world.refuses
            yield Analysis(
                id=number,
                sha256=content,
                photo=None if refused else Photo(sha256=content, size=1, format="JPEG", width=1, height=1),
                failure=Reason(code="decode-failed", message="no") if refused else None,
            )

    def rss(self) -> int:
        return 1

    def stop(self) -> None:
        self.stopped = True
        self.alive = False

    def _die(self, number: int) -> None:
        self.alive = False
        raise WorkerDied(Reason(code="worker-crashed", message="SIGABRT"), (number,))


def wants_all(hashes: Mapping[int, bytes]) -> dict[int, Wants]:
    return dict.fromkeys(hashes, Wants(photo=True))


def run(
    world: World, needs: Callable[[Mapping[int, bytes]], Mapping[int, Wants]] = wants_all
) -> tuple[Dispatcher, dict[int, Outcome]]:
    dispatcher = Dispatcher(world.worker, WorkerSettings())
    outcomes = list(dispatcher.run(world.items, needs))
    assert len({o.id for o in outcomes}) == len(outcomes)
    return dispatcher, {o.id: o for o in outcomes}


def test_a_healthy_batch_needs_one_worker() -> None:
    dispatcher, outcomes = run(World([b"a", b"b", b""]))
    assert [type(outcomes[n]) for n in range(3)] == [Analysis, Analysis, Fingerprint]
    assert (dispatcher.started, dispatcher.died) == (1, 0)
    assert dispatcher.abilities() == ABILITIES


def test_the_poison_is_found_and_the_rest_goes_on() -> None:
    world = World([b"a", b"b", b"x", b"c", b"d"], kills="x")
    dispatcher, outcomes = run(world)
    poison = outcomes[2]
    assert isinstance(poison, Crashed)
    assert (poison.attempts, poison.sha256, poison.reason.code) == (2, b"x", "worker-crashed")
    assert "SIGABRT" in poison.reason.message
    assert all(isinstance(outcomes[n], Analysis) for n in (0, 1, 3, 4))
    assert world.runs[b"x"] == 2
    # The batch's, one for those that were not at fault and then for the suspect alone.
    assert (dispatcher.started, dispatcher.died) == (2, 2)


def test_a_single_file_is_run_twice_as_well() -> None:
    world = World([b"x"], kills="x")
    assert isinstance(run(world)[1][0], Crashed)
    assert world.runs[b"x"] == 2


def test_a_file_that_kills_while_it_is_read() -> None:
    world = World([b"a", b"x", b"b"], kills_read="x")
    _, outcomes = run(world)
    crashed = outcomes[1]
    assert isinstance(crashed, Crashed)
    assert crashed.sha256 is None
    assert world.runs[b"x"] == 2
    assert isinstance(outcomes[0], Analysis)


def test_copies_are_analysed_once_and_share_the_outcome() -> None:
    world = World([b"a", b"a", b"x", b"x", b"a", b"x", b"r", b"r"], kills="x", refuses="r")
    _, outcomes = run(world)
    assert world.runs[b"x"] == 2
    assert [o.attempts for n in (2, 3, 5) if isinstance(o := outcomes[n], Crashed)] == [2, 2, 2]
    copies = [outcomes[n] for n in (0, 1, 4)]
    assert [isinstance(o, Analysis) and o.photo is not None for o in copies].count(True) == 1
    refused = [o.failure.code for n in (6, 7) if isinstance(o := outcomes[n], Analysis) and o.failure]
    assert refused == ["decode-failed"] * 2


def test_what_is_known_already_is_answered_without_analysis() -> None:
    world = World([b"a", b"b", b"a"])
    asked: list[dict[int, bytes]] = []

    def needs(hashes: Mapping[int, bytes]) -> dict[int, Wants]:
        asked.append(dict(hashes))
        return {0: Wants()}

    _, outcomes = run(world, needs)
    assert asked == [{0: b"a", 1: b"b"}]
    assert world.runs.total() == 0
    assert all(o == Analysis(id=n, sha256=world.contents[n]) for n, o in outcomes.items())


def test_no_answer_at_all_is_treated_like_a_crash() -> None:
    world = World([b"a", b"b"])
    world.ignores = {1}
    _, outcomes = run(world)
    assert isinstance(outcomes[1], Crashed)
    assert outcomes[1].reason.code == "no-answer"


def test_outcomes_come_one_by_one() -> None:
    world = World([b"a", b"x", b"b"], kills="x")
    stream = Dispatcher(world.worker, WorkerSettings()).run(world.items, wants_all)
    first = next(stream)
    assert (first.id, len(world.workers)) == (0, 1)


def test_a_worker_that_cannot_start_is_said_and_can_be_tried_again() -> None:
    world = World([b"a"])
    world.start_fails = True
    dispatcher = Dispatcher(world.worker, WorkerSettings())
    for _ in range(2):
        with pytest.raises(WorkerFailed):
            list(dispatcher.run(world.items, wants_all))
    assert not dispatcher.running
    world.start_fails = False
    assert len(list(dispatcher.run(world.items, wants_all))) == 1


def test_a_worker_that_died_while_idle_is_replaced_without_a_word() -> None:
    world = World([b"a"])
    dispatcher, _ = run(world)
    world.workers[0].alive = False
    assert len(list(dispatcher.run(world.items, wants_all))) == 1
    assert (dispatcher.started, dispatcher.died) == (2, 0)


def test_an_idle_worker_is_ended_and_what_it_could_do_remembered() -> None:
    world = World([b"a"])
    dispatcher = Dispatcher(world.worker, WorkerSettings())
    assert dispatcher.end_if_idle(100) is None
    list(dispatcher.run(world.items, wants_all))
    left = dispatcher.end_if_idle(100)
    assert left is not None
    assert 0 < left <= 100
    assert dispatcher.running
    assert dispatcher.rss() == 1
    assert dispatcher.end_if_idle(0) is None
    assert not dispatcher.running
    assert dispatcher.rss() == 0
    assert dispatcher.abilities() == ABILITIES


def test_a_survey_starts_a_worker_or_asks_the_running_one() -> None:
    world = World()
    dispatcher = Dispatcher(world.worker, WorkerSettings())
    assert dispatcher.survey() == ABILITIES
    assert world.workers[0].surveys == 0
    dispatcher.survey()
    assert (len(world.workers), world.workers[0].surveys) == (1, 1)


def test_stop_ends_a_run_in_another_thread_and_starts_no_other() -> None:
    world = World([b"%d" % n for n in range(50)])
    dispatcher = Dispatcher(world.worker, WorkerSettings())
    begun, stopped = threading.Event(), threading.Event()
    outcomes: list[Outcome] = []

    def work() -> None:
        for outcome in dispatcher.run(world.items, wants_all):
            outcomes.append(outcome)
            begun.set()
            stopped.wait(5)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(5)
    dispatcher.stop()
    stopped.set()
    thread.join(5)
    assert not thread.is_alive()
    assert 1 <= len(outcomes) < 50
    assert not any(isinstance(o, Crashed) for o in outcomes)
    assert list(dispatcher.run(world.items, wants_all)) == []
    assert len(world.workers) == 1


contents = st.lists(st.sampled_from([b"", b"a", b"b", b"r1", b"x1", b"x2", b"y1", b"y2"]), max_size=9)


@given(contents, st.sets(st.sampled_from("xy")), st.sets(st.sampled_from("xy")))
def test_every_file_has_one_outcome_and_no_content_runs_a_third_time(
    files: list[bytes], in_read: set[str], in_models: set[str]
) -> None:
    world = World(files, kills_read="".join(in_read), kills="".join(in_models), refuses="r")
    _, outcomes = run(world)
    assert set(outcomes) == set(range(len(files)))
    for number, content in enumerate(files):
        poisonous = content[:1].decode() in in_read | in_models if content else False
        assert isinstance(outcomes[number], Crashed) == poisonous
        if content and content[:1].decode() in in_models - in_read:
            assert world.runs[content] <= 2
    # Killed before it had a name, a file can only be known by its path: twice for each.
    for content, count in world.runs.items():
        assert count <= 2 * files.count(content)


def test_what_comes_next_is_told_with_the_first_try_only() -> None:
    world = World([b"a", b"x", b"b"], kills="x")
    ahead = [WorkItem(id=n, root=b"/", path=b"next", stamp=STAMP) for n in (7, 8)]
    plain = {o.id: o for o in Dispatcher(World([b"a", b"x", b"b"], kills="x").worker, WorkerSettings()).run(
        world.items, wants_all
    )}  # fmt: skip
    hinted = {o.id: o for o in Dispatcher(world.worker, WorkerSettings()).run(world.items, wants_all, ahead)}
    assert world.ahead[0] == [7, 8]
    assert set(map(tuple, world.ahead[1:])) == {()}
    assert hinted == plain
