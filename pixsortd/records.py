"""The values that travel between rooms: frozen, comparable, serialisable with msgspec.

Conventions: paths are raw bytes relative to their root, never starting with ``/``; times are
seconds since the epoch (UTC) unless the name ends in ``_ns``; a photo is named by the SHA-256 of
its bytes (32 raw bytes here, hex at the edges); a root by a short hex id made from its real path.
"""

import hashlib
from enum import StrEnum

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every travelling value."""


class Reason(Record, frozen=True, kw_only=True):
    """Why something is as it is, in words a person can act on."""

    code: str
    """Stable, machine-readable kebab-case word, e.g. ``hidden`` or ``decode-failed``."""
    message: str
    next_step: str = ""


# --- files -------------------------------------------------------------------------------------


class FileStamp(Record, frozen=True, kw_only=True):
    """What ``fstat`` said of a file; two equal stamps are taken for unchanged content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


class FileState(StrEnum):
    """Where a path stands in the ledger; every known file is in exactly one of these."""

    PENDING = "pending"
    INDEXED = "indexed"
    EXCLUDED = "excluded"
    FAILED = "failed"
    AWAY = "away"


class FileRow(Record, frozen=True, kw_only=True):
    """What is known of one path under one root."""

    root: str
    path: bytes
    state: FileState
    stamp: FileStamp | None = None
    """None only for an excluded directory, whose ``files`` counts what lies below it."""
    sha256: bytes | None = None
    reason: Reason | None = None
    """Always set for excluded, failed and away rows; for a pending one while it settles."""
    first_seen: float = 0.0
    since: float = 0.0
    """When the row came into its present state."""
    attempts: int = 0
    """Worker processes this content has killed so far."""
    files: int = 1
    settled: bool = False
    """False while a pending file may still be growing; only settled files are analysed."""
    before: FileState | None = None
    """For an away row: the state it returns to when the file comes back unchanged."""


class Found(Record, frozen=True, kw_only=True, tag=True):
    """A file that is new or whose bytes may have changed. Unsettled ones wait, settled ones queue."""

    path: bytes
    stamp: FileStamp
    settled: bool
    reason: Reason | None = None


class Moved(Record, frozen=True, kw_only=True, tag=True):
    """The same inode with the same size and mtime under a new name: nothing needs recomputing."""

    old: bytes
    path: bytes
    stamp: FileStamp


class Linked(Record, frozen=True, kw_only=True, tag=True):
    """A further hard link to a file that is already indexed under ``other``."""

    path: bytes
    other: bytes
    stamp: FileStamp


class Excluded(Record, frozen=True, kw_only=True, tag=True):
    """A file, or with ``files`` a whole directory, that a rule keeps out."""

    path: bytes
    reason: Reason
    stamp: FileStamp | None = None
    files: int = 1


class Refused(Record, frozen=True, kw_only=True, tag=True):
    """A file that cannot be analysed: unreadable, never settling."""

    path: bytes
    reason: Reason
    stamp: FileStamp | None = None


class Missing(Record, frozen=True, kw_only=True, tag=True):
    """A known file that is not where it was; it becomes away and starts its grace time."""

    path: bytes
    reason: Reason


class Back(Record, frozen=True, kw_only=True, tag=True):
    """An away file that is there again with an equal stamp: its former state returns."""

    path: bytes
    stamp: FileStamp


class Gone(Record, frozen=True, kw_only=True, tag=True):
    """A file whose deletion is believed. The row goes; the photo's decisions and analysis stay."""

    path: bytes
    reason: Reason


Change = Found | Moved | Linked | Excluded | Refused | Missing | Back | Gone


