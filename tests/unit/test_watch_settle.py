"""Settling: nothing is ready before two equal looks a quiet time apart, whatever the clocks say."""

from hypothesis import given
from hypothesis import strategies as st

from pixsortd.records import FileStamp
from pixsortd.watch.settle import Outcome, Settling, same_content

QUIET, CEILING = 2.0, 60.0


def stamp(size: int = 1, mtime: int = 0) -> FileStamp:
    return FileStamp(size=size, mtime_ns=mtime, ctime_ns=size, inode=7, device=1)


def test_two_equal_looks_a_quiet_time_apart() -> None:
    settling = Settling(QUIET, CEILING)
    assert settling.observe(b"a", stamp(), 0) is Outcome.WAITING
    assert settling.next_due() == 2.0
    assert settling.due(1.9) == []
    assert settling.due(2.0) == [b"a"]
    assert settling.observe(b"a", stamp(), 2.0) is Outcome.READY
    assert b"a" not in settling
    assert settling.next_due() is None


def test_a_change_starts_anew_and_an_early_look_does_not_help() -> None:
    settling = Settling(QUIET, CEILING)
    settling.observe(b"a", stamp(1), 0)
    assert settling.observe(b"a", stamp(2), 1.5) is Outcome.WAITING
    assert settling.observe(b"a", stamp(2), 3.0) is Outcome.WAITING
    assert settling.next_due() == 3.5
    assert settling.observe(b"a", stamp(2), 3.5) is Outcome.READY


def test_vanished() -> None:
    settling = Settling(QUIET, CEILING)
    settling.observe(b"a", stamp(), 0)
    assert settling.observe(b"a", None, 1) is Outcome.VANISHED
    assert b"a" not in settling
    assert settling.due(100) == []


def test_never_settling_is_said_once_and_ends_when_it_rests() -> None:
    settling = Settling(QUIET, CEILING)
    outcomes = [settling.observe(b"a", stamp(size), size) for size in range(100)]
    assert outcomes.count(Outcome.NEVER) == 1
    assert outcomes[60] is Outcome.NEVER
    assert b"a" in settling
    assert settling.waiting == 0
    assert settling.next_due() == 99 + CEILING / 4
    assert settling.observe(b"a", stamp(99), 102) is Outcome.READY
    assert b"a" not in settling
    assert settling.waiting == 0


def test_a_due_path_that_is_not_looked_at_is_due_again() -> None:
    settling = Settling(QUIET, CEILING)
    settling.observe(b"a", stamp(), 0)
    assert settling.due(5) == [b"a"]
    assert settling.due(5) == []
    assert settling.due(7) == [b"a"]


def test_the_device_number_is_not_content() -> None:
    assert same_content(stamp(), FileStamp(size=1, mtime_ns=0, ctime_ns=1, inode=7, device=99))


looks = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b"]),
        st.one_of(st.none(), st.builds(stamp, st.integers(1, 3), st.sampled_from([0, 915148800 * 10**9]))),
        st.floats(0, 30),
    ),
    max_size=60,
)


@given(looks)
def test_ready_means_two_equal_looks_with_nothing_else_between(
    steps: list[tuple[bytes, FileStamp | None, float]],
) -> None:
    settling = Settling(QUIET, CEILING)
    history: dict[bytes, list[tuple[float, FileStamp]]] = {}
    now = 0.0
    for path, seen, wait in steps:
        now += wait
        outcome = settling.observe(path, seen, now)
        if seen is None:
            assert outcome is Outcome.VANISHED
            history.pop(path, None)
            continue
        past = history.setdefault(path, [])
        past.append((now, seen))
        since = now
        for at, what in reversed(past):
            if what != seen:
                break
            since = at
        assert (outcome is Outcome.READY) == (now - since >= QUIET)
        if outcome is Outcome.READY:
            del history[path]
    assert {path for path in (b"a", b"b") if path in settling} == history.keys()


@given(looks)
def test_every_waiting_file_comes_due(steps: list[tuple[bytes, FileStamp | None, float]]) -> None:
    settling = Settling(QUIET, CEILING)
    now = 0.0
    for path, seen, wait in steps:
        now += wait
        settling.observe(path, seen, now)
    waiting = {path for path in (b"a", b"b") if path in settling}
    assert set(settling.due(now + CEILING)) == waiting
    assert settling.waiting <= len(waiting)
