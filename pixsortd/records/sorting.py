"""Sorting: what is known of a file that could be moved, what rules say of it, and plans of what to do."""

from collections.abc import Mapping
from enum import StrEnum

from pixsortd.records.base import Record
from pixsortd.records.files import FileStamp

TRASH = b".pixsortd-trash"
"""The directory for discarded files, at the top of a root or of a mount inside it."""


class Place(Record, frozen=True, kw_only=True):
    """A name below a directory that is known to be the right one."""

    base: bytes
    """Absolute real path of the root; links below it are not followed."""
    path: bytes
    """Relative to it."""

    @staticmethod
    def trashed(base: bytes, top: bytes, name: bytes) -> "Place":
        """A name in the trash of the file system that begins at the directory ``top`` below ``base``."""
        return Place(base=base, path=b"/".join((top, TRASH, name)) if top else TRASH + b"/" + name)

    @property
    def absolute(self) -> bytes:
        """The whole path."""
        return self.base.rstrip(b"/") + b"/" + self.path

    @property
    def directory(self) -> bytes:
        """The directory of the name, relative to the base."""
        return self.path.rpartition(b"/")[0]

    @property
    def name(self) -> bytes:
        """The name alone."""
        return self.path.rpartition(b"/")[2]

    @property
    def in_trash(self) -> bool:
        """Whether a file there is a discarded one."""
        return self.directory.rpartition(b"/")[2] == TRASH

    def beside(self, name: bytes) -> "Place":
        """Another name in the same directory."""
        directory = self.directory
        return Place(base=self.base, path=directory + b"/" + name if directory else name)


class Action(StrEnum):
    """What a rule does with a file."""

    MOVE = "move"
    COPY = "copy"
    HARDLINK = "hardlink"
    REFLINK = "reflink"
    SYMLINK = "symlink"
    LEAVE = "leave"


class OnConflict(StrEnum):
    """What a rule does where another content has the name already; the loser of a comparison goes to the trash."""

    SKIP = "skip"
    NUMBER = "number"
    NEWER = "newer"
    LARGER = "larger"
    BEST = "best"


class OnSame(StrEnum):
    """What a rule does where the very same content has the name already."""

    CONFLICT = "conflict"
    """As with any other content."""
    TRASH = "trash"
    """The incoming file goes to the trash."""
    LINK = "link"
    """It becomes a hard link to the one that is there."""


class Rank(StrEnum):
    """Where a photo stands among its duplicates, or among the photos of its burst."""

    BEST = "best"
    OTHER = "other"


class Companion(Record, frozen=True, kw_only=True):
    """A file that goes wherever its photo goes."""

    place: Place
    stamp: FileStamp


class Subject(Record, frozen=True, kw_only=True):
    """What rules can ask of one photo's file. None or empty: not known, or not so."""

    place: Place
    stamp: FileStamp
    image: bytes
    """SHA-256 of its content."""
    companions: tuple[Companion, ...] = ()
    format: str = ""
    """Pillow's name of the container, such as JPEG."""
    width: int = 0
    height: int = 0
    """Pixels as displayed."""
    taken: str | None = None
    """Local time as the camera wrote it, ISO 8601."""
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    group: str | None = None
    """Id of its group."""
    group_name: str | None = None
    strength: float | None = None
    """0 to 1, how firmly it belongs to its group."""
    scores: Mapping[str, float] = {}
    """By metric, as measured."""
    percentiles: Mapping[str, float] = {}
    """By metric, 0 to 100 within the library, 100 the best in the metric's own direction; also ``composite``."""
    composite: float | None = None
    """0 to 100."""
    duplicate: Rank | None = None
    """Set where other files in the library hold the same content or a near-duplicate of it."""
    burst: Rank | None = None
    """Set where it was taken in one burst with others."""
    batches: tuple[str, ...] = ()
    """Names of the batches it is in."""
    rating: int | None = None
    label: str | None = None
    caption: str | None = None


class PlannedFile(Record, frozen=True, kw_only=True):
    """One file of a step, and where it is to be afterwards."""

    source: Place
    destination: Place
    stamp: FileStamp
    """What it was when it was planned; anything else is left alone."""
    sha256: bytes | None = None
    """Its content, where it is known; for companions it is not."""


