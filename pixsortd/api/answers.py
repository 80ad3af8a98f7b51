"""The JSON that the API answers with and takes. Class names are the component names of the OpenAPI document.

Every field is always present in an answer (null where there is nothing), so that clients never
have to ask whether a key exists. Instants are seconds since the epoch (UTC); ids are strings.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from pixsortd.api.ports import ImageStatus
from pixsortd.records import FileState, JobState, Role, RootState, WatchMode

ImageId = Annotated[str, Meta(description="SHA-256 of the photo's bytes, in hex")]
Seconds = Annotated[float, Meta(description="seconds since the epoch, UTC")]
Shown = Annotated[str, Meta(description="for display; bytes that are no UTF-8 appear as \\xNN")]
Rating = Annotated[int, Meta(ge=0, le=5, description="stars")]
Total = Annotated[int, Meta(ge=0, description="length of the whole list under the same filters")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is sent."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is received; an unknown key is refused."""


class FieldProblem(Answer, frozen=True, kw_only=True):
    """One parameter or body field that is wrong."""

    field: str
    message: str


class Problem(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457): the body of every error."""

    type: str
    title: str
    status: int
    detail: str
    next_step: Annotated[str, Meta(description="what the reader can do")] = ""
    errors: list[FieldProblem] = []
    rooms: dict[str, "Room"] = {}


class Reason(Answer, frozen=True, kw_only=True):
    """Why something is as it is."""

    code: str
    message: str
    next_step: str


class Room(Answer, frozen=True, kw_only=True):
    """Health of one part of the daemon."""

    ok: bool
    reason: Reason | None


# --- photos ------------------------------------------------------------------------------------


class File(Answer, frozen=True, kw_only=True):
    """One path that is known."""

    id: str
    root: str
    path: Shown
    name: Shown
    state: FileState
    settled: bool
    since: Seconds
    first_seen: Seconds
    size: int | None
    attempts: int
    image: ImageId | None
    reason: Reason | None


class Image(Answer, frozen=True, kw_only=True):
    """One photo, as lists show it."""

    id: ImageId
    name: Shown
    status: ImageStatus
    width: int | None
    height: int | None
    taken: Annotated[str, Meta(description="local time as the camera wrote it, ISO 8601")] | None
    taken_at: Seconds | None
    taken_from: str | None
    group: str | None
    group_name: str | None
    scores: Annotated[dict[str, float], Meta(description="raw score by metric; directions in /api/status")]
    rating: Rating | None
    format: str | None
    size: int | None
    reason: Reason | None
    files: list[File]


class ImagePage(Answer, frozen=True, kw_only=True):
    """A page of photos."""

    items: list[Image]
    next_cursor: str | None
    total: Total


class SimilarImage(Image, frozen=True, kw_only=True):
    """A photo and its likeness to the one asked for."""

    similarity: Annotated[float, Meta(description="cosine, -1 to 1")]


class SimilarPage(Answer, frozen=True, kw_only=True):
    """Photos like one, nearest first."""

    items: list[SimilarImage]
    next_cursor: str | None
    total: Total
    space: str


class Exif(Answer, frozen=True, kw_only=True):
    """What the camera wrote."""

    taken: str | None
    taken_at: Seconds | None
    camera_make: str | None
    camera_model: str | None
    lens: str | None
    exposure_seconds: float | None
    exposure: str | None
    f_number: float | None
    iso: int | None
    focal_length: float | None
    focal_length_35mm: float | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    orientation: int
    rating: int | None
    description: str | None
    software: str | None


class Score(Answer, frozen=True, kw_only=True):
    """One stored score with all that is needed to read it."""

    metric: str
    value: float
    lower_better: bool
    low: float | None
    high: float | None
    long_side: int
    version: str
    at: Seconds


class Quality(Answer, frozen=True, kw_only=True):
    """Stored scores of one photo."""

    id: ImageId
    items: list[Score]


class Membership(Answer, frozen=True, kw_only=True):
    """Why a photo is in a group."""

    group: str
    group_name: str | None
    strength: float
    how: str
    at: Seconds
    similarity: float | None
    nearest: list[ImageId]


class ImageDetail(Image, frozen=True, kw_only=True):
    """One photo with everything that is stored about it."""

    added: Seconds | None
    frames: int
    decoder: str
    exif: Exif | None
    quality: list[Score]
    groups: list[Membership]


class ImagePatch(Body, frozen=True, kw_only=True):
    """What a user may change on a photo; null takes the rating back."""

    rating: Rating | None


# --- groups, jobs ------------------------------------------------------------------------------


class Group(Answer, frozen=True, kw_only=True):
    """A set of look-alike photos with a permanent id."""

    id: str
    name: str | None
    size: int
    kind: str
    space: str
    created: Seconds
    exemplars: list[ImageId]


class GroupPage(Answer, frozen=True, kw_only=True):
    """A page of groups, largest first."""

    items: list[Group]
    next_cursor: str | None
    total: Total


class GroupPatch(Body, frozen=True, kw_only=True):
    """A group's name; null takes it back."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None


class Job(Answer, frozen=True, kw_only=True):
    """A piece of background work."""

    id: str
    kind: str
    state: JobState
    done: int
    total: int
    error: str | None
    detail: str
    created: Seconds
    started: Seconds | None
    ended: Seconds | None
    result: dict[str, int | float | str]


class JobPage(Answer, frozen=True, kw_only=True):
    """The latest jobs, newest first."""

    items: list[Job]
    next_cursor: str | None
    total: Total


# --- roots, quarantine, passports --------------------------------------------------------------


class Ledger(Answer, frozen=True, kw_only=True):
    """``on_disk`` is the sum of all the others."""

    on_disk: int
    indexed: int
    excluded: int
    pending: int
    failed: int
    away: int


class Scan(Answer, frozen=True, kw_only=True):
    """The scan under way or the last one."""

    running: bool
    directories: int
    files: int
    ended: Seconds | None
    seconds: float


class Root(Answer, frozen=True, kw_only=True):
    """One photo directory."""

    id: str
    path: Shown
    role: Role
    state: RootState
    since: Seconds
    reason: Reason | None
    watch: WatchMode
    watch_reason: Reason | None
    directories: int
    watched: int
    missing: int
    skipped: dict[str, int]
    ledger: Ledger
    scan: Scan


class RootPage(Answer, frozen=True, kw_only=True):
    """All roots."""

    items: list[Root]
    next_cursor: str | None
    total: Total


class GoneAnswer(Answer, frozen=True, kw_only=True):
    """How many missing files were dropped on the user's word."""

    root: str
    files: int


class FilePage(Answer, frozen=True, kw_only=True):
    """A page of files."""

    items: list[File]
    next_cursor: str | None
    total: Total


class RetryBody(Body, frozen=True, kw_only=True):
    """Ids of quarantined files to try again."""

    ids: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(min_length=1, max_length=1000)]


class RetryAnswer(Answer, frozen=True, kw_only=True):
    """What was queued; `unknown` are ids that are not in quarantine (any more)."""

    queued: list[str]
    unknown: list[str]


class Step(Answer, frozen=True, kw_only=True):
    """One line of a passport."""

    at: Seconds
    what: str
    detail: str
    root: str | None
    path: Shown | None


class Why(Answer, frozen=True, kw_only=True):
    """The passport: how a file or photo came to be where it is, oldest step first."""

    image: Image | None
    files: list[File]
    membership: Membership | None
    excluded_by: Reason | None
    steps: list[Step]
