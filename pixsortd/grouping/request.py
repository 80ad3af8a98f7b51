"""What the core asks of the analyst process, and what comes back."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pixsortd.grouping.lessons import Lesson
from pixsortd.grouping.packing import ROW, numbers
from pixsortd.records import BatchMetric, Learning, Membership, Reason, Record, Selection, Weights

GRAPH, LEVELS = "neighbours.graph", "levels.tree"
"""Files that are kept from run to run."""


class Request(Record, frozen=True, kw_only=True):
    """One clustering of one embedding space."""

    vectors: str
    """Path of a ``.npy`` file, float16 [n, dim], row i belonging to photo i of ``contents``."""
    contents: bytes
    """SHA-256 of each photo, one behind the other, in any order."""
    previous: Mapping[str, bytes] = {}
    """Packed rows of the members, by id, of every group that could go on: present ones, those of the user's that
    have no successor with the members remembered beside them, and those that are only proposed so far."""
    exemplars: Mapping[str, bytes] = {}
    """Packed rows of the photos that stand for a group."""
    touched: Collection[str] = ()
    """Ids of the groups that the user named or edited."""
    merged: Mapping[str, str] = {}
    """What each group that the user merged is part of now."""
    together: Sequence[bytes] = ()
    """Packed rows of photos that the user keeps together."""
    times: bytes = b""
    """Packed 64-bit floats, when each photo of ``contents`` was taken, NaN for unknown; empty where nobody is known."""
    space: str = ""
    """Name of the embedding space."""
    kept: str = ""
    """Directory for what is kept from run to run: the neighbour graph, and the tree for coarser and finer views.
    Empty for nowhere; only for the cosine."""
    lessons: Sequence[Lesson] = ()
    """What the user's edits say of pairs of photos."""
    use_learned: bool | None = None
    """False where the user wants the plain embedding, whatever the lessons teach."""
    min_cluster_size: int = 5
    min_samples: int = 5
    metric: BatchMetric = BatchMetric.COSINE
    weights: Weights = Weights.SHARED
    selection: Selection = Selection.EOM
    epsilon: float = 0.0
    """Clusters whose photos are nearer than this, 0 to 1 in the weights, are not divided."""
    deadline: float = 0.0
    """Seconds after which the run is ended; 0 for none."""
    niceness: int = 10
    threads: int = 1


class FoundGroup(Record, frozen=True, kw_only=True):
    """One group of the new clustering. Parts of a group that the user merged have the same id."""

    id: str
    rows: bytes
    """Of the members, packed 32-bit integers."""
    strengths: bytes
    """Packed 32-bit floats, one for each member: 0 to 1, how firmly it belongs."""
    nearest: bytes
    """Packed rows, the same number for each member: who speaks for it, nearest first."""
    similarities: bytes
    """Packed 32-bit floats: mean cosine of each member to its nearest."""
    exemplars: tuple[bytes, ...]
    """Hashes of members that stand for the rest, the most typical first."""
    floor: float
    """Mean cosine to the nearest members that all but the loosest members reach."""
    cohesion: float
    """How much more alike two members are than a member and any other photo: 1 for copies, 0 for chance."""

    @property
    def size(self) -> int:
        """How many members it has."""
        return len(self.rows) // ROW

    def members(self) -> Sequence[int]:
        """Rows of the members."""
        return numbers(self.rows)

    def memberships(self, photos: Sequence[bytes], at: float) -> Iterator[tuple[bytes, Membership]]:
        """Each member, by what ``photos`` has at its row, with the why of its being here; one at a time."""
        nearest, each = numbers(self.nearest), len(self.nearest) // max(len(self.rows), 1)
        strengths, similarities = numbers(self.strengths, "f"), numbers(self.similarities, "f")
        for position, row in enumerate(self.members()):
            yield (
                photos[row],
                Membership(
                    group=self.id,
                    strength=strengths[position],
                    how="clustered",
                    at=at,
                    nearest=tuple(photos[near] for near in nearest[position * each : (position + 1) * each]),
                    similarity=similarities[position],
                ),
            )


class Progress(Record, frozen=True, kw_only=True, tag=True):
    """How far the run is: ``done`` of ``total`` phases, and what comes now."""

    done: int
    total: int
    what: str


class Reply(Record, frozen=True, kw_only=True, tag=True):
    """A finished clustering. A photo that is no group's member is ungrouped."""

    groups: tuple[FoundGroup, ...]
    """The largest first."""
    dormant: tuple[str, ...] = ()
    """Groups of the user's that no found group continues; they are to be kept for a later run."""
    ended: tuple[str, ...] = ()
    """Other groups that no found group continues."""
    ungrouped: int = 0
    unusable: int = 0
    """Ungrouped photos whose vector is not finite or has no length."""
    method: str = ""
    learning: Learning = Learning()
    """What the lessons taught."""
    seconds: dict[str, float] = {}
    """Time by phase."""


class Failure(Record, frozen=True, kw_only=True, tag=True):
    """The run could not be done, in words."""

    reason: Reason


Message = Progress | Reply | Failure
