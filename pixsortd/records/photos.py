"""Contents, and what is known of them: description, vectors, scores, abilities."""

import hashlib
from enum import StrEnum

from pixsortd.records.base import Reason, Record


class Exif(Record, frozen=True, kw_only=True):
    """What the camera wrote, in the units people use. Everything is optional."""

    taken: str | None = None
    """Local time as written, ISO 8601 with sub-seconds, and with the offset where it is known."""
    taken_at: float | None = None
    """The same as seconds since the epoch; a time without an offset is read as UTC."""
    camera_make: str | None = None
    camera_model: str | None = None
    lens: str | None = None
    exposure_seconds: float | None = None
    exposure: str | None = None
    """As photographers write it: ``1/250``, ``0.8``, ``30``."""
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    focal_length_35mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    orientation: int = 1
    rating: int | None = None
    description: str | None = None
    software: str | None = None


class Photo(Record, frozen=True, kw_only=True):
    """One content: what its bytes are, whatever the paths that hold them."""

    sha256: bytes
    size: int
    format: str
    """Pillow's name of the container: JPEG, PNG, WEBP, TIFF, GIF, AVIF, BMP, HEIF, MPO."""
    width: int
    height: int
    """Pixels as displayed, after the orientation is applied."""
    exif: Exif = Exif()
    taken: float = 0.0
    """EXIF time, else the file's mtime: what the timeline sorts by."""
    taken_from: str = "exif"
    frames: int = 1
    added: float = 0.0
    thumbnail_crc: int = 0
    thumbnail_size: int = 0
    decoder: str = ""
    number: int = 0
    """Small integer given by the index, the photo's id in FAISS."""


class Space(Record, frozen=True, kw_only=True):
    """An embedding space. Vectors of two spaces never meet."""

    name: str
    """As configured: ``clip``, ``builtin``, ``timm:NAME``."""
    model: str
    revision: str
    """Weights revision or the first 16 hex digits of the weights file's SHA-256."""
    preprocessing: str
    """Canonical text of resize, crop, interpolation, mean and std, with its version."""
    dim: int

    @property
    def key(self) -> bytes:
        """8 bytes that change whenever vectors could no longer be compared."""
        text = "\0".join((self.model, self.revision, self.preprocessing, str(self.dim)))
        return hashlib.blake2b(text.encode(), digest_size=8).digest()


class Embedding(Record, frozen=True, kw_only=True):
    """One photo's unit vector in one space, float16 little-endian bytes of length 2 * dim."""

    space: Space
    vector: bytes


class MetricInfo(Record, frozen=True, kw_only=True):
    """A quality metric's direction and range, as data."""

    name: str
    lower_better: bool
    low: float | None = None
    high: float | None = None
    long_side: int = 512
    """Pixels of the long side the score was computed at."""
    version: str = ""
    license: str = ""


class Score(Record, frozen=True, kw_only=True):
    """A raw score with all that is needed to read it."""

    metric: MetricInfo
    value: float
    """Not a number where the metric has no answer for this picture (too small, of one colour)."""
    at: float = 0.0


class AbilityState(StrEnum):
    """Whether a model or metric can be used now."""

    READY = "ready"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    """Configured, but no worker has tried it yet."""


class Ability(Record, frozen=True, kw_only=True):
    """What the worker says of one configured space or metric."""

    kind: str
    """``space`` or ``metric``."""
    name: str
    state: AbilityState
    reason: Reason | None = None
    space: Space | None = None
    metric: MetricInfo | None = None
    inline: bool = False
    """A metric that is computed while the photo is decoded, at little cost."""
    device: str = ""
    at: float = 0.0
