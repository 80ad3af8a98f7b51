"""What the API needs of the rest of the daemon, and the values that pass between them.

The daemon implements `Library`; this room imports no other. Every method is synchronous and
callable from any thread. *Quick* methods answer from memory or with a few index reads (under a
millisecond) and are called on the event loop; the others *may block* and are called in a thread.

Photos are named by their 32 raw bytes of SHA-256 here and by hex at the edge. Every method may
raise the errors of `pixsortd.errors`; the API turns each into problem details by itself.
"""

from pixsortd.api.ports.batches import (
    BatchEntry,
    Batches,
    BatchGroup,
    BatchMember,
    BatchStatus,
    BatchSummary,
)
from pixsortd.api.ports.groups import (
    Curation,
    Edited,
    Outlook,
    PastEdit,
    Settled,
)
from pixsortd.api.ports.learning import Likeness
from pixsortd.api.ports.levels import (
    COARSEST,
    FINEST,
    OWN,
    Cut,
    CutGroup,
    CutPage,
    LevelReport,
    Levels,
    LevelsReport,
)
from pixsortd.api.ports.library import (
    Library,
)
from pixsortd.api.ports.marks import (
    MarkChange,
    Marks,
)
from pixsortd.api.ports.overview import (
    MonthTally,
    NameTally,
    Overview,
    OverviewReport,
    SizeTally,
    StageName,
    StageReport,
    ThroughputPoint,
)
from pixsortd.api.ports.photos import (
    FileEntry,
    Grouping,
    ImageEntry,
    ImageQuery,
    ImageSort,
    ImageStatus,
    Original,
    Page,
    Passport,
    Rival,
    Similar,
    SimilarEntry,
)
from pixsortd.api.ports.quality import (
    COMPOSITE,
    TIES,
    Composite,
    CompositePart,
    Distribution,
    MissingScore,
    Quality,
    QualityReport,
    RankedPhoto,
    Ranking,
    ScoreReport,
)
from pixsortd.api.ports.reports import (
    Event,
    IndexReport,
    MetricKind,
    Ping,
    QueueReport,
    Reading,
    RootEntry,
    StatusReport,
    WorkerReport,
)
from pixsortd.api.ports.settings import (
    SettingEntry,
    SettingsReport,
)
from pixsortd.api.ports.timeline import (
    Bucket,
    Cell,
    Outline,
    Timeline,
)
from pixsortd.api.ports.trash import (
    Restored,
    Trash,
    Trashed,
    TrashItem,
    TrashPage,
)
from pixsortd.api.ports.uploads import (
    Incoming,
    Uploaded,
    UploadLimits,
    Uploads,
    UploadStatus,
)

__all__ = [
    "COARSEST",
    "COMPOSITE",
    "FINEST",
    "OWN",
    "TIES",
    "BatchEntry",
    "BatchGroup",
    "BatchMember",
    "BatchStatus",
    "BatchSummary",
    "Batches",
    "Bucket",
    "Cell",
    "Composite",
    "CompositePart",
    "Curation",
    "Cut",
    "CutGroup",
    "CutPage",
    "Distribution",
    "Edited",
    "Event",
    "FileEntry",
    "Grouping",
    "ImageEntry",
    "ImageQuery",
    "ImageSort",
    "ImageStatus",
    "Incoming",
    "IndexReport",
    "LevelReport",
    "Levels",
    "LevelsReport",
    "Library",
    "Likeness",
    "MarkChange",
    "Marks",
    "MetricKind",
    "MissingScore",
    "MonthTally",
    "NameTally",
    "Original",
    "Outline",
    "Outlook",
    "Overview",
    "OverviewReport",
    "Page",
    "Passport",
    "PastEdit",
    "Ping",
    "Quality",
    "QualityReport",
    "QueueReport",
    "RankedPhoto",
    "Ranking",
    "Reading",
    "Restored",
    "Rival",
    "RootEntry",
    "ScoreReport",
    "SettingEntry",
    "SettingsReport",
    "Settled",
    "Similar",
    "SimilarEntry",
    "SizeTally",
    "StageName",
    "StageReport",
    "StatusReport",
    "ThroughputPoint",
    "Timeline",
    "Trash",
    "TrashItem",
    "TrashPage",
    "Trashed",
    "UploadLimits",
    "UploadStatus",
    "Uploaded",
    "Uploads",
    "WorkerReport",
]
