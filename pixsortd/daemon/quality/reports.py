"""Scores side by side, compared and ranked, and the jobs that compute those that are missing.

Scores compare only within one version of a metric and one size they are computed at; others count
as missing. The line that analyses new files computes scores too, in turn with the files that wait,
so a job here is only watched and never keeps another job waiting.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from pixsortd.api.ports import (
    COMPOSITE,
    Distribution,
    MissingScore,
    QualityReport,
    Ranking,
    ScoreReport,
    StageName,
)
from pixsortd.config import Settings
from pixsortd.daemon.jobs import Jobs, Result, Tracked
from pixsortd.daemon.photos.views import known_group
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.orders import Order
from pixsortd.daemon.pipeline.wants import readable
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.quality.distributions import Distributions
from pixsortd.errors import InvalidRequest, NotFound, WorkerFailed
from pixsortd.grouping import best
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import Ability, AbilityState, Job, Reason

_NO_ANSWER = Reason(
    code="no-answer",
    message="the metric has no answer for this photo",
    next_step="It is too small for this metric, or of one colour; another metric may have an answer.",
)
_AWAY = Reason(
    code="away",
    message="no file of this photo can be read now",
    next_step="Bring the disk or share back; GET /api/roots says which root is missing.",
)


class Line(Protocol):
    """Who computes scores."""

    def order(self, order: Order) -> None: ...
    def withdraw(self, order: Order) -> None: ...


class DaemonQuality:
    """Implements ``pixsortd.api.ports.Quality``."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        jobs: Jobs,
        line: Line,
        holds: Holds,
        *,
        online: Callable[[], Collection[str]],
        abilities: Callable[[], Iterable[Ability]],
    ) -> None:
        """``online`` gives the roots that can be read, ``abilities`` what is known of the configured metrics."""
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._line = line
        self._holds = holds
        self._online = online
        self._abilities = abilities
        self._library = Distributions(store)

    # --- reports -----------------------------------------------------------------------------------

    def report(self, image: bytes, metric: str | None, compute: bool, again: bool) -> QualityReport:
        """All scores of a photo, or the one of ``metric``. Raises ``NotFound``, ``InvalidRequest``."""
        return self._reports([image], metric, compute or again, again)[0]

    def compute(self, images: Sequence[bytes], metric: str | None, again: bool) -> Sequence[QualityReport]:
        """The same for many, with one job for what is missing. Raises ``NotFound``, ``InvalidRequest``."""
        return self._reports(images, metric, True, again)

    def distributions(self) -> tuple[Distribution, ...]:
        """Every metric over the library. *May block* for some seconds in a large library, the first time."""
        return self._library.histograms()

    def _reports(self, images: Sequence[bytes], metric: str | None, compute: bool, again: bool) -> list[QualityReport]:
        wanted = self._expand(self._settings().score.metrics if metric is None else (metric,))
        photos = self._store.scored(images)
        if any(image not in photos for image in images):
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        job = self.compute_job(images, wanted, again) if compute else None
        look = _Look(self._store, self.comparison(photos.values()))
        hindrances = self._hindrances(wanted)
        return [
            QualityReport(
                id=image,
                items=look.items(photos[image], None if metric is None else wanted),
                composite=look.comparison.composite(photos[image]),
                missing=self._missing(photos[image], wanted, look.comparison, hindrances),
                job=job,
            )
            for image in images
        ]

    def _missing(
        self,
        photo: Scored,
        wanted: Sequence[str],
        comparison: Comparison,
        hindrances: Mapping[str, Reason],
    ) -> tuple[MissingScore, ...]:
        """What of ``wanted`` the photo has no score in, and why it cannot be had now."""
        present, scores = comparison.present(photo), comparison.scores(photo)
        lacking = [name for name in wanted if name not in scores]
        away = _AWAY if lacking and not self._readable(photo.sha256) else None
        return tuple(
            MissingScore(metric=name, reason=_NO_ANSWER if name in present else hindrances.get(name) or away)
            for name in lacking
        )

    # --- rankings ----------------------------------------------------------------------------------

    def rank(self, group: str, metric: str) -> Ranking:
        """Rank a library group by what is stored; a job computes what is missing.

        Raises ``NotFound``, ``InvalidRequest``.
        """
        known_group(self._store, group)
        photos = self._store.scored(self._store.members(group))
        ranking = self._rank(list(photos), photos, metric)
        return msgspec.structs.replace(ranking, job=self.compute_job(list(photos), (metric,), False))

    def rank_of(self, images: Sequence[bytes], metric: str) -> Ranking:
        """Rank these photos by their stored scores; those without one come last. Raises ``InvalidRequest``."""
        return self._rank(images, self._store.scored(images), metric)

    def _rank(self, images: Sequence[bytes], photos: Mapping[bytes, Scored], metric: str) -> Ranking:
        self._expand((metric,))
        comparison = self.comparison(photos.values())
        return Ranking(
            metric=metric,
            lower_better=comparison.lower_better(metric),
            at=time.time(),
            items=comparison.ranked(images, photos, metric),
        )

    # --- jobs --------------------------------------------------------------------------------------

    def compute_job(
        self,
        images: Sequence[bytes],
        metrics: Sequence[str],
        again: bool,
        then: Callable[[], None] | None = None,
    ) -> Job | None:
        """A job that scores these photos where they lack one of ``metrics``, or with ``again`` anyway.

        None when nothing is missing that can be computed now. ``then`` is called in another thread
        once the scores are stored; a job without it is shared by all who ask for the same.
        Raises ``InvalidRequest``.
        """
        able = self._able(self._expand(metrics))
        lacking = self._lacking(images, able, again)
        here = [sha256 for sha256 in lacking if self._readable(sha256)]
        if not here:
            return None
        away = len(lacking) - len(here)

        def begin(tracked: Tracked) -> Callable[[], None]:
            order = Order(
                here,
                able,
                again,
                on_progress=lambda order: tracked.progress(order.done, order.total, _said(order, away)),
                on_end=lambda order: tracked.conclude(lambda: self._ended(order, away, then)),
            )
            tracked.progress(0, order.total, _said(order, away))
            self._line.order(order)
            return lambda: self._line.withdraw(order)

        subject = secrets.token_hex(6) if then is not None else _subject(here, able, again)
        return self._jobs.track("quality", begin, subject)

    def unscored(self, images: Sequence[bytes]) -> frozenset[bytes]:
        """Those of these photos that lack a score which can be computed now, and so will have it soon."""
        return frozenset(self._lacking(images, self._able(self._settings().score.metrics)))

    def _able(self, metrics: Sequence[str]) -> list[str]:
        hindrances = self._hindrances(metrics)
        return [name for name in metrics if name not in hindrances]

    def _lacking(self, images: Sequence[bytes], able: Sequence[str], again: bool = False) -> list[bytes]:
        """Those of these photos that lack one of the metrics ``able``, or with ``again`` all."""
        if not able:
            return []
        present = self.comparison(()).present
        return [
            sha256
            for sha256, photo in self._store.scored(images).items()
            if again or not present(photo).issuperset(able)
        ]

    def _ended(self, order: Order, away: int, then: Callable[[], None] | None) -> Result:
        """The last step of a job."""
        if order.problem is not None:
            raise WorkerFailed(order.problem.message, next_step=order.problem.next_step)
        if then is not None:
            then()
        result: dict[str, int | float | str] = {
            "photos": order.total + away,
            "scored": order.scored,
            "away": order.away + away,
        }
        unavailable = self._hindrances(sorted(order.metrics))
        if unavailable:
            result["unavailable"] = ", ".join(unavailable)
        return result

    # --- what is known -----------------------------------------------------------------------------

    def _expand(self, metrics: Sequence[str]) -> tuple[str, ...]:
        """The metrics themselves, with the composite's in its place. Raises ``InvalidRequest``."""
        configured = self._settings().score.metrics
        for name in metrics:
            if name != COMPOSITE and name not in configured:
                raise InvalidRequest(
                    f"{name!r} is not one of the metrics that are computed here",
                    next_step=f"Use one of {', '.join((*configured, COMPOSITE))}, or add it to score.metrics.",
                )
        weights = [name for name, weight in self._weights().items() if weight > 0 and name in configured]
        named = (part for name in metrics for part in (weights if name == COMPOSITE else (name,)))
        return tuple(dict.fromkeys(named))

    def _weights(self) -> Mapping[str, float]:
        """Of the metrics in the composite; configured none, all count alike."""
        score = self._settings().score
        return score.composite or dict.fromkeys(score.metrics, 1.0)

    def comparison(self, photos: Iterable[Scored]) -> Comparison:
        """What scores of these photos mean beside those of the library. *May block* as ``distributions`` does."""
        _, current = self._store.metric_infos()
        asked = {
            score.metric
            for photo in photos
            for score in photo.scores
            if best.answered(score.value) and current.get(score.metric.name) == score.metric
        }
        return Comparison(self._library.spreads(asked), current, self._weights())

    def _hindrances(self, metrics: Sequence[str]) -> dict[str, Reason]:
        """Why metrics cannot be computed now; those that can be, or may be, are not in it."""
        held = self._holds.reason(StageName.ANALYZE) or self._holds.reason(StageName.SCORE)
        if held is not None:
            return dict.fromkeys(metrics, held)
        unavailable = {
            ability.name: ability.reason or Reason(code="model", message="it cannot be used now")
            for ability in self._abilities()
            if ability.kind == "metric" and ability.state is AbilityState.UNAVAILABLE
        }
        return {name: unavailable[name] for name in metrics if name in unavailable}

    def _readable(self, sha256: bytes) -> bool:
        return readable(self._store.locations(sha256), self._online()) is not None


