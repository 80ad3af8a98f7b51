"""How many files wait, and how large, by kind and size: counted while rows change, never by looking through them."""

from collections import defaultdict
from collections.abc import Collection

import msgspec

from pixsortd.index import rows
from pixsortd.index.codec import encode
from pixsortd.index.engine import Edit, Engine, View
from pixsortd.index.rows import Row
from pixsortd.index.schema import Table
from pixsortd.records import FileState, Lot

_LONGEST = 6
"""Bytes of a suffix with its dot; what is longer is no suffix."""

_amounts = msgspec.msgpack.Decoder(tuple[int, int]).decode


def suffix_of(name: bytes) -> bytes:
    """The suffix of a name, in lower case with its dot; empty without one."""
    _, dot, suffix = name.rpartition(b".")
    return (dot + suffix).lower() if dot and len(suffix) < _LONGEST else b""


def lot_key(key: bytes, row: Row | None) -> bytes | None:
    """The lot that the row at ``key`` belongs to; None when it does not wait."""
    if row is None or row.state is not FileState.PENDING or row.stamp is None:
        return None
    return key[: rows.ROOT] + bytes([row.stamp[0].bit_length()]) + suffix_of(rows.name_of(key) or b"")


class LotWriter:
    """Changes lots inside one write transaction."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._changed: defaultdict[bytes, list[int]] = defaultdict(lambda: [0, 0])

    def replace(self, key: bytes, old: Row | None, new: Row | None) -> None:
        """The row at ``key`` is another one now."""
        for sign, row in ((-1, old), (1, new)):
            lot = lot_key(key, row)
            if lot is not None and row is not None and row.stamp is not None:
                amounts = self._changed[lot]
                amounts[0] += sign
                amounts[1] += sign * row.stamp[0]

    def finish(self) -> None:
        """Write them; the last call before the transaction ends."""
        for lot, (files, size) in self._changed.items():
            payload = self._edit.get(Table.LOTS, lot)
            known, bytes_ = (0, 0) if payload is None else _amounts(payload)
            if known + files > 0:
                self._edit.put(Table.LOTS, lot, encode((known + files, bytes_ + size)))
            else:
                self._edit.delete(Table.LOTS, lot)


def recount(view: View) -> dict[bytes, bytes]:
    """All lots, counted from the rows."""
    counted: defaultdict[bytes, list[int]] = defaultdict(lambda: [0, 0])
    for key, payload in view.items(Table.FILES):
        row = rows.decode(payload)
        lot = lot_key(key, row)
        if lot is not None and row.stamp is not None:
            counted[lot][0] += 1
            counted[lot][1] += row.stamp[0]
    return {lot: encode((files, size)) for lot, (files, size) in counted.items()}


def count_anew(edit: Edit) -> None:
    """The step from format 1, which counted no lots."""
    for lot, payload in recount(edit).items():
        edit.put(Table.LOTS, lot, payload)


class Lots:
    """The part of the store that knows how much waits."""

    _engine: Engine

    def lots(self, roots: Collection[str]) -> list[Lot]:
        """The files of these roots that wait, settled or not."""
        with self._engine.read() as view:
            return [
                Lot(suffix=key[rows.ROOT + 1 :], magnitude=key[rows.ROOT], files=files, bytes=size)
                for root in roots
                for key, payload in view.items(Table.LOTS, rows.root_key(root))
                for files, size in [_amounts(payload)]
            ]
