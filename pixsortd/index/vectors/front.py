"""The file of what changes: the flat tier, and which vectors of the inverted file are tombstones."""

from pathlib import Path

import msgspec
import numpy as np

from pixsortd.index.vectors.flat import Flat
from pixsortd.records import Record
from pixsortd.sealed import Buffer, checked, sealed

_MAGIC = b"PXSVEC02"


class Front(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What must agree with LMDB, and with the inverted file beside it."""

    space: bytes
    epoch: bytes
    generation: int
    count: int
    mark: int
    inverted: bytes = b""
    """Id of the inverted file; empty without one."""
    buried: tuple[int, ...] = ()
    """Photo numbers that are tombstones there."""


def front_parts(front: Front, flat: Flat) -> list[Buffer]:
    """The parts of the file, to be written one after the other."""
    return sealed(_MAGIC, msgspec.msgpack.encode(front), [flat.serialized()])


def read_front(path: Path) -> tuple[Front, Flat]:
    """The whole file; raises ``ValueError`` for one that is damaged or not ours, and ``OSError``."""
    with path.open("rb", buffering=0) as file:
        head, _ = checked(file, _MAGIC)
        body = file.read()
    try:
        front = msgspec.msgpack.decode(head, type=Front)
        return front, Flat.restored(np.frombuffer(body, np.uint8))
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError(f"this FAISS cannot read the file ({error})") from error
