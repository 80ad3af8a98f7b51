"""One file on its way through the analysis."""

from dataclasses import dataclass, field

from pixsortd.analyze.ports import Array
from pixsortd.analyze.reading import Content
from pixsortd.errors import TooLarge
from pixsortd.records import Analysis, Embedding, Photo, Reason, Score, Wants, WorkItem

AT_REST = ""
"""The stage of files that nothing is being done with."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file between its fingerprint and its analysis."""

    item: WorkItem
    content: Content
    seconds: dict[str, float]
    """Time by stage so far."""


@dataclass(slots=True)
class Work:
    """What has been found out about one file so far."""

    id: int
    sha256: bytes
    wants: Wants
    seconds: dict[str, float]
    photo: Photo | None = None
    thumbnail: bytes | None = None
    inputs: dict[str, Array] = field(default_factory=dict)
    """Each space's prepared input."""
    pictures: dict[str, Array] = field(default_factory=dict)
    """What each metric that is still to score is shown: uint8 [h, w, 3]."""
    embeddings: list[Embedding] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    failure: Reason | None = None
    again: Held | None = None
    """Set where memory ran out beside other files: it deserves another try by itself."""

    def answer(self) -> Analysis:
        """The work as it leaves; a failed one carries its reason and nothing half-done."""
        if self.failure is not None:
            return Analysis(id=self.id, sha256=self.sha256, failure=self.failure, seconds=self.seconds)
        return Analysis(
            id=self.id,
            sha256=self.sha256,
            photo=self.photo,
            thumbnail=self.thumbnail,
            embeddings=tuple(self.embeddings),
            scores=tuple(self.scores),
            seconds=self.seconds,
        )


def failure(error: Exception) -> Reason:
    """An unforeseen error as this file's failure."""
    return Reason(
        code="analysis-failed",
        message=f"it could not be analysed ({type(error).__name__}: {first_words(error)})",
        next_step="See the daemon's log; then retry the file.",
    )


def no_memory(doing: str) -> TooLarge:
    """Memory ran out over one file by itself; ``doing``: what was being done with it."""
    return TooLarge(
        f"{doing} needs more memory than the worker may use",
        next_step="Raise memory in [worker], then retry the file.",
    )


def first_words(error: Exception) -> str:
    """The first line of what an error says; its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
