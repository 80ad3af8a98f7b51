"""Scores of single photos against the library's, at one moment. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pixsortd.api.ports import COMPOSITE, Composite, CompositePart, RankedPhoto
from pixsortd.daemon.quality.distributions import Spread
from pixsortd.grouping import best
from pixsortd.index.scored import Scored
from pixsortd.records import MetricInfo, Score


class Comparison:
    """What scores of photos mean beside those of all others."""

    def __init__(
        self, spreads: Mapping[str, Spread], current: Mapping[str, MetricInfo], weights: Mapping[str, float]
    ) -> None:
        """``current`` are the metrics as they are computed now, ``weights`` those of the composite."""
        self._spreads = spreads
        self._current = current
        self._weights = weights

    def lower_better(self, metric: str) -> bool:
        """A metric's direction; the composite's, and that of a metric of which nothing is known yet, is upwards."""
        spread, current = self._spreads.get(metric), self._current.get(metric)
        info = current or (spread.metric if spread is not None else None)
        return info is not None and info.lower_better

    def present(self, photo: Scored) -> frozenset[str]:
        """Metrics that need not be computed: in the present version, whether or not they had an answer."""
        return frozenset(
            score.metric.name
            for score in photo.scores
            if self._current.get(score.metric.name, score.metric) == score.metric
        )

    def scores(self, photo: Scored) -> dict[str, Score]:
        """By metric those that compare: of the version the library has, with a finite value."""
        return {
            score.metric.name: score
            for score in photo.scores
            if best.answered(score.value)
            and (spread := self._spreads.get(score.metric.name)) is not None
            and spread.metric == score.metric
        }

    def percentile(self, score: Score) -> float:
        """Of one of ``scores`` in the library, 0 to 100."""
        return best.percentile(self._spreads[score.metric.name].rising, score.value, score.metric.lower_better)

    def composite(self, photo: Scored) -> Composite | None:
        """The photo's composite, and what it is made of."""
        scores = self.scores(photo)
        found = best.composite(
            {name: self.percentile(score) for name, score in scores.items() if name in self._weights}, self._weights
        )
        if found is None:
            return None
        value, parts = found
        return Composite(
            value=value,
            parts=tuple(
                CompositePart(metric=part.metric, percentile=part.percentile, weight=part.weight) for part in parts
            ),
        )

    def value(self, photo: Scored, metric: str) -> float | None:
        """What a photo is ranked by."""
        if metric == COMPOSITE:
            composite = self.composite(photo)
            return None if composite is None else composite.value
        score = self.scores(photo).get(metric)
        return None if score is None else score.value

    def ranked(self, images: Iterable[bytes], photos: Mapping[bytes, Scored], metric: str) -> list[RankedPhoto]:
        """From best to worst; images that are no photos come last."""
        candidates = (
            best.Candidate(id=image, value=self.value(photo, metric), pixels=photo.pixels, taken=photo.taken)
            if (photo := photos.get(image)) is not None
            else best.Candidate(id=image, value=None)
            for image in images
        )
        placed = best.ranked(candidates, self.lower_better(metric))
        return [RankedPhoto(id=found.id, rank=found.rank, value=found.value) for found in placed]

    def among(self, photos: Iterable[Scored]) -> Mapping[str, Sequence[float]]:
        """Values of a few photos by metric, in rising order: what percentiles within a group are made of."""
        values: dict[str, list[float]] = defaultdict(list)
        for photo in photos:
            for name, score in self.scores(photo).items():
                values[name].append(score.value)
        return {name: sorted(found) for name, found in values.items()}
