"""Who the photos are, counted: containers, cameras and bytes, a slice of the library at a time."""

from collections import Counter

import msgspec

from pixsortd.index.engine import Engine
from pixsortd.index.schema import Table


class _Camera(msgspec.Struct, frozen=True, gc=False):
    camera_make: str | None = None
    camera_model: str | None = None


class _Told(msgspec.Struct, frozen=True, gc=False):
    size: int
    format: str
    exif: _Camera = _Camera()


_told = msgspec.msgpack.Decoder(_Told).decode

Kind = tuple[str, str | None, str | None]
"""Container, make and model of the camera."""


class CensusSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Some photos that have a file, by kind."""

    photos: Counter[Kind]
    sizes: Counter[Kind]
    """Bytes."""
    last: bytes | None
    """Where to go on; None at the end."""


class Census:
    """The part of the store that counts kinds of photos."""

    _engine: Engine

    def census_slice(self, after: bytes | None, limit: int) -> CensusSlice:
        """The next ``limit`` photos behind ``after``, in a transaction of their own."""
        photos, sizes, last = Counter[Kind](), Counter[Kind](), after
        with self._engine.read() as view:
            for seen, (sha256, payload) in enumerate(view.items(Table.PHOTOS, after=after), start=1):
                if not view.has(Table.ORPHANS, sha256):
                    told = _told(payload)
                    kind = told.format, told.exif.camera_make, told.exif.camera_model
                    photos[kind] += 1
                    sizes[kind] += told.size
                last = sha256
                if seen == limit:
                    return CensusSlice(photos=photos, sizes=sizes, last=last)
        return CensusSlice(photos=photos, sizes=sizes, last=None)
