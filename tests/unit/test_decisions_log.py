"""The decisions log: replay, torn tails, damage."""

import errno
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.decisions import Decisions, Projections
from pixsortd.decisions.codec import decoded, encode
from pixsortd.errors import DecisionsDamaged, StateDirectoryError, StateDirectoryFull
from pixsortd.logfile import line_of, sound_bodies
from pixsortd.records import ConfirmGone, Decision, NameGroup, RatePhoto

SHA = bytes(range(32))
SOME: list[Decision] = [
    NameGroup(group="g1", name="Beach", members=(SHA,), at=1.0),
    RatePhoto(sha256=SHA, stars=4, at=2.0),
    ConfirmGone(root="0123456789ab", files=7, at=3.0),
    NameGroup(group="g2", name='line\nbreak \u2603 "quoted"', at=4.0),
]


def line(decision: Decision) -> bytes:
    """The decision as it stands in the log."""
    return line_of(encode(decision))


def kept(decisions: Decisions) -> list[Decision]:
    """Every decision in the log's file."""
    return list(decoded(sound_bodies(decisions.path)))


def written(directory: Path) -> Path:
    """A log that holds SOME; its path."""
    decisions = Decisions.open(directory)
    for decision in SOME:
        decisions.append(decision)
    decisions.close()
    return decisions.path


def test_what_was_said_is_there_again(tmp_path: Path) -> None:
    path = written(tmp_path / "deep" / "decisions")
    decisions = Decisions.open(path.parent)
    assert kept(decisions) == SOME
    assert decisions.torn is None
    assert decisions.constraints().names == {"g1": SOME[0].name, "g2": SOME[3].name}
    assert decisions.ratings() == {SHA: 4}
    assert path.read_bytes() == b"".join(line(decision) for decision in SOME)
    assert path.stat().st_mode & 0o777 == 0o600
    decisions.close()


def test_the_last_word_counts_and_can_be_taken_back() -> None:
    said: list[Decision] = [
        NameGroup(group="a", name="one"),
        NameGroup(group="b", name="x"),
        NameGroup(group="a", name="two"),
        NameGroup(group="b", name=None),
        RatePhoto(sha256=SHA, stars=5),
        RatePhoto(sha256=b"2" * 32, stars=0),
        RatePhoto(sha256=SHA, stars=None),
    ]
    found = Projections(said)
    assert found.curation.constraints().names == {"a": "two"}
    assert found.ratings() == {b"2" * 32: 0}


DECISIONS: st.SearchStrategy[Decision] = st.one_of(
    st.builds(
        NameGroup,
        group=st.text(max_size=5),
        name=st.none() | st.text(max_size=20),
        members=st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
        at=st.floats(0, 1e10),
    ),
    st.builds(RatePhoto, sha256=st.binary(min_size=32, max_size=32), stars=st.none() | st.integers(0, 5)),
    st.builds(ConfirmGone, root=st.text(max_size=12), files=st.integers(0, 10**6)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(DECISIONS, max_size=6), more=DECISIONS)
def test_any_decision_survives(tmp_path: Path, said: list[Decision], more: Decision) -> None:
    directory = tmp_path / os.urandom(6).hex()
    directory.mkdir()
    (directory / "decisions.log").write_bytes(b"".join(map(line, said)))
    decisions = Decisions.open(directory)
    decisions.append(more)
    decisions.close()
    again = Decisions.open(directory)
    assert kept(again) == [*said, more]
    again.close()


def test_a_log_cut_anywhere_opens_with_all_whole_lines(tmp_path: Path) -> None:
    data = b"".join(map(line, SOME))
    ends = [len(b"".join(map(line, SOME[:i]))) for i in range(len(SOME) + 1)]
    lengths = {*range(0, len(data), 17), *(end + by for end in ends for by in (-2, -1, 0, 1, 9))}
    for length in sorted(length for length in lengths if 0 <= length <= len(data)):
        directory = tmp_path / str(length)
        directory.mkdir()
        (directory / "decisions.log").write_bytes(data[:length])
        decisions = Decisions.open(directory)
        # A line that lacks only its end is whole: its checksum says so.
        whole = sum(length >= len(b"".join(map(line, SOME[: i + 1]))) - 1 for i in range(len(SOME)))
        assert kept(decisions) == SOME[:whole]
        rest = data[:length][len(b"".join(map(line, SOME[:whole]))) :]
        assert (decisions.torn is not None) == bool(rest)
        if decisions.torn is not None:
            assert decisions.torn.read_bytes() == rest
        decisions.append(SOME[1])
        decisions.close()
        again = Decisions.open(directory)
        assert kept(again) == [*SOME[:whole], SOME[1]]
        assert again.torn is None
        again.close()


def test_a_tail_of_zeros_is_torn(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes() + bytes(300))
    decisions = Decisions.open(tmp_path)
    assert kept(decisions) == SOME
    assert decisions.torn is not None
    decisions.close()


def test_damage_before_the_end_is_never_guessed_at(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    last = len(data) - len(line(SOME[-1]))
    for position in range(0, last, 3):
        flipped = bytearray(data)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(DecisionsDamaged, match=r"line [0-9]+ is damaged"):
            Decisions.open(tmp_path)
        assert path.read_bytes() == flipped, "nothing was changed"


def test_damage_in_the_last_line_is_not_taken_for_a_torn_one(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    with pytest.raises(DecisionsDamaged, match="line 4"):
        Decisions.open(tmp_path)


def test_a_decision_of_a_later_version_is_kept_but_not_used(tmp_path: Path) -> None:
    path = written(tmp_path)
    body = b'{"type":"PinPhoto","sha256":"AA=="}'
    strange = b"%08x %s\n" % (zlib.crc32(body), body)
    path.write_bytes(path.read_bytes() + strange)
    decisions = Decisions.open(tmp_path)
    assert kept(decisions) == SOME
    decisions.append(SOME[0])
    decisions.close()
    assert path.read_bytes().endswith(strange + line(SOME[0]))


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_failed_append_leaves_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = written(tmp_path)
    before = path.read_bytes()
    decisions = Decisions.open(tmp_path)
    real, written_at = os.pwrite, []

    def half(handle: int, data: bytes, position: int) -> int:
        if written_at:
            raise OSError(errno.ENOSPC, "full")
        written_at.append(position)
        return real(handle, data[:5], position)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, call, half if call == "pwrite" else full)
    with pytest.raises(StateDirectoryFull, match="disk is full"):
        decisions.append_all([RatePhoto(sha256=SHA, stars=1), SOME[0]])
    assert path.read_bytes() == before
    assert decisions.ratings() == {SHA: 4}
    monkeypatch.undo()
    decisions.append(SOME[0])
    decisions.close()
    assert path.read_bytes() == before + line(SOME[0])


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateDirectoryError):
        Decisions.open(tmp_path / "file" / "below")
