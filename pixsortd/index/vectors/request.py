"""What the core asks of the analyst process when a search is trained, and what comes back, a line each."""

from collections.abc import Iterator

import msgspec

from pixsortd.records import Record


class TrainRequest(Record, frozen=True, kw_only=True):
    """One inverted tier to be made."""

    index: str
    """Directory of the index; it is opened for reading only."""
    map_size: int
    space: bytes
    """Key of the space."""
    target: str
    """The file to write, whole or not at all."""
    niceness: int = 10
    threads: int = 1


class TrainProgress(Record, frozen=True, kw_only=True, tag="progress"):
    """How far it is, and what comes now."""

    done: int
    total: int
    what: str


class Trained(Record, frozen=True, kw_only=True, tag="trained"):
    """The file is there."""

    vectors: int


class TrainFailure(Record, frozen=True, kw_only=True, tag="failure"):
    """It could not be made, in words."""

    message: str


TrainMessage = TrainProgress | Trained | TrainFailure
_decoder = msgspec.json.Decoder(TrainMessage)
_encode = msgspec.json.Encoder().encode


def line(message: TrainMessage) -> bytes:
    """A message ready to be written."""
    return _encode(message) + b"\n"


class Lines:
    """Gives back messages from bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[TrainMessage]:
        """The messages that ``data`` completes. Raises ``msgspec.MsgspecError`` for bytes that are none."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for one in whole:
            yield _decoder.decode(one)
