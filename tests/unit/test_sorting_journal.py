"""The journal of moves: replay, torn tails, damage; and the trash that follows from it."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pixsortd.errors import JournalDamaged
from pixsortd.records import FileStamp, Place
from pixsortd.sorting.contents import DISCARD, PURGE, RESTORE, Contents, in_runs
from pixsortd.sorting.journal import NAME, Deed, Ended, Entry, Journal, Move, Parcel, Step, Stopped

STAMP = FileStamp(size=10, mtime_ns=1, ctime_ns=2, inode=3, device=4)


def move(number: int, kind: str = DISCARD, item: str | None = None, path: bytes = b"a/b.jpg", at: float = 0.0) -> Move:
    source, stored = Place(base=b"/r", path=path), Place(base=b"/r", path=b".pixsortd-trash/x")
    step = Step(source=source, destination=None if kind == PURGE else stored, stamp=STAMP, shown="/r/a/b.jpg")
    parcel = Parcel(id=item or f"i{number}", image=bytes([number % 256]) * 32, steps=(step,))
    return Move(id=f"m{number}", kind=kind, at=at, parcels=(parcel,))


def opened(directory: Path) -> tuple[Journal, list[Move]]:
    done: list[Move] = []
    return Journal(directory, done.append), done


PATHS = st.binary(min_size=1, max_size=40).filter(lambda path: b"\0" not in path)


@settings(max_examples=40, deadline=None)
@given(
    said=st.lists(st.tuples(PATHS, st.sampled_from(["open", "done", "undone"])), max_size=8),
    cut=st.integers(0, 400),
)
def test_every_whole_line_survives_and_the_rest_is_open(said: list[tuple[bytes, str]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        journal, _ = opened(Path(home))
        moves = [move(number, path=path) for number, (path, _) in enumerate(said)]
        for one, (_, end) in zip(moves, said, strict=True):
            journal.plan([one])
            if end != "open":
                journal.end([Ended(move=one.id, done=end == "done", at=1.0)])
        journal.close()
        journal, done = opened(Path(home))
        assert done == [one for one, (_, end) in zip(moves, said, strict=True) if end == "done"]
        assert list(journal.open.values()) == [one for one, (_, end) in zip(moves, said, strict=True) if end == "open"]
        journal.close()
        log = Path(home) / NAME
        log.write_bytes(log.read_bytes()[: -cut or None])
        journal, rest = opened(Path(home))
        assert rest == done[: len(rest)]
        journal.plan([move(1000)])
        journal.close()
        again, same = opened(Path(home))
        assert (same, "m1000" in again.open, again.torn) == (rest, True, None)
        again.close()


def test_damage_before_the_end_is_never_guessed_at(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path)
    journal.plan([move(1), move(2)])
    journal.close()
    path = tmp_path / NAME
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalDamaged, match="line 1"):
        opened(tmp_path)
    assert path.read_bytes() == data


def test_a_line_of_a_later_version_is_left_in_peace(tmp_path: Path) -> None:
    from pixsortd.logfile import line_of

    (tmp_path / NAME).write_bytes(line_of(b'{"type":"rotated","id":"x"}'))
    journal, done = opened(tmp_path)
    assert (done, journal.open) == ([], {})
    journal.close()


def test_lines_from_before_there_was_sorting_are_understood(tmp_path: Path) -> None:
    from pixsortd.logfile import line_of

    place = b'{"base":"L3I=","path":"YS5qcGc="}'
    stamp = b'{"size":10,"mtime_ns":1,"ctime_ns":2,"inode":3,"device":4}'
    step = b'{"source":%b,"destination":%b,"stamp":%b,"shown":"/r/a.jpg"}' % (place, place, stamp)
    parcel = b'{"id":"i","image":"AAAA","steps":[%b]}' % step
    planned = b'{"type":"planned","id":"m","kind":"discard","at":1.0,"parcels":[%b]}' % parcel
    ended = b'{"type":"ended","move":"m","done":true,"at":2.0}'
    (tmp_path / NAME).write_bytes(line_of(planned) + line_of(ended))
    journal, (done,) = opened(tmp_path)
    assert [step.deed for step in done.steps] == [Deed.MOVE]
    contents = Contents()
    contents.apply(done)
    assert [item.id for item in contents.all()] == ["i"]
    journal.close()


@given(st.lists(st.tuples(st.sampled_from(["a", "a-1", "b", ""]), st.booleans()), max_size=12))
def test_the_lines_of_a_run_are_found_among_all_others(said: list[tuple[str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        journal, _ = opened(Path(home))
        expected: dict[str, list[Entry]] = {"a": [], "a-1": [], "b": [], "none": []}
        for number, (run, whole) in enumerate(said):
            one = replace(move(number), plan=run, step=f"s{number}")
            end = Ended(move=one.id, done=True, at=1.0, plan=run)
            note = Stopped(plan=run or "c", step="x", why="a-1 is b", at=1.0)
            journal.plan([one])
            journal.end([end] if whole else [], [note])
            expected.setdefault(run or "c", []).extend([one, *([end] if whole else []), note] if run else [note])
        for _ in range(2):
            assert {run: list(journal.of_run(run)) for run in expected} == expected
            journal.close()
            journal, _ = opened(Path(home))
        journal.close()


def test_the_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path / "journal")
    journal.close()
    assert os.stat(tmp_path / "journal" / NAME).st_mode & 0o777 == 0o600


def test_contents_follow_from_what_was_done() -> None:
    contents = Contents()
    for number in range(5):
        contents.apply(move(number, at=float(number)))
    contents.apply(move(3, at=3.0))
    assert [item.id for item in contents.page(None, 2)] == ["i4", "i3"]
    assert [item.id for item in contents.page((3.0, "i3"), 9)] == ["i2", "i1", "i0"]
    assert (len(contents), contents.bytes, contents.sizes()) == (5, 50, {b"/r": 50})
    assert [item.id for item in contents.older_than(2.0)] == ["i0", "i1"]
    contents.apply(move(10, RESTORE, "i3"))
    contents.apply(move(11, PURGE, "i0"))
    contents.apply(move(11, PURGE, "i0"))
    assert [item.id for item in contents.all()] == ["i1", "i2", "i4"]
    assert contents.images() == {bytes([number]) * 32 for number in (1, 2, 4)}
    assert [item.id for item in contents.page((3.0, "i3"), 9)] == ["i2", "i1"], "a cursor outlives its item"


@given(
    groups=st.lists(
        st.lists(st.builds(Place, base=st.just(b"/r"), path=st.sampled_from([b"a/x", b"b/x", b"c/x"]))), max_size=30
    ),
    files=st.integers(1, 5),
    directories=st.integers(1, 2),
)
def test_runs_are_bounded_and_complete(groups: list[list[Place]], files: int, directories: int) -> None:
    runs, start = in_runs(groups, files, directories), 0
    assert sum(runs) == len(groups)
    for count in runs:
        run = groups[start : start + count]
        start += count
        places = [place for group in run for place in group]
        assert count == 1 or len(places) <= files
        assert count == 1 or len({place.directory for place in places}) <= directories
