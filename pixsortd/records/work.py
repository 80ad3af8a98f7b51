"""What travels between the core and a worker."""

from pixsortd.records.base import Reason, Record
from pixsortd.records.files import FileStamp
from pixsortd.records.photos import Embedding, Photo, Score


class WorkItem(Record, frozen=True, kw_only=True):
    """One file to analyse. Names everything a worker needs, on this machine or another."""

    id: int
    root: bytes
    path: bytes
    stamp: FileStamp


class Wants(Record, frozen=True, kw_only=True):
    """What is still missing for one content; an empty one asks for nothing."""

    photo: bool = False
    """Decode, EXIF and thumbnail."""
    spaces: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.photo or bool(self.spaces) or bool(self.metrics)


class Fingerprint(Record, frozen=True, kw_only=True):
    """A worker's first answer for an item: the content's name, or why it could not be read."""

    id: int
    sha256: bytes | None = None
    failure: Reason | None = None
    changed: bool = False
    """The file is not what the stamp said; it must settle again, which is no failure."""


class Analysis(Record, frozen=True, kw_only=True):
    """A worker's second answer for an item: everything that was wanted and could be had."""

    id: int
    sha256: bytes
    photo: Photo | None = None
    thumbnail: bytes | None = None
    embeddings: tuple[Embedding, ...] = ()
    scores: tuple[Score, ...] = ()
    failure: Reason | None = None
    seconds: dict[str, float] = {}
    """Time by stage: read, hash, decode, embed:NAME, score:NAME; batch costs shared evenly."""


class Lot(Record, frozen=True, kw_only=True):
    """Files that wait and are alike: of one suffix, and of sizes under the same power of two."""

    suffix: bytes
    """In lower case, with its dot; empty without one."""
    magnitude: int
    """Bits of their sizes in bytes."""
    files: int
    bytes: int
