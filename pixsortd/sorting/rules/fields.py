"""What rules can ask of a file, and templates can name: one table."""

import math
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pixsortd.records import Subject
from pixsortd.sorting.rules import matching
from pixsortd.sorting.rules.matching import Matcher
from pixsortd.sorting.rules.words import Wrong, unknown

_FORMATS = ("JPEG", "MPO", "HEIF", "AVIF", "PNG", "WEBP", "TIFF", "GIF", "BMP")
_RANKS = ("best", "other")


class Kind(NamedTuple):
    """What fields of one type have in common."""

    name: str
    asks: Callable[[list[object]], Matcher]
    """Reads what is asked; raises ``Wrong``."""
    shown: Callable[[Any], str]
    """A value in words."""
    examples: tuple[str, ...]


class Field(NamedTuple):
    """One fact about a file."""

    name: str
    kind: Kind
    words: str
    absent: str
    """What is so when the file has no such fact, in words."""
    value: Callable[[Subject], Any]
    """None where it is not known."""
    written: Callable[[Any], str | None] | None = None
    """A value as a template writes it; no template can name a field without."""
    unwritten: str = ""
    """What is so when a template has nothing to write for a fact, in words."""
    exact: bool = False
    """Whether a template writes it byte for byte: it was part of a name already."""
    sure: Callable[[Subject], float] = lambda _: 1.0
    """0 to 1, how certain the fact is."""
    choices: tuple[str, ...] = ()
    """All values there are, where they are few."""
    examples: tuple[str, ...] = ()
    """Values of a condition; else those of the kind."""