class PlanStep(Record, frozen=True, kw_only=True):
    """A photo's file and its companions, which go together or not at all."""

    id: str
    """Says what is done to which content, so that the same step has the same id in every plan."""
    image: bytes
    rule: str
    """Name of the rule."""
    action: Action
    files: tuple[PlannedFile, ...]
    """The photo's file first."""
    displaced: tuple[PlannedFile, ...] = ()
    """Files that first make room by going to the trash; the destinations are there."""
    returned: tuple[PlannedFile, ...] = ()
    """Files that come back from the trash once the others have made room; the sources are there."""
    back: bool = False
    """Whether it takes such an action back: the sources are removed, each destination holds the same content."""
    why: tuple[str, ...] = ()
    """What held, in words, one condition each."""
    conflict: str = ""
    """How a taken name was dealt with, in words."""
    confidence: float = 1.0
    """0 to 1, of the least certain fact that the rule used."""
    auto: bool = False
    """Whether it may be done without being asked for."""
    waits: str = ""
    """Why it is not done by itself, in words; empty where it may be."""


class Unmoved(Record, frozen=True, kw_only=True):
    """A file that no step concerns, and why."""

    place: Place
    image: bytes
    rule: str = ""
    """The rule that left it, if one did."""
    why: str


class Room(Record, frozen=True, kw_only=True):
    """Space that a plan takes on one file system."""

    base: bytes
    """A root on it."""
    needed: int
    free: int


class Plan(Record, frozen=True, kw_only=True):
    """What sorting would do to the files of one inbox, or what undoing a plan would do. Nothing is touched yet."""

    id: str
    """Says what its steps are: the same steps make the same plan."""
    at: float
    root: str
    """Id of the inbox; of an undo the inbox of what it undoes."""
    rules: str = ""
    """Digest of the rules."""
    steps: tuple[PlanStep, ...] = ()
    unmoved: tuple[Unmoved, ...] = ()
    rooms: tuple[Room, ...] = ()
    undoes: str = ""
    """The plan that this one takes back."""


class PlanState(StrEnum):
    """How far a plan is."""

    WAITING = "waiting"
    """It is a proposal; it follows the files and rules until it is approved."""
    APPLYING = "applying"
    APPLIED = "applied"
    """Every step was done, or the world had changed and the step says so."""
    UNDONE = "undone"
    """A later plan took back all that it had done."""


class StepState(StrEnum):
    """What became of a step."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    """Not done; the reason says why. Its files are where they were."""
    UNDONE = "undone"
    """Done, and taken back later."""


class PlanRecord(Record, frozen=True, kw_only=True):
    """A line of the history."""

    id: str
    at: float
    """When it was approved, or for a waiting one when it was made."""
    state: PlanState
    root: str
    by: str = ""
    """``you`` or ``rules``: who approved it."""
    rules: str = ""
    undoes: str = ""
    redoes: str = ""
    """Of one that takes back what took a plan back: the plan whose steps it so does again."""
    undone_by: str = ""
    steps: int = 0
    done: int = 0
    """Steps that were done, whether or not they were taken back since."""
    refused: int = 0
    undone: int = 0
    """Those of the done that were taken back since."""
    bytes: int = 0


class Tried(Record, frozen=True, kw_only=True):
    """What rules would do to photos that lie in a library already, tried out on them."""

    photos: int
    matched: Mapping[str, int] = {}
    """Photos by the rule that took them."""
    unmatched: int = 0
    agree: int = 0
    """Matched photos whose directory is the one the rules would choose."""
    differ: int = 0
    directories: Mapping[str, int] = {}
    """Photos by the directory they would go to, those of most photos."""
    examples: tuple["Difference", ...] = ()


class Difference(Record, frozen=True, kw_only=True):
    """A photo that lies elsewhere than the rules would have it."""

    image: bytes
    rule: str
    now: bytes
    """Absolute path."""
    would: bytes
    """Absolute path."""


class RuleProblem(Record, frozen=True, kw_only=True):
    """Something that is wrong with a rule, in words a person can act on."""

    index: int
    """Which rule, from 0 on."""
    rule: str = ""
    """Its name, as far as it has one."""
    key: str = ""
    """What of it: ``to``, ``when.camera`` ...; empty for all of it."""
    message: str
    next_step: str = ""
    where: str = ""
    """File and line, where it came from a file."""
