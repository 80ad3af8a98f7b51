"""What files that can be made anew have in common: a magic word, a head and a checksum over all of it.

``magic[8] length-of-head[4, big-endian] BLAKE2b-256[32] head body``; the checksum is over head and body.
"""

import hashlib
from collections.abc import Sequence
from typing import BinaryIO

Buffer = bytes | memoryview

_FRONT = 8 + 4 + 32
_CHUNK = 1 << 20
_LONGEST = 1 << 24


def sealed(magic: bytes, head: bytes, body: Sequence[Buffer]) -> list[Buffer]:
    """The parts of a file to be written one after the other."""
    digest = hashlib.blake2b(head, digest_size=32)
    for part in body:
        digest.update(part)
    return [magic + len(head).to_bytes(4, "big") + digest.digest(), head, *body]


def checked(file: BinaryIO, magic: bytes) -> tuple[bytes, int]:
    """(head, where the body begins) of a file that is all there, set to that place. Raises ``ValueError``, ``OSError``.

    The file is read once, a piece at a time, whatever its length.
    """
    front = file.read(_FRONT)
    if len(front) < _FRONT or front[:8] != magic:
        raise ValueError("the file is not one of ours")
    length = int.from_bytes(front[8:12], "big")
    head = file.read(length) if length <= _LONGEST else b""
    digest = hashlib.blake2b(head, digest_size=32)
    buffer = memoryview(bytearray(_CHUNK))
    while count := file.readinto(buffer):  # type: ignore[attr-defined] # every binary file has it
        digest.update(buffer[:count])
    if digest.digest() != front[12:]:
        raise ValueError("the file fails its checksum")
    file.seek(_FRONT + length)
    return head, _FRONT + length


def read_exactly(file: BinaryIO, size: int) -> bytes:
    """That many bytes; raises ``ValueError`` where there are fewer."""
    parts, missing = list[bytes](), size
    while missing:
        part = file.read(missing)
        if not part:
            raise ValueError("the file is shorter than it says")
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