class _Look:
    """Reports of several photos at one moment; what they share is read once."""

    def __init__(self, store: Store, comparison: Comparison) -> None:
        self._store = store
        self.comparison = comparison
        self._groups: dict[str, Mapping[str, Sequence[float]]] = {}

    def items(self, photo: Scored, names: Sequence[str] | None) -> tuple[ScoreReport, ...]:
        """A photo's scores, by metric; None: all."""
        found = self.comparison.scores(photo)
        scores = [score for name, score in found.items() if names is None or name in names]
        membership = self._store.membership(photo.sha256) if scores else None
        group = {} if membership is None else self._group(membership.group)
        return tuple(
            ScoreReport(
                score=score,
                library=self.comparison.percentile(score),
                group=best.percentile(group[score.metric.name], score.value, score.metric.lower_better)
                if score.metric.name in group
                else None,
            )
            for score in scores
        )

    def _group(self, group: str) -> Mapping[str, Sequence[float]]:
        if group not in self._groups:
            self._groups[group] = self.comparison.among(self._store.scored(self._store.members(group)).values())
        return self._groups[group]


def _subject(contents: Iterable[bytes], metrics: Iterable[str], again: bool) -> str:
    """Equal for equal jobs."""
    digest = hashlib.blake2b(b"".join(sorted(contents)), digest_size=12)
    digest.update(f"\0{sorted(metrics)}\0{again}".encode())
    return digest.hexdigest()


def _said(order: Order, away: int) -> str:
    """What a person should know while the job runs."""
    missing = order.away + away
    return f"{missing} photos are away" if missing else ""
