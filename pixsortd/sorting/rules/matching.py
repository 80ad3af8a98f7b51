"""What can be asked of a fact. What is asked is read once, refused in words, and then answered fast."""

import fnmatch
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from pixsortd.config import Duration, Size
from pixsortd.sorting.rules.words import Wrong

_EPOCH = datetime(1970, 1, 1)
_EVERYTHING = (-math.inf, math.inf)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_COMPARED = re.compile(r"(>=|<=|!=|>|<|=)\s*(.+)")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?)?)?")
_AROUND = re.compile(r"(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s+within\s+(\d+(?:\.\d+)?)\s*(km|m|mi)")
_KILOMETRES = {"km": 1.0, "m": 0.001, "mi": 1.609344}
_EARTH = 6371.0088
"""Mean radius in kilometres."""

Span = tuple[float, float]
"""The least and the greatest number that are meant."""
Position = tuple[float, float]
"""Latitude and longitude in degrees."""


class Matcher(Protocol):
    """What is asked of one fact."""

    def holds(self, value: Any, now: float) -> bool:
        """Whether it is so, for a fact that is known; ``now`` in seconds since the epoch."""
        ...

    def covers(self, other: "Matcher") -> bool:
        """Whether all that ``other`` takes is taken here too, as far as that can be told."""
        ...


class Anything:
    """Takes whatever is known."""

    def holds(self, value: Any, now: float) -> bool:  # noqa: ARG002 - the protocol's
        """Always."""
        return True

    def covers(self, other: Matcher) -> bool:  # noqa: ARG002 - the protocol's
        """Always."""
        return True


class Globs:
    """Takes texts of which one fits a pattern, and none fits a pattern with ``!`` before it."""

    def __init__(self, asked: Sequence[object], tester: Callable[[str], Callable[[str], bool]]) -> None:
        """``tester`` makes a test of a pattern. Raises ``Wrong``."""
        patterns = [folded(_text(one)) for one in asked]
        if not all(pattern.removeprefix("!") for pattern in patterns):
            raise Wrong("an empty pattern fits nothing", 'Write "none" to ask for what is not there.')
        self._takes = {one: tester(one) for one in patterns if not one.startswith("!")}
        self._leaves = {one[1:]: tester(one[1:]) for one in patterns if one.startswith("!")}

    def holds(self, value: Sequence[str], now: float) -> bool:  # noqa: ARG002 - the protocol's
        """Whether the texts are taken."""
        texts = [folded(one) for one in value]
        if any(fits(text) for fits in self._leaves.values() for text in texts):
            return False
        return not self._takes or any(fits(text) for fits in self._takes.values() for text in texts)

    def covers(self, other: Matcher) -> bool:
        """Told for patterns that are the same, and for plain texts that fit one."""
        if not isinstance(other, Globs) or not self._leaves.keys() <= other._leaves.keys():
            return False
        if not self._takes:
            return True
        return bool(other._takes) and all(
            one in self._takes or (_is_plain(one) and any(fits(one) for fits in self._takes.values()))
            for one in other._takes
        )

    def can_take(self, choices: Sequence[str]) -> bool:
        """Whether every pattern fits one of the only values there are."""
        tests = [*self._takes.values(), *self._leaves.values()]
        return all(any(fits(folded(choice)) for choice in choices) for fits in tests)


class Spans(NamedTuple):
    """Takes numbers within one of some spans."""

    spans: tuple[Span, ...]
    scale: Callable[[Any], float]
    """The number of a value."""
    last: float | None = None
    """Takes also what is at most so many seconds ago; of dates only."""

    def holds(self, value: Any, now: float) -> bool:
        """Whether the value is within."""
        number = self.scale(value)
        if any(low <= number <= high for low, high in self.spans):
            return True
        return self.last is not None and seconds(datetime.fromtimestamp(now)) - self.last <= number

    def covers(self, other: Matcher) -> bool:
        """Whether each span of the other lies in one of these."""
        if not isinstance(other, Spans):
            return False
        if other.last is not None and (self.last is None or self.last < other.last):
            return _EVERYTHING in self.spans
        return all(any(low <= one[0] and one[1] <= high for low, high in self.spans) for one in other.spans)


