"""What the user decided."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from pixsortd.records.base import Record
from pixsortd.records.edits import (
    BarPhotos,
    LockGroup,
    MergeGroups,
    PlacePhotos,
    RelatePhotos,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
    UndoEdit,
    UseLearned,
)


class NameGroup(Record, frozen=True, kw_only=True, tag=True):
    """The user named a group (or, with None, took the name back).

    ``members`` are enough photos of the group to find it again when the index is gone.
    """

    group: str
    name: str | None
    members: tuple[bytes, ...] = ()
    at: float = 0.0
    edit: str = ""
    """Id to undo it by; earlier versions wrote none, and :mod:`pixsortd.decisions.curation` gives those one."""


class RatePhoto(Record, frozen=True, kw_only=True, tag=True):
    """The user gave a photo 0 to 5 stars; None takes the rating back."""

    sha256: bytes
    stars: int | None
    at: float = 0.0


class ColourLabel(StrEnum):
    """The colours photographers sort by."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"


class LabelPhoto(Record, frozen=True, kw_only=True, tag=True):
    """The user gave a photo a colour label; None takes it back."""

    sha256: bytes
    label: ColourLabel | None
    at: float = 0.0


class CaptionPhoto(Record, frozen=True, kw_only=True, tag=True):
    """The user wrote a caption; None takes it back."""

    sha256: bytes
    caption: str | None
    at: float = 0.0


class ConfirmGone(Record, frozen=True, kw_only=True, tag=True):
    """The user said that the files missing from a root are really gone."""

    root: str
    files: int
    at: float = 0.0


UNGROUPED = "Ungrouped"
"""The label of a batch's photos that an analysis put into no group, or that the user put there."""


class BatchMetric(StrEnum):
    """How unlike two photos of a batch are."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


class Weights(StrEnum):
    """What holds photos together."""

    SHARED = "shared"
    """The neighbours that they share, and a little of their distance."""
    PLAIN = "plain"
    """Their distance alone: HDBSCAN as it was published."""


class BatchParameters(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How a batch is clustered."""

    min_cluster_size: Annotated[int, Meta(ge=2, le=1000)] = 5
    min_samples: Annotated[int, Meta(ge=1, le=1000)] = 5
    metric: BatchMetric = BatchMetric.COSINE
    weights: Weights = Weights.SHARED


class CreateBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user made a batch."""

    batch: str
    name: str
    members: tuple[bytes, ...] = ()
    at: float = 0.0


class RenameBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user gave a batch another name."""

    batch: str
    name: str
    at: float = 0.0


class DeleteBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user deleted a batch; ``restored`` undoes it."""

    batch: str
    restored: bool = False
    at: float = 0.0


class ChangeBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user put photos into a batch and took others out."""

    batch: str
    added: tuple[bytes, ...] = ()
    removed: tuple[bytes, ...] = ()
    at: float = 0.0


class AnalyzeBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user asked for an analysis with these parameters."""

    batch: str
    parameters: BatchParameters
    at: float = 0.0


class BatchAnalyzed(Record, frozen=True, kw_only=True, tag=True):
    """The answer to the last `AnalyzeBatch`: groups by label, or why there are none."""

    batch: str
    groups: dict[str, tuple[bytes, ...]] = {}
    ungrouped: tuple[bytes, ...] = ()
    """Members that were looked at and are in no group."""
    left_out: tuple[bytes, ...] = ()
    """Members that had no vector."""
    method: str = ""
    """How the groups were found, in words."""
    error: str | None = None
    at: float = 0.0


class CancelAnalysis(Record, frozen=True, kw_only=True, tag=True):
    """The user ended the analysis of a batch before it had an answer."""

    batch: str
    at: float = 0.0


class LabelBatch(Record, frozen=True, kw_only=True, tag=True):
    """The user put photos of a batch into groups by hand, by label; photos in ``freed`` go where the analysis says."""

    batch: str
    labels: dict[str, tuple[bytes, ...]] = {}
    freed: tuple[bytes, ...] = ()
    at: float = 0.0


class RankBatch(Record, frozen=True, kw_only=True, tag=True):
    """The ranking of a batch's group that the user asked for, the best first; void once its members change."""

    batch: str
    label: str
    metric: str
    order: tuple[bytes, ...]
    values: tuple[float, ...]
    """By place in ``order``; photos beyond them have no score."""
    at: float = 0.0


GroupEdit = (
    NameGroup
    | PlacePhotos
    | BarPhotos
    | ReleasePhotos
    | RelatePhotos
    | LockGroup
    | MergeGroups
    | SplitGroup
    | SettleChange
)
"""Edits of groups: what can be undone."""

Decision = (
    GroupEdit
    | RatePhoto
    | LabelPhoto
    | CaptionPhoto
    | ConfirmGone
    | CreateBatch
    | RenameBatch
    | DeleteBatch
    | ChangeBatch
    | AnalyzeBatch
    | BatchAnalyzed
    | CancelAnalysis
    | LabelBatch
    | RankBatch
    | UseLearned
    | UndoEdit
)
