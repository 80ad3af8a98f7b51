"""The passport of a photo, or of a file that is no photo yet: what happened to it, and when.

Steps of a file whose content is unknown are kept under the file; when it becomes a photo they go
over to the photo, so that one list tells the whole story. Each list keeps its 64 newest steps and
its first.
"""

from collections.abc import Sequence

import msgspec

from pixsortd.index.codec import encode
from pixsortd.index.engine import Edit, View
from pixsortd.index.schema import Table
from pixsortd.records import Step

LONGEST = 64

_Stored = tuple[float, str, str, str | None, bytes | None]
_decode = msgspec.msgpack.Decoder(list[_Stored]).decode


def photo_history(sha256: bytes) -> bytes:
    """Key of a photo's steps."""
    return b"p" + sha256


def file_history(key: bytes) -> bytes:
    """Key of the steps of the file at ``key``."""
    return b"f" + key


def steps(view: View, key: bytes) -> list[Step]:
    """The steps under ``key``, oldest first."""
    return [
        Step(at=at, what=what, detail=detail, root=root, path=path) for at, what, detail, root, path in _load(view, key)
    ]


def add(edit: Edit, key: bytes, new: Sequence[Step]) -> None:
    """Append steps; the oldest but the first give way."""
    _save(edit, key, _load(edit, key) + _stored(new))


def merge(edit: Edit, key: bytes, new: Sequence[Step]) -> None:
    """Add steps among the others by their time; for what is told late."""
    _merge(edit, key, _stored(new))


def hand_over(edit: Edit, key: bytes, to: bytes) -> None:
    """Merge the steps under ``key`` into those under ``to``, by time."""
    own = _load(edit, key)
    if own:
        edit.delete(Table.HISTORY, key)
        _merge(edit, to, own)


def _stored(steps: Sequence[Step]) -> list[_Stored]:
    return [(step.at, step.what, step.detail, step.root, step.path) for step in steps]


def _merge(edit: Edit, key: bytes, new: list[_Stored]) -> None:
    _save(edit, key, sorted(_load(edit, key) + new, key=lambda stored: stored[0]))


def _load(view: View, key: bytes) -> list[_Stored]:
    payload = view.get(Table.HISTORY, key)
    return [] if payload is None else _decode(payload)


def _save(edit: Edit, key: bytes, stored: list[_Stored]) -> None:
    if len(stored) > LONGEST:
        stored = [stored[0], *stored[1 - LONGEST :]]
    edit.put(Table.HISTORY, key, encode(stored))