class Circles(NamedTuple):
    """Takes places that are near enough to one of some others."""

    circles: tuple[tuple[Position, float], ...]
    """Each with its radius in kilometres."""

    def holds(self, value: Position, now: float) -> bool:  # noqa: ARG002 - the protocol's
        """Whether the place is near one."""
        return any(kilometres(value, centre) <= radius for centre, radius in self.circles)

    def covers(self, other: Matcher) -> bool:
        """Whether each circle of the other lies in one of these."""
        return isinstance(other, Circles) and all(
            any(kilometres(centre, mine) + radius <= reach for mine, reach in self.circles)
            for centre, radius in other.circles
        )


def folded(text: str) -> str:
    """A text as people compare it: without case, accents composed alike."""
    return unicodedata.normalize("NFC", text).casefold()


def seconds(moment: datetime) -> float:
    """Local time without a zone as a number."""
    return (moment - _EPOCH).total_seconds()


def kilometres(one: Position, other: Position) -> float:
    """The way along the earth's surface."""
    (north, east), (to_north, to_east) = (map(math.radians, one), map(math.radians, other))
    half = (
        math.sin((to_north - north) / 2) ** 2
        + math.cos(north) * math.cos(to_north) * math.sin((to_east - east) / 2) ** 2
    )
    return 2 * _EARTH * math.asin(math.sqrt(min(1.0, half)))


# --- what is asked, by kind; each raises ``Wrong`` ------------------------------------------------------------


def texts(asked: Sequence[object]) -> Globs:
    """Patterns for texts."""
    return Globs(asked, _glob)


def paths(asked: Sequence[object]) -> Globs:
    """Patterns for paths; ``*`` stays in one directory, ``**`` crosses them."""
    return Globs(asked, _path_glob)


def numbers(asked: Sequence[object]) -> Spans:
    """Comparisons and ranges of numbers."""
    return _spans(asked, _number, float)


def sizes(asked: Sequence[object]) -> Spans:
    """Comparisons and ranges of bytes."""
    return _spans(asked, _size, float)


def dates(asked: Sequence[object]) -> Spans:
    """Comparisons and ranges of days, months and years, and times up to now."""
    texts = [str(one) for one in asked]
    last = [one.removeprefix("last ") for one in texts if one.startswith("last ")]
    try:
        ages = [Duration.parse(one) for one in last]
    except ValueError as error:
        raise Wrong(f'{error} after "last"', _DATE_STEP) from None
    spans = _spans([one for one in texts if not one.startswith("last ")], _period, seconds)
    return spans._replace(last=max(ages, default=None))


def places(asked: Sequence[object]) -> Circles:
    """Circles on the earth."""
    circles = []
    for one in asked:
        match = _AROUND.fullmatch(_text(one).strip())
        if match is None or abs(float(match[1])) > 90 or abs(float(match[2])) > 180:
            raise Wrong(f'"{one}" is no place', _PLACE_STEP)
        circles.append(((float(match[1]), float(match[2])), float(match[3]) * _KILOMETRES[match[4]]))
    return Circles(tuple(circles))


_NUMBER_STEP = 'Write a number, or such as ">= 3", "< 10", "1..5".'
_SIZE_STEP = 'Write such as "> 5MB", "<= 200kB", "1MB..20MB".'
_DATE_STEP = 'Write such as "2020", ">= 2020-05", "< 2020-05-17", "2019..2021", "last 30d".'
_PLACE_STEP = 'Write latitude, longitude and how far around: "48.1,11.5 within 20km".'


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(f"expected text in quotes, found {value}")
    return value


