"""What the line takes up: how much at a time, what comes next, and which scores are made at once."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.api.ports import StageName
from pixsortd.config import ScoreSettings, Settings, Size, WorkerSettings
from pixsortd.daemon.pipeline.abilities import Abilities
from pixsortd.daemon.pipeline.agenda import Agenda
from pixsortd.daemon.pipeline.orders import Order
from pixsortd.daemon.pipeline.pace import FIRST, LEAST, SECONDS, Pace, room
from pixsortd.records import Ability, AbilityState, FileRow, FileStamp, FileState, MetricInfo, Wants
from pixsortd.workers.child import physical_memory
from tests.unit.index_material import SPACE

ROOT = "r1"
ROOTS = (ROOT,)


class Backlog:
    """An index in a list: files that wait, best first, and known photos that lack something."""

    def __init__(self, waiting: int = 0, lacking: int = 0) -> None:
        self.waiting = [row(n) for n in range(waiting)]
        self.missing = [row(1000 + n) for n in range(lacking)]
        self.sweeps = 0

    def next_batch(self, files, size, roots, skip=()) -> list[FileRow]:
        return [row for row in self.waiting if (row.root, row.path) not in skip][:files]

    def lacking(self, space_keys, metrics, limit, roots) -> list[FileRow]:
        taken, self.missing = self.missing[:limit], self.missing[limit:]
        return taken

    def lacking_count(self, space_keys, metrics) -> int:
        return len(self.missing)

    def sweep_again(self) -> None:
        self.sweeps += 1

    def locations(self, sha256) -> list[FileRow]:
        return [msgspec.structs.replace(row(int(sha256)), state=FileState.INDEXED)]

    def analysis_of(self, sha256) -> tuple[bool, frozenset[bytes], frozenset[str]]:
        return False, frozenset(), frozenset()

    def abilities(self) -> list[Ability]:
        """A space, a metric that costs little while decoding, and one that is scored in batches."""
        return [
            Ability(kind="space", name="builtin", state=AbilityState.READY, space=SPACE),
            *(
                Ability(
                    kind="metric",
                    name=name,
                    state=AbilityState.READY,
                    metric=MetricInfo(name=name, lower_better=True),
                    inline=inline,
                )
                for name, inline in (("quick", True), ("slow", False))
            ),
        ]

    def save_ability(self, ability) -> None:
        pass


def row(number: int) -> FileRow:
    stamp = FileStamp(size=1000, mtime_ns=number, ctime_ns=0, inode=number, device=0)
    return FileRow(root=ROOT, path=b"%d" % number, stamp=stamp, state=FileState.PENDING)


def agenda(backlog: Backlog, holds: set[StageName] | None = None, files: int = 4, idle=lambda: None) -> Agenda:
    settings = Settings(
        score=ScoreSettings(metrics=("quick", "slow")),
        worker=WorkerSettings(batch_files=files),
    )
    return Agenda(lambda: settings, backlog, Abilities(lambda: settings, backlog), holds or set(), idle)


def names(rows: list[FileRow]) -> list[int]:
    return [int(row.path) for row in rows]


def wanted(subject: Agenda) -> tuple[str, ...]:
    return subject.wants(b"7").metrics


# --- one pass ------------------------------------------------------------------------------------


def test_a_backlog_gets_the_scores_that_cost_little_and_the_others_after() -> None:
    backlog = Backlog(waiting=10)
    subject = agenda(backlog)
    assert names(subject.next_batch(ROOTS)) == [0, 1, 2, 3]
    assert subject.wants(b"7") == Wants(photo=True, spaces=(SPACE.name,), metrics=("quick",))
    assert subject.unscored == 1
    backlog.waiting, backlog.missing = [], [row(7)]
    assert names(subject.next_batch(ROOTS)) == [7]
    assert backlog.sweeps == 1
    assert wanted(subject) == ("quick", "slow")


def test_files_without_a_backlog_behind_them_are_scored_at_once() -> None:
    subject = agenda(Backlog(waiting=4))
    assert len(subject.next_batch(ROOTS)) == 4
    assert wanted(subject) == ("quick", "slow")
    assert subject.unscored == 0


def test_nothing_is_scored_while_a_person_holds_it() -> None:
    backlog = Backlog(waiting=10)
    subject = agenda(backlog, {StageName.SCORE})
    subject.next_batch(ROOTS)
    assert wanted(subject) == ()
    backlog.waiting = backlog.waiting[:1]
    subject.next_batch(ROOTS)
    assert wanted(subject) == ()


# --- what comes next -----------------------------------------------------------------------------


def test_what_probably_comes_next_is_known_and_not_taken() -> None:
    backlog = Backlog(waiting=10)
    subject = agenda(backlog)
    first = subject.next_batch(ROOTS)
    assert names(subject.ahead) == [4, 5, 6, 7]
    # While the first is still being committed, it is not offered again, nor are those after it held back.
    assert names(subject.next_batch(ROOTS, [(row.root, row.path) for row in first])) == [4, 5, 6, 7]
    assert names(subject.ahead) == [8, 9]
    assert names(subject.next_batch(ROOTS)) == [0, 1, 2, 3]


def test_what_waits_comes_after_an_order_too() -> None:
    backlog = Backlog(waiting=3)
    subject = agenda(backlog)
    subject.orders.add(Order([b"70"], ["slow"], False, lambda _: None, lambda _: None))
    batches = []
    for _ in range(2):
        batches.append(names(subject.next_batch(ROOTS)))
        if batches[-1] == [70]:
            assert names(subject.ahead) == [0, 1, 2]
    assert [70] in batches


def test_known_photos_wait_for_what_is_being_committed() -> None:
    backlog, idle = Backlog(waiting=2, lacking=6), []
    subject = agenda(backlog, idle=lambda: idle.append(1))
    busy = [(row.root, row.path) for row in subject.next_batch(ROOTS)]
    backlog.waiting = []
    assert subject.next_batch(ROOTS, busy) == []
    assert not idle
    assert names(subject.next_batch(ROOTS)) == [1000, 1001, 1002, 1003]
    assert idle == [1]
    # From one of them to the next there is nothing to wait for.
    assert names(subject.next_batch(ROOTS, [(ROOT, b"1000")])) == [1004, 1005]


# --- how much at a time --------------------------------------------------------------------------


def test_batches_grow_while_they_are_quick_and_shrink_when_they_are_slow() -> None:
    subject = agenda(Backlog(waiting=1000), files=256)
    sizes = []
    for per_file in [0.001] * 6 + [1.0] * 3:
        sizes.append(len(subject.next_batch(ROOTS)))
        subject.processed(sizes[-1], sizes[-1] * per_file)
    assert sizes == [16, 32, 64, 128, 256, 256, 256, LEAST, LEAST]


def test_a_batch_that_says_nothing_of_the_next_changes_nothing() -> None:
    subject = agenda(Backlog(waiting=1000), files=256)
    subject.processed(len(subject.next_batch(ROOTS)), None)
    assert len(subject.next_batch(ROOTS)) == FIRST


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1e6)), max_size=20), st.integers(1, 1024))
def test_a_batch_has_some_files_and_never_more_than_allowed(took: list[tuple[int, float]], most: int) -> None:
    pace = Pace()
    for files, seconds in took:
        pace.took(files, seconds)
        assert min(LEAST, most) <= pace.files(most) <= most
        if seconds > SECONDS:
            assert pace.files(1024) <= max(LEAST, files)


def test_bytes_are_bounded_by_the_memory_there_is() -> None:
    assert room(WorkerSettings(memory="640MB")) == 20 * 10**6
    assert room(WorkerSettings(batch_bytes=Size(10**6))) == 10**6
    assert room(WorkerSettings(batch_bytes=Size(10**15))) == physical_memory() // 32


# --- who hears that all is done ------------------------------------------------------------------


def test_idleness_is_told_after_the_files_and_again_after_known_photos() -> None:
    backlog, told = Backlog(waiting=1, lacking=6), []
    subject = agenda(backlog, idle=lambda: told.append(len(backlog.missing)))
    assert len(subject.next_batch(ROOTS)) == 1
    backlog.waiting = []
    while subject.next_batch(ROOTS):
        pass
    assert told == [6, 0], "known photos may have got a space in which groups are now to be formed"
    assert subject.next_batch(ROOTS) == []
    assert told == [6, 0]


def test_the_end_is_told_once_nothing_is_in_flight() -> None:
    told: list[bool] = []
    subject = agenda(Backlog(lacking=1), idle=lambda: told.append(True))
    [last] = subject.next_batch(ROOTS)
    assert subject.next_batch(ROOTS, [(last.root, last.path)]) == []
    assert told == []
    assert subject.next_batch(ROOTS) == []
    assert told == [True]


def test_idleness_is_told_at_the_start_while_scoring_is_held() -> None:
    told: list[bool] = []
    subject = agenda(Backlog(lacking=1), {StageName.SCORE}, idle=lambda: told.append(True))
    assert subject.next_batch(ROOTS) == subject.next_batch(ROOTS) == []
    assert told == [True]
