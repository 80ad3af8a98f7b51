"""Messages survive a pipe that cuts anywhere."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.frames import Unframer, frame
from pixsortd.grouping.request import Failure, FoundGroup, Message, Progress, Reply
from pixsortd.records import Reason

MESSAGES: list[Message] = [
    Progress(done=1, total=4, what="looking"),
    Failure(reason=Reason(code="memory", message="too little")),
    Reply(
        groups=(
            FoundGroup(
                id="g1",
                rows=b"\0\0\0\0",
                strengths=b"\0\0\0?",
                nearest=b"\1\0\0\0",
                similarities=b"\0\0\0?",
                exemplars=(b"\0" * 32,),
                floor=0.4,
                cohesion=0.3,
            ),
        ),
        dormant=("g2",),
        seconds={"read": 0.1},
    ),
]


@given(st.lists(st.integers(0, 400), max_size=8))
def test_any_cuts_give_the_same_messages(cuts: list[int]) -> None:
    stream = b"".join(frame(message) for message in MESSAGES)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    unframer = Unframer()
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert [message for piece in pieces for message in unframer.feed(piece)] == MESSAGES


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        list(Unframer().feed(b"\0\0\0\1\xc1"))