def _spans(asked: Sequence[object], read: Callable[[str], Span], scale: Callable[[Any], float]) -> Spans:
    return Spans(tuple(span for one in asked for span in _asked_spans(str(one).strip(), read)), scale)


def _asked_spans(text: str, read: Callable[[str], Span]) -> list[Span]:
    if match := _COMPARED.fullmatch(text):
        return _COMPARISONS[match[1]](read(match[2].strip()))
    first, dots, last = text.partition("..")
    if not dots:
        return [read(text)]
    low = read(first.strip())[0] if first.strip() else -math.inf
    high = read(last.strip())[1] if last.strip() else math.inf
    if low > high:
        raise Wrong(f'the range "{text}" ends before it begins')
    return [(low, high)]


_COMPARISONS: Mapping[str, Callable[[Span], list[Span]]] = {
    ">=": lambda span: [(span[0], math.inf)],
    ">": lambda span: [(_after(span[1]), math.inf)],
    "<=": lambda span: [(-math.inf, span[1])],
    "<": lambda span: [(-math.inf, _before(span[0]))],
    "=": lambda span: [span],
    "!=": lambda span: [(-math.inf, _before(span[0])), (_after(span[1]), math.inf)],
}


def _before(number: float) -> float:
    return math.nextafter(number, -math.inf)


def _after(number: float) -> float:
    return math.nextafter(number, math.inf)


def _number(text: str) -> Span:
    if not _NUMBER.fullmatch(text):
        raise Wrong(f'"{text}" is no number', _NUMBER_STEP)
    return float(text), float(text)


def _size(text: str) -> Span:
    try:
        size = float(Size.parse(text))
    except (ValueError, OverflowError):
        raise Wrong(f'"{text}" is no size', _SIZE_STEP) from None
    return size, size


def _period(text: str) -> Span:
    """From the first to the last instant of the year, month, day, minute or second that is written."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise Wrong(f'"{text}" is no date', _DATE_STEP)
    given = [int(part) for part in match.groups() if part is not None]
    try:
        start = datetime(*(given + [1, 1][len(given) - 1 :]))  # type: ignore[arg-type]
        end = _ENDS[len(given)](start)
    except (ValueError, OverflowError):
        raise Wrong(f'there is no date "{text}"', _DATE_STEP) from None
    return seconds(start), _before(seconds(end))


_ENDS: Mapping[int, Callable[[datetime], datetime]] = {
    1: lambda start: start.replace(year=start.year + 1),
    2: lambda start: (start + timedelta(days=31)).replace(day=1),
    3: lambda start: start + timedelta(days=1),
    5: lambda start: start + timedelta(minutes=1),
    6: lambda start: start + timedelta(seconds=1),
}
"""The end of what begins there, by how many numbers were written."""


def _glob(pattern: str) -> Callable[[str], bool]:
    fits = re.compile(fnmatch.translate(pattern)).match
    return lambda text: fits(text) is not None


def _is_plain(pattern: str) -> bool:
    return not any(sign in pattern for sign in "*?[")


def _path_glob(pattern: str) -> Callable[[str], bool]:
    """With or without the directories before it; ``/`` at the beginning means the root, at the end all below it."""
    parts = pattern.strip("/").split("/")
    steps = [
        *([] if pattern.startswith("/") else [None]),
        *(None if part == "**" else _glob(part) for part in parts),
        *([None] if pattern.endswith("/") else []),
    ]

    def reached(step: int) -> set[int]:
        found = {step}
        while step < len(steps) and steps[step] is None:
            step += 1
            found.add(step)
        return found

    start = reached(0)

    def fits(path: str) -> bool:
        at = start
        for name in path.split("/"):
            following: set[int] = set()
            for step in at:
                if step < len(steps):
                    test = steps[step]
                    if test is None:
                        following |= reached(step)
                    elif test(name):
                        following |= reached(step + 1)
            at = following
        return len(steps) in at

    return fits
