"""The file that keeps the tree and the levels of the last clustering: small, checksummed, disposable.

It lies beside the index, is written whole or not at all, and is mapped, not read. Whoever finds it
missing or damaged goes without until the next clustering writes it anew.
"""

import mmap
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from pixsortd.durable import write_private
from pixsortd.grouping.rows import Array
from pixsortd.records import Record
from pixsortd.sealed import checked, sealed

_MAGIC = b"PXSLVL01"
_ALIGN = 8


class Piece(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One array of the file."""

    name: str
    kind: str
    """numpy's name of the type."""
    shape: tuple[int, ...]


class Head(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What stands in front of the arrays."""

    space: str
    """Name of the embedding space."""
    at: float
    """When it was made."""
    base: float
    """The cosine that likeness counts from."""
    pieces: tuple[Piece, ...]


def write(path: Path, space: str, at: float, base: float, arrays: Mapping[str, Array]) -> None:
    """Put the file in place of the one before. Raises ``OSError``; an older file stays then."""
    solid = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    pieces = tuple(Piece(name=name, kind=array.dtype.str, shape=array.shape) for name, array in solid.items())
    head = msgspec.msgpack.encode(Head(space=space, at=at, base=base, pieces=pieces))
    body = [array.tobytes() + bytes(-array.nbytes % _ALIGN) for array in solid.values()]
    write_private(path, b"".join(sealed(_MAGIC, head, body)))


def read(path: Path) -> tuple[Head, dict[str, Array]]:
    """What was written, the arrays on the mapped file. Raises ``OSError``, and ``ValueError`` for a damaged file."""
    with path.open("rb", buffering=0) as file:
        payload, start = checked(file, _MAGIC)
        try:
            head = msgspec.msgpack.decode(payload, type=Head)
        except msgspec.MsgspecError as error:
            raise ValueError("the file's head cannot be read") from error
        whole = mmap.mmap(file.fileno(), os.fstat(file.fileno()).st_size, access=mmap.ACCESS_READ)
    arrays: dict[str, Array] = {}
    for piece in head.pieces:
        count = int(np.prod(piece.shape, dtype=np.int64))
        arrays[piece.name] = np.frombuffer(whole, piece.kind, count, start).reshape(piece.shape)
        start += arrays[piece.name].nbytes + -arrays[piece.name].nbytes % _ALIGN
    return head, arrays
