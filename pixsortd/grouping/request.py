"""What the core asks of the analyst process, and what comes back."""

from collections.abc import Collection, Mapping, Sequence

from pixsortd.records import BatchMetric, Membership, Reason, Record


class Request(Record, frozen=True, kw_only=True):
    """One clustering of one embedding space."""

    vectors: str
    """Path of a ``.npy`` file, float16 [n, dim], row i belonging to ``contents[i]``."""
    contents: Sequence[bytes]
    """SHA-256 of each photo, in any order."""
    previous: Mapping[str, Collection[bytes]] = {}
    """Members by id of every group that could go on: those of the last clustering as they are now,
    and named ones without a successor with the members remembered beside their name."""
    named: Collection[str] = ()
    """Ids of the groups that the user named."""
    min_cluster_size: int = 5
    min_samples: int = 5
    metric: BatchMetric = BatchMetric.COSINE
    dimensions: int = 32
    deadline: float = 0.0
    """Seconds after which the run is ended; 0 for none."""
    niceness: int = 10
    threads: int = 1


class FoundGroup(Record, frozen=True, kw_only=True):
    """One group of the new clustering."""

    id: str
    members: dict[bytes, Membership]
    exemplars: tuple[bytes, ...]
    """Members that stand for the rest, the most typical first."""
    floor: float
    """Mean cosine to the nearest members that all but the loosest members reach."""
    cohesion: float
    """How much more alike two members are than a member and any other photo: 1 for copies, 0 for chance."""


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
    """Named groups that no found group continues; their names are to be kept for a later run."""
    ended: tuple[str, ...] = ()
    """Unnamed groups that no found group continues."""
    ungrouped: int = 0
    unusable: int = 0
    """Ungrouped photos whose vector is not finite or has no length."""
    method: str = ""
    seconds: dict[str, float] = {}
    """Time by phase."""


class Failure(Record, frozen=True, kw_only=True, tag=True):
    """The run could not be done, in words."""

    reason: Reason


Message = Progress | Reply | Failure
