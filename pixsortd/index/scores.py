"""Quality scores: raw values, each with the metric's own direction, range and version."""

import functools
import hashlib
from collections.abc import Mapping

import msgspec

from pixsortd.index.codec import damaged, encode
from pixsortd.index.engine import Edit, View
from pixsortd.index.places import SHA
from pixsortd.index.schema import Table
from pixsortd.records import MetricInfo, Score

info = functools.lru_cache(maxsize=64)(msgspec.msgpack.Decoder(MetricInfo).decode)
"""The stored description of a metric."""
stored = msgspec.msgpack.Decoder(tuple[bytes, float, float]).decode
"""A stored score: key of its metric, value, time."""


def info_key(metric: MetricInfo) -> bytes:
    """8 bytes that change whenever scores could no longer be compared."""
    return hashlib.blake2b(encode(metric), digest_size=8).digest()


def put(edit: Edit, sha256: bytes, score: Score, now: float) -> None:
    """Store or replace a photo's score in one metric."""
    key = info_key(score.metric)
    if not edit.has(Table.METRICS, key):
        edit.put(Table.METRICS, key, encode(score.metric))
    edit.put(Table.SCORES, sha256 + score.metric.name.encode(), encode((key, float(score.value), score.at or now)))


def of(view: View, sha256: bytes) -> list[Score]:
    """A photo's scores, by metric name."""
    found = []
    for _, payload in view.items(Table.SCORES, sha256):
        key, value, at = stored(payload)
        described = view.get(Table.METRICS, key)
        if described is None:
            raise damaged("a score belongs to no metric")
        found.append(Score(metric=info(described), value=value, at=at))
    return found


def values(view: View, sha256: bytes) -> dict[str, float]:
    """A photo's raw scores by metric name."""
    return {key[SHA:].decode(): stored(payload)[1] for key, payload in view.items(Table.SCORES, sha256)}


def value(view: View, sha256: bytes, metric: str) -> float | None:
    """A photo's raw score in one metric."""
    payload = view.get(Table.SCORES, sha256 + metric.encode())
    return None if payload is None else stored(payload)[1]


def present(view: View, sha256: bytes, current: Mapping[str, MetricInfo]) -> frozenset[str]:
    """Metrics a photo is scored in, without those whose scores are of another version than ``current``."""
    found = set()
    for key, payload in view.items(Table.SCORES, sha256):
        name = key[SHA:].decode()
        if name not in current or info_key(current[name]) == stored(payload)[0]:
            found.add(name)
    return frozenset(found)
