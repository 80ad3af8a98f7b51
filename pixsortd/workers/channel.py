"""Frames over a pair of pipes: four bytes of length, little-endian, then the frame."""

import os
import struct
import threading
from contextlib import suppress

LONGEST = 256 * 2**20
"""A frame above this is no frame: something else wrote into the pipe."""

_LENGTH = struct.Struct("<I")


class ChannelBroken(Exception):
    """The other side wrote something that is no frame, or ended within one."""


class Channel:
    """Sends and receives whole frames. Several threads may send; one receives."""

    def __init__(self, source: int, sink: int) -> None:
        """Takes over both file descriptors."""
        self._source = source
        self._sink = sink
        self._sending = threading.Lock()

    def send(self, frame: bytes) -> None:
        """Write the frame; raises ``BrokenPipeError`` when nobody reads any more."""
        rest = memoryview(_LENGTH.pack(len(frame)) + frame)
        with self._sending:
            while rest:
                rest = rest[os.write(self._sink, rest) :]

    def receive(self) -> bytes | None:
        """The next frame, or None when the other side has closed; waits. Raises ``ChannelBroken``."""
        head = self._exactly(_LENGTH.size)
        if not head:
            return None
        (length,) = _LENGTH.unpack(head) if len(head) == _LENGTH.size else (LONGEST + 1,)
        if length > LONGEST:
            raise ChannelBroken("what arrived is no frame")
        frame = self._exactly(length)
        if len(frame) != length:
            raise ChannelBroken("the other side ended within a frame")
        return frame

    def close(self) -> None:
        """Close both ends; safe to call twice."""
        source, sink, self._source, self._sink = self._source, self._sink, -1, -1
        for descriptor in {source, sink} - {-1}:
            with suppress(OSError):
                os.close(descriptor)

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count and (part := os.read(self._source, min(count, 2**20))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
