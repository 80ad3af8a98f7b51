"""Which photo is the best: ranking by one metric, percentiles, and a composite of several. Pure.

Metrics disagree on direction: less is better for BRISQUE, NIQE and PIQE, more for CLIP-IQA and MUSIQ.
Nothing here compares two scores without being told which way the metric points.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeGuard

from pixsortd.records import Record


class Candidate(Record, frozen=True, kw_only=True):
    """A photo to be ranked, with what decides between equal scores."""

    id: bytes
    value: float | None
    """None, or not finite: the metric has no answer for this photo."""
    pixels: int = 0
    taken: float = 0.0


class Placed(Record, frozen=True, kw_only=True):
    """A photo's place; 1 is the best, None that it could not be compared."""

    id: bytes
    rank: int | None
    value: float | None


class Part(Record, frozen=True, kw_only=True):
    """What one metric adds to a composite."""

    metric: str
    percentile: float
    weight: float
    """The weights of the parts sum to 1."""


class Rising(Protocol):
    """Numbers in rising order: a sequence or an array."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


def answered(value: float | None) -> TypeGuard[float]:
    """Whether a metric said something that compares: a finite number."""
    return value is not None and math.isfinite(value)


def ranked(candidates: Iterable[Candidate], lower_better: bool) -> list[Placed]:
    """From best to worst; those without a finite value come last and have no rank.

    Equal scores: more pixels first, then taken earlier, then the smaller id. So each rank is given
    once, and the order of the candidates does not matter.
    """
    sign = 1.0 if lower_better else -1.0

    def order(candidate: Candidate) -> tuple[bool, float, int, float, bytes]:
        value = candidate.value if answered(candidate.value) else None
        return value is None, sign * (value or 0.0), -candidate.pixels, candidate.taken, candidate.id

    placed = []
    for rank, candidate in enumerate(sorted(candidates, key=order), 1):
        known = answered(candidate.value)
        placed.append(Placed(id=candidate.id, rank=rank if known else None, value=candidate.value if known else None))
    return placed


def percentile(rising: Rising, value: float, lower_better: bool) -> float:
    """Share, 0 to 100, of the scores that ``value`` is at least as good as; 0 where there are none.

    ``rising`` are all scores in rising order, ``value`` among them, so that the best has 100.
    """
    if not len(rising):
        return 0.0
    beaten = len(rising) - bisect_left(rising, value) if lower_better else bisect_right(rising, value)
    return 100.0 * beaten / len(rising)


def composite(percentiles: Mapping[str, float], weights: Mapping[str, float]) -> tuple[float, tuple[Part, ...]] | None:
    """(weighted mean of the percentiles, its parts by metric); 0 to 100, more is better.

    Metrics without a weight above 0 do not count. One without a percentile is left out and the
    other weights grow in proportion; None when nothing is left.
    """
    used = {metric: weight for metric, weight in weights.items() if weight > 0 and metric in percentiles}
    if not used:
        return None
    largest = max(used.values())  # divided out first: very small weights would vanish in the sum
    total = math.fsum(weight / largest for weight in used.values())
    parts = tuple(
        Part(metric=metric, percentile=percentiles[metric], weight=used[metric] / largest / total)
        for metric in sorted(used)
    )
    value = math.fsum(part.weight * part.percentile for part in parts)
    return min(100.0, max(0.0, value)), parts
