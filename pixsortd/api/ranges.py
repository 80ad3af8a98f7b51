"""Range and conditional requests (RFC 9110, sections 13 and 14) as pure functions."""

import re
from typing import NamedTuple

_SPEC = re.compile(r"\s*(\d*)\s*-\s*(\d*)\s*")
_ETAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_MAX_PARTS = 16
_NEAR = 80
"""Bytes between two ranges that are cheaper to send than a second part."""


class Span(NamedTuple):
    """Bytes ``start`` to ``stop``, without ``stop``."""

    start: int
    stop: int


class Unsatisfiable(NamedTuple):
    """No byte of the content was asked for: 416."""


def _span(text: str, size: int) -> Span | Unsatisfiable | None:
    """One ``first-last``, ``first-`` or ``-count``; None when it is none of these."""
    match = _SPEC.fullmatch(text)
    if match is None or not (match[1] or match[2]) or len(text) > 50:
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        return Span(size - count, size) if count else Unsatisfiable()
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    return Span(first, min(last + 1, size)) if first < size else Unsatisfiable()


def _join(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].stop + _NEAR:
            joined[-1] = Span(joined[-1].start, max(joined[-1].stop, span.stop))
        else:
            joined.append(span)
    return joined


def parse_range(header: str | None, size: int) -> Span | Unsatisfiable | None:
    """The single span to send for a ``Range`` header, `Unsatisfiable`, or None for the whole content.

    A header that is malformed, in another unit, or asks for parts that do not join into one span is
    ignored, as the RFC allows: the answer is then the whole content.
    """
    if header is None:
        return None
    unit, equals, specs = header.partition("=")
    parts = specs.split(",")
    if unit.strip().lower() != "bytes" or not equals or len(parts) > _MAX_PARTS:
        return None
    spans = [_span(part, size) for part in parts]
    if None in spans:
        return None
    joined = _join([span for span in spans if isinstance(span, Span)])
    if not joined:
        return Unsatisfiable()
    return joined[0] if len(joined) == 1 else None


def matches(header: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names ``etag`` (weak comparison)."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(match[2] == etag for match in _ETAG.finditer(header))


def range_still_wanted(if_range: str | None, etag: str) -> bool:
    """Whether ``If-Range`` allows a part: absent, or exactly our strong tag."""
    return if_range is None or if_range.strip() == etag
