"""Messages of the analyst on a pipe: four bytes of length, big-endian, then msgpack."""

from collections.abc import Iterator

import msgspec

from pixsortd.grouping.request import Message

_HEADER = 4
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def frame(message: Message) -> bytes:
    """A message ready to be written."""
    payload = _encoder.encode(message)
    return len(payload).to_bytes(_HEADER, "big") + payload


class Unframer:
    """Gives back messages from bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that ``data`` completes. Raises ``msgspec.DecodeError`` for bytes that are none."""
        self._rest += data
        while len(self._rest) >= _HEADER:
            end = _HEADER + int.from_bytes(self._rest[:_HEADER], "big")
            if len(self._rest) < end:
                return
            payload = bytes(self._rest[_HEADER:end])
            del self._rest[:end]
            yield _decoder.decode(payload)