def digits(value: float) -> str:
    """A number as a template writes it: at most two places, none that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _size_words(value: float) -> str:
    return f"{value / 1e6:.1f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"


def _first(values: tuple[str, ...]) -> str:
    return values[0]


TEXT = Kind("text", matching.texts, _first, ('"a*"', '["a*", "b"]', '"!a*"'))
TEXTS = TEXT._replace(shown=", ".join)
PATH = Kind("path", matching.paths, _first, ('"DCIM/*/*.jpg"', '"/Phone/"', '"!**/raw/**"'))
NUMBER = Kind("number", matching.numbers, digits, ('">= 3"', "5", '"1..5"', "[1, 2]"))
SIZE = Kind("size", matching.sizes, _size_words, ('"> 5MB"', '"200kB..1MB"'))
DATE = Kind("date", matching.dates, lambda at: f"{at:%Y-%m-%d %H:%M}", ('">= 2020-05"', '"2019..2021"', '"last 30d"'))
PLACE = Kind("place", matching.places, lambda at: f"{at[0]:.4f},{at[1]:.4f}", ('"48.1,11.5 within 20km"',))


def _split(subject: Subject) -> tuple[str, str]:
    stem, extension = os.path.splitext(os.fsdecode(subject.place.name))
    return stem, extension[1:]


def _some(*values: str | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(value for value in values if value)) or None


def _camera(subject: Subject) -> tuple[str, ...] | None:
    """Make and model together, as most models do not name their make; then each alone."""
    make, model = subject.make or "", subject.model or ""
    named = matching.folded(model).startswith(matching.folded(make))
    return _some(model if named else f"{make} {model}".strip(), model, make)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _taken(subject: Subject) -> datetime | None:
    """Local time as the camera wrote it."""
    try:
        return datetime.fromisoformat(subject.taken).replace(tzinfo=None) if subject.taken else None
    except ValueError:
        return None


def _modified(subject: Subject) -> datetime | None:
    try:
        return datetime.fromtimestamp(subject.stamp.mtime_ns // 1000 / 1e6)
    except (ValueError, OverflowError, OSError):
        return None


def _position(subject: Subject) -> matching.Position | None:
    if subject.latitude is None or subject.longitude is None:
        return None
    return subject.latitude, subject.longitude


def _group(subject: Subject) -> tuple[str, ...] | None:
    """Its name, else its id twice; then its id."""
    return None if subject.group is None else (subject.group_name or subject.group, subject.group)


def _group_name(names: tuple[str, ...]) -> str | None:
    """No directory is named after an id: it would have another name once the group has one."""
    return names[0] if names[0] != names[1] else None


def _membership(subject: Subject) -> float:
    """How firmly the file is in its group; that it is in none is certain."""
    return 1.0 if subject.group is None else subject.strength or 0.0


_ALL = (
    Field("path", PATH, "its path below the inbox", "", lambda one: (os.fsdecode(one.place.path),)),
    Field(
        "name", TEXT, "its name", "", lambda one: (os.fsdecode(one.place.name),), _first, exact=True,
        examples=('"IMG_*.jpg"', '"!Screenshot*"'),
    ),
    Field("stem", TEXT, "its name without the extension", "", lambda one: (_split(one)[0],), _first, exact=True),
    Field(
        "ext", TEXT, "its extension without the dot", "its name has no extension", lambda one: _some(_split(one)[1]),
        _first, exact=True, examples=('"jpg"', '["heic", "heif"]'),
    ),
    Field(
        "folder", TEXT, "the name of the directory it is in", "it is directly in the inbox",
        lambda one: _some(os.fsdecode(one.place.directory.rpartition(b"/")[2])), _first, exact=True,
    ),
    Field(
        "format", TEXT, "what kind of picture it is, whatever its name says", "its format is not known",
        lambda one: _some(one.format), _first, choices=_FORMATS, examples=('"HEIF"', '["JPEG", "MPO"]'),
    ),
    Field(
        "camera", TEXT, "make and model of the camera; a condition may name either", "its camera is not known",
        _camera, _first, examples=('"Canon*"', '"*iPhone*"'),
    ),
    Field("lens", TEXT, "the lens", "its lens is not known", lambda one: _some(one.lens), _first),
    Field(
        "group", TEXT, "the group of look-alike photos it is in; a condition may ask for its id too",
        "it is in no group", _group, _group_name, "its group has no name yet", sure=_membership,
        examples=('"Beach*"', '"any"', '"none"'),
    ),
    Field(
        "confidence", NUMBER, "how firmly it belongs to its group, 0 to 1", "it is in no group",
        lambda one: None if one.group is None else _finite(one.strength), digits, sure=_membership,
        examples=('">= 0.9"',),
    ),
    Field("batch", TEXTS, "the batches it is in; a template takes the first", "it is in no batch",
          lambda one: one.batches or None, _first),
    Field("label", TEXT, "its label", "it has no label", lambda one: _some(one.label), _first),
    Field("caption", TEXT, "its caption", "it has no caption", lambda one: _some(one.caption), _first),
    Field(
        "duplicate", TEXT, "the best of some duplicates, or another of them", "it has no duplicate",
        lambda one: _some(one.duplicate), _first, choices=_RANKS, examples=('"other"', '["best", "none"]'),
    ),
    Field(
        "burst", TEXT, "the best of its burst, or another of it", "it is not part of a burst",
        lambda one: _some(one.burst), _first, choices=_RANKS, examples=('"best"', '["best", "none"]'),
    ),
    Field("width", NUMBER, "pixels from left to right", "its size is not known",
          lambda one: one.width or None, digits, examples=('">= 1000"',)),
    Field("height", NUMBER, "pixels from top to bottom", "its size is not known",
          lambda one: one.height or None, digits, examples=('">= 1000"',)),
    Field("megapixels", NUMBER, "millions of pixels", "its size is not known",
          lambda one: one.width * one.height / 1e6 or None, digits, examples=('"< 2"',)),
    Field("rating", NUMBER, "its stars, 0 to 5", "it has no rating", lambda one: one.rating, digits),
    Field(
        "quality", NUMBER, "how good it is within the library by all metrics, 0 to 100", "its quality is not known yet",
        lambda one: _finite(one.percentiles.get("composite")), digits, examples=('">= 80"',),
    ),
    Field(
        "score", NUMBER, "how good it is by all metrics, 0 to 100", "its quality is not known yet",
        lambda one: _finite(one.composite), digits, examples=('">= 60"',),
    ),
    Field("size", SIZE, "bytes of the file", "", lambda one: one.stamp.size, digits),
    Field(
        "taken", DATE, "when it was taken, in local time", "it is not known when it was taken", _taken,
        lambda at: f"{at:%Y-%m-%d}",
    ),
    Field(
        "modified", DATE, "when the file was written last", "the file's time means nothing", _modified,
        lambda at: f"{at:%Y-%m-%d}",
    ),
    Field("place", PLACE, "where it was taken", "it is not known where it was taken", _position),
)  # fmt: skip

FIELDS: Mapping[str, Field] = {one.name: one for one in _ALL}
"""By name."""


def _percentile(metric: str) -> Field:
    return Field(
        f"quality.{metric}", NUMBER, f"how good it is within the library by {metric}, 0 to 100",
        f"its score by {metric} is not known", lambda one: _finite(one.percentiles.get(metric)), digits,
        examples=('">= 80"',),
    )  # fmt: skip


def _score(metric: str) -> Field:
    return Field(
        f"score.{metric}", NUMBER, f"its score by {metric}, as measured",
        f"its score by {metric} is not known", lambda one: _finite(one.scores.get(metric)), digits,
        examples=('"< 30"',),
    )  # fmt: skip


FAMILIES: Mapping[str, Callable[[str], Field]] = {"quality": _percentile, "score": _score}
"""Fields that there is one of for each metric: ``quality.niqe``."""


def field_named(name: str, metrics: tuple[str, ...] | None = None) -> Field:
    """The field of that name; raises ``Wrong``. ``metrics`` are those that are kept; None: any."""
    family, dot, metric = name.partition(".")
    if not dot or family not in FAMILIES:
        if name not in FIELDS:
            raise unknown("field", name, [*FIELDS, *(f"{one}.METRIC" for one in FAMILIES)])
        return FIELDS[name]
    if not metric:
        raise Wrong(f'"{name}" names no metric')
    if metrics is not None and metric not in metrics:
        refusal = unknown("metric", metric, metrics)
        raise Wrong(refusal.message, f"Name it in score.metrics to have it measured. {refusal.next_step}".strip())
    return FAMILIES[family](metric)