class Ledger(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The conservation law of one root: on_disk is the sum of all the others."""

    on_disk: int = 0
    indexed: int = 0
    excluded: int = 0
    pending: int = 0
    failed: int = 0
    away: int = 0


# --- roots -------------------------------------------------------------------------------------


class RootState(StrEnum):
    """Whether a root's files can be believed right now."""

    STARTING = "starting"
    ONLINE = "online"
    AWAY = "away"
    UNREADABLE = "unreadable"


class Role(StrEnum):
    """What a root is for; only a role other than library may ever be written to."""

    LIBRARY = "library"
    INBOX = "inbox"


class WatchMode(StrEnum):
    """How changes are noticed: kernel events, our own polling scan, or events with gaps."""

    EVENTS = "events"
    POLLING = "polling"
    DEGRADED = "degraded"
    OFF = "off"


class VolumeIdentity(Record, frozen=True, kw_only=True):
    """What a root's volume looked like when it was last believed."""

    device: int
    filesystem: int
    inode: int
    marker: str | None = None


class RootRecord(Record, frozen=True, kw_only=True):
    """The last known state of a root, kept across restarts."""

    id: str
    path: bytes
    role: Role = Role.LIBRARY
    state: RootState = RootState.STARTING
    reason: Reason | None = None
    since: float = 0.0
    watch: WatchMode = WatchMode.OFF
    watch_reason: Reason | None = None
    directories: int = 0
    watched: int = 0
    identity: VolumeIdentity | None = None
    last_scan: float = 0.0
    scan_seconds: float = 0.0
    missing: int = 0
    """Files absent at the last scan while the root waits for an answer."""
    skipped: dict[str, int] = {}
    """Entries the last scan could not take for files, by kind (symlink, fifo, socket, device, unreadable)."""
    mounts: tuple[bytes, ...] = ()
    """Mount points below the root that held files; when one is not mounted, its files are away, not deleted."""


def root_id(real_path: bytes) -> str:
    """The short, stable id of the root at ``real_path`` (absolute, symlinks resolved)."""
    return hashlib.blake2b(real_path, digest_size=6).hexdigest()


# --- photos ------------------------------------------------------------------------------------


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
    device: str = ""
    at: float = 0.0


# --- work --------------------------------------------------------------------------------------


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
    """Time by stage: read, decode, embed:NAME, score:NAME; batch costs shared evenly."""


# --- groups ------------------------------------------------------------------------------------


class Membership(Record, frozen=True, kw_only=True):
    """One photo's place in a group, and why it has it."""

    group: str
    strength: float
    """0 to 1: HDBSCAN's probability, or the vote's share for a photo that joined between runs."""
    how: str
    """``clustered``, ``joined`` or ``decided``."""
    at: float = 0.0
    nearest: tuple[bytes, ...] = ()
    """Members that speak for it, nearest first."""
    similarity: float | None = None
    """Mean cosine to ``nearest``."""


class Group(Record, frozen=True, kw_only=True):
    """A set of look-alike photos with a permanent id."""

    id: str
    size: int
    exemplars: tuple[bytes, ...] = ()
    kind: str = "visual"
    space: str = ""
    name: str | None = None
    """The user's; it lives in the decisions log and is only mirrored here."""
    created: float = 0.0
    floor: float = 0.0
    """A newcomer whose mean cosine to its nearest members is below this does not join."""


# --- decisions ---------------------------------------------------------------------------------


class NameGroup(Record, frozen=True, kw_only=True, tag=True):
    """The user named a group (or, with None, took the name back).

    ``members`` are enough photos of the group to find it again when the index is gone.
    """

    group: str
    name: str | None
    members: tuple[bytes, ...] = ()
    at: float = 0.0


class RatePhoto(Record, frozen=True, kw_only=True, tag=True):
    """The user gave a photo 0 to 5 stars; None takes the rating back."""

    sha256: bytes
    stars: int | None
    at: float = 0.0


class ConfirmGone(Record, frozen=True, kw_only=True, tag=True):
    """The user said that the files missing from a root are really gone."""

    root: str
    files: int
    at: float = 0.0


Decision = NameGroup | RatePhoto | ConfirmGone


# --- history and jobs --------------------------------------------------------------------------


class Step(Record, frozen=True, kw_only=True):
    """One line of a file's passport."""

    at: float
    what: str
    """found, settled, indexed, known, moved, changed, missing, back, gone, failed, retried, grouped, rated ..."""
    detail: str = ""
    path: bytes | None = None
    root: str | None = None


class JobState(StrEnum):
    """A job's life."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A piece of background work that a person can look at and cancel."""

    id: str
    kind: str
    """recluster, scan, check, rebuild, backup, backfill."""
    state: JobState
    done: int = 0
    total: int = 0
    error: str | None = None
    detail: str = ""
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    result: dict[str, int | float | str] = {}
