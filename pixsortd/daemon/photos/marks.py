"""What the user puts on photos: stars, colour labels and captions. They live in the decisions log."""

import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import structlog
from msgspec import UNSET

from pixsortd.api.ports import ImageEntry, MarkChange
from pixsortd.daemon.photos.views import PhotoViews
from pixsortd.decisions import Decisions
from pixsortd.errors import IndexProblem, InvalidRequest, NotFound
from pixsortd.index.store import Store
from pixsortd.records import CaptionPhoto, Decision, LabelPhoto, RatePhoto, Step

log = structlog.get_logger()

MOST_STARS = 5
LONGEST_CAPTION = 2000
"""Characters."""


class Mark(NamedTuple):
    """One thing that the user puts on photos or takes off them."""

    on: Callable[[bytes], Decision]
    """The decision for one photo."""
    step: Step
    """The line of its passport."""


def marks_of(change: MarkChange, at: float) -> Iterator[Mark]:
    """What a change comes to. Raises ``InvalidRequest`` for a mark that cannot be one."""
    if (stars := change.stars) is not UNSET:
        if stars is not None and not 0 <= stars <= MOST_STARS:
            raise InvalidRequest(f"{stars} is no rating", next_step=f"Give 0 to {MOST_STARS} stars.")
        said = "rating taken back" if stars is None else f"{stars} stars"
        yield Mark(lambda sha256: RatePhoto(sha256=sha256, stars=stars, at=at), Step(at=at, what="rated", detail=said))
    if (label := change.label) is not UNSET:
        yield Mark(
            lambda sha256: LabelPhoto(sha256=sha256, label=label, at=at),
            Step(at=at, what="labelled", detail=label or "label taken back"),
        )
    if change.caption is not UNSET:
        caption = _caption(change.caption)
        yield Mark(
            lambda sha256: CaptionPhoto(sha256=sha256, caption=caption, at=at),
            Step(at=at, what="captioned", detail="caption written" if caption else "caption taken back"),
        )


def _caption(text: str | None) -> str | None:
    """The caption without space around it; None for an empty one. Raises ``InvalidRequest``."""
    caption = (text or "").strip()
    if len(caption) > LONGEST_CAPTION:
        raise InvalidRequest(
            f"the caption is too long ({len(caption)} characters)", next_step=f"Use {LONGEST_CAPTION}."
        )
    if any(unicodedata.category(one) in ("Cc", "Cs") and one != "\n" for one in caption):
        raise InvalidRequest("the caption has control characters in it", next_step="Leave out all but line breaks.")
    return caption or None


class Marks:
    """Implements ``pixsortd.api.ports.Marks``."""

    def __init__(
        self,
        store: Store,
        decisions: Decisions,
        views: PhotoViews,
        on_photos: Callable[[Mapping[str, object]], None],
    ) -> None:
        """``on_photos`` hears of photos that changed."""
        self._store = store
        self._decisions = decisions
        self._views = views
        self._on_photos = on_photos

    def mark(self, images: Sequence[bytes], change: MarkChange) -> list[ImageEntry]:
        """Record the change for every photo durably, all in one write; the photos as they are now.

        Raises ``NotFound`` for an unknown photo and ``InvalidRequest`` for a mark that cannot be one,
        with nothing changed.
        """
        chosen = list(dict.fromkeys(images))
        if len(self._store.known(chosen)) < len(chosen):
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        marks = list(marks_of(change, time.time()))
        self._decisions.append_all([mark.on(sha256) for sha256 in chosen for mark in marks])
        try:
            self._store.add_histories({sha256: [mark.step for mark in marks] for sha256 in chosen})
        except IndexProblem as error:  # the decision is kept; only its line in the passports is not
            log.warning("marks not written into the passports", error=str(error))
        self._on_photos({"changed": [sha256.hex() for sha256 in chosen]})
        return self._views.entries(chosen)
