"""Request bodies: what is taken where, one rule a kind of route (the first that fits holds), and their memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pixsortd.api.problems import Refusal

MAX_BODY = 1_000_000
"""Bytes of one body that is read before it is handled."""
MAX_BODIES = 32 * MAX_BODY
"""Bytes of all such bodies together."""


class BodyRule(NamedTuple):
    """What a body may be where ``route`` matches the whole of method, space and path."""

    route: re.Pattern[bytes]
    kind: str
    """Media type."""
    max_bytes: int | None
    """None: unlimited, the handler reads it as it streams in and sets limits of its own."""
    code: str
    """Of the problem when it is of another kind."""

    @property
    def streamed(self) -> bool:
        """Whether it goes to the handler unread."""
        return self.max_bytes is None

    def wrong_kind(self) -> Refusal:
        """The refusal of a body of another media type, or an encoded one."""
        message = f"A request body must be plain {self.kind}."
        return Refusal(415, self.code, message, headers=(("accept", self.kind),))

    def too_large(self) -> Refusal:
        """The refusal of a body past the limit, whether announced or found out while reading."""
        return Refusal(413, "body-too-large", f"A request body may have at most {self.max_bytes} bytes.")


RULES = (
    BodyRule(
        re.compile(rb"[A-Z]+ /api/(?:images/upload|batches/[A-Za-z0-9_-]+/upload-and-add)/?"),
        "multipart/form-data",
        None,
        "not-multipart",
    ),
    BodyRule(re.compile(rb".*", re.DOTALL), "application/json", MAX_BODY, "not-json"),
)


def rule_for(method: str, path: bytes) -> BodyRule:
    """The rule of a route; ``path`` as sent, without the query."""
    route = method.encode() + b" " + path
    return next(rule for rule in RULES if rule.route.fullmatch(route))


class BodyMemory:
    """The memory that the bodies of all requests share. For the event loop's thread only."""

    def __init__(self, size: int = MAX_BODIES) -> None:
        self.free = size

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """What one request takes of it, free again at the end of the block."""
        share = Share(self)
        try:
            yield share
        finally:
            self.free += share.taken


class Share:
    """One request's part of the memory."""

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self.taken = 0

    def take(self, size: int) -> Refusal | None:
        """``size`` bytes more, or the refusal where there is no room for them."""
        if size > self._memory.free:
            message = "The daemon holds as many request bodies as it has memory for."
            return Refusal(503, "busy", message, next_step="Send it again.", headers=(("retry-after", "2"),))
        self._memory.free -= size
        self.taken += size
        return None
