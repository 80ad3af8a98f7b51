"""Bytes of keys and values: checksums, numbers that sort, and MessagePack."""

import math
import zlib

import msgspec

from pixsortd.errors import IndexDamaged
from pixsortd.index.schema import Table

_SEED = {table: zlib.crc32(table.encode()) for table in Table}
_LIMIT = 1 << 62
TOP = (1 << 63) - 1
"""The order of 1970; each microsecond later is one less."""
NEWEST, OLDEST = b"\0" * 8, b"\xff" * 8

encode = msgspec.msgpack.Encoder().encode


def seal(table: Table, key: bytes, payload: bytes) -> bytes:
    """``payload`` with the CRC-32 of table, key and payload in front."""
    return zlib.crc32(payload, zlib.crc32(key, _SEED[table])).to_bytes(4, "big") + payload


def unseal(table: Table, key: bytes, value: bytes) -> bytes:
    """The payload of a sealed value; raises ``IndexDamaged`` when a bit of it or its key changed."""
    payload = value[4:]
    if zlib.crc32(payload, zlib.crc32(key, _SEED[table])).to_bytes(4, "big") != value[:4]:
        raise damaged(f"a record of the table {table} fails its checksum")
    return payload


def damaged(what: str) -> IndexDamaged:
    """The error for an index that is not what was written."""
    return IndexDamaged(what, next_step="Restart pixsortd: a backup or a scan of the photos replaces the index.")


def order_of(seconds: float) -> bytes:
    """8 bytes that sort newest first; microsecond resolution, anything not finite counts as 1970."""
    micro = round(seconds * 1e6) if math.isfinite(seconds) else 0
    return (TOP - max(-_LIMIT, min(_LIMIT, micro))).to_bytes(8, "big")


def number_key(number: int) -> bytes:
    """8 bytes that sort like the number."""
    return number.to_bytes(8, "big")
