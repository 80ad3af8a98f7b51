"""The part of the analysis that runs in decode threads: from bytes to a photo and the models' inputs."""

import time
import zlib

import numpy as np
import structlog

from pixsortd.analyze import fault_hook
from pixsortd.analyze.decode import Decoded, Decoder, Need
from pixsortd.analyze.ports import Array, Embedder, Picture, PictureMetric
from pixsortd.analyze.shelf import Busy, Shelf
from pixsortd.analyze.thumbnail import resized, thumbnail
from pixsortd.analyze.view import ImageView
from pixsortd.analyze.work import AT_REST, Held, Work, failure, first_words, no_memory
from pixsortd.config import Settings
from pixsortd.errors import FileProblem
from pixsortd.records import Photo, Score, Wants

log = structlog.get_logger()

MARGIN = 1.875
"""Pixels decoded for each a model sees: a JPEG decoded small is averaged in boxes, which blurs and folds what
is near its finest detail. Measured with MobileNets, the cosine to a full decode is at least 0.98 at 1.25, 0.99
from 1.75 on."""
SHORT_SIDE = 480
"""A floor below every decode, so that which usual models are loaded does not change a photo's scores."""
WIDEST = 16
"""Models are shown at most this aspect ratio of a picture's middle; scaling a strip up costs gigabytes."""


class Describer:
    """Decodes a file once and makes of it all that was asked for; safe to use from several threads."""

    def __init__(self, settings: Settings, shelf: Shelf, busy: Busy) -> None:
        self._settings = settings
        self._shelf = shelf
        self._busy = busy
        self._decoder = Decoder(settings.decode)

    @property
    def need(self) -> Need:
        """The size that serves the thumbnail, the scores and every loaded model."""
        settings = self._settings
        return Need(
            long_side=max(settings.decode.thumbnail, self._shelf.long_side),
            short_side=max(SHORT_SIDE, round(MARGIN * self._shelf.short_side)),
        )

    def describe(self, held: Held, wants: Wants, need: Need, *, alone: bool = False) -> Work:
        """The file's photo, thumbnail, quick scores and model inputs, as far as wanted. Never raises.

        Without ``alone``, running out of memory only marks the work to be tried ``again``.
        """
        work = Work(held.item.id, held.content.sha256, wants, dict(held.seconds))
        self._busy("decode", (work.id,))
        try:
            fault_hook.obey(held.item.path)
            self._describe(work, held, need)
        except FileProblem as problem:
            work.failure = problem.reason()
        except MemoryError:
            work.again = None if alone else held
            work.failure = no_memory("decoding it").reason()
        # Decoders and a model's own preparation run on hostile bytes: it is this file's failure only.
        except Exception as error:
            log.warning("analysis failed", path=held.item.path, exc_info=True)
            work.failure = failure(error)
        finally:
            self._busy(AT_REST, (work.id,))
        return work

    def _describe(self, work: Work, held: Held, need: Need) -> None:
        clock = _Clock(work.seconds)
        decoded = self._decoder.decode(held.content.data, need)
        clock.lap("decode")
        view = decoded.view
        if work.wants.photo:
            work.thumbnail = thumbnail(view, self._settings.decode.thumbnail)
            work.photo = self._photo(held, decoded, work.thumbnail)
        clock.lap("thumbnail")
        framed = view.middle(WIDEST)
        prepared: dict[tuple[type[Embedder], str], Array] = {}
        for name in work.wants.spaces:
            embedder = self._shelf.embedder(name)
            if embedder is not None:
                same = type(embedder), embedder.space.preprocessing
                if same not in prepared:
                    prepared[same] = embedder.prepare(framed)
                work.inputs[name] = prepared[same]
                clock.lap(f"prepare:{name}")
        self._score(work, view, clock)

    def _score(self, work: Work, view: ImageView, clock: "_Clock") -> None:
        """Measure what can be measured here; the other metrics are left their picture."""
        pictures: dict[int, Picture] = {}
        for name in work.wants.metrics:
            metric = self._shelf.metric(name)
            if metric is None:
                continue
            side = metric.info.long_side
            if side not in pictures:
                pictures[side] = Picture(np.asarray(resized(view, side)))
                clock.lap("resize")
            if isinstance(metric, PictureMetric) and self._measured(work, name, metric, pictures[side]):
                clock.lap(f"score:{name}")
            else:
                work.pictures[name] = pictures[side].pixels

    def _measured(self, work: Work, name: str, metric: PictureMetric, picture: Picture) -> bool:
        self._busy(f"score:{name}", (work.id,))
        try:
            value = metric.measure(picture)
        # Whose fault it is, is found out where all metrics are run that have no answer.
        except Exception as error:  # noqa: BLE001
            log.debug("metric is tried again", metric=name, error=first_words(error))
            return False
        work.scores.append(Score(metric=metric.info, value=value, at=time.time()))
        return True

    def _photo(self, held: Held, decoded: Decoded, thumbnail: bytes) -> Photo:
        taken = decoded.exif.taken_at
        return Photo(
            sha256=held.content.sha256,
            size=len(held.content.data),
            format=decoded.format,
            width=decoded.view.width,
            height=decoded.view.height,
            exif=decoded.exif,
            taken=held.item.stamp.mtime_ns / 1e9 if taken is None else taken,
            taken_from="mtime" if taken is None else "exif",
            frames=decoded.frames,
            thumbnail_crc=zlib.crc32(thumbnail),
            thumbnail_size=len(thumbnail),
            decoder=self._decoder.name,
        )


class _Clock:
    """Stage times of one file."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """What passed since the last lap belongs to ``stage``."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._last
        self._last = now
