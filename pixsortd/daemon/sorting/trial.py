"""Rules tried on photos that are there, and nothing done: counts over a library, and single photos shown. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from pixsortd.api.ports import PreviewItem
from pixsortd.records import Difference, Place, Subject, Tried

EXAMPLES = 200
"""Photos that lie elsewhere, and directories, that are told one by one."""


class Rule(Protocol):
    """What is asked of a rule."""

    @property
    def name(self) -> str: ...
    @property
    def auto(self) -> bool: ...
    @property
    def confidence(self) -> float: ...


class Choice(Protocol):
    """What a rule says of a file."""

    @property
    def rule(self) -> Rule: ...
    @property
    def destination(self) -> Place | None: ...
    @property
    def why(self) -> tuple[str, ...]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def missing(self) -> str: ...


class Trial:
    """Counts what rules say of one photo after the other; only the rarest facts are kept of each."""

    def __init__(self) -> None:
        self.photos = 0
        self._matched, self._directories = Counter[str](), Counter[str]()
        self._agree = self._differ = 0
        self._examples: list[Difference] = []

    def add(self, subject: Subject, choices: Sequence[Choice]) -> None:
        """Count one photo. Of several rules that act on it the first counts, and it agrees with any of them."""
        self.photos += 1
        if not choices:
            return
        self._matched[choices[0].rule.name] += 1
        would = [choice for choice in choices if choice.destination is not None]
        if not would:
            return  # it is left, or has no value for a part of its destination
        first = would[0].destination
        assert first is not None, "only those with a destination were kept"
        self._directories[_shown(_directory(first))] += 1
        here = _directory(subject.place)
        if any(one.destination is not None and _directory(one.destination) == here for one in would):
            self._agree += 1
            return
        self._differ += 1
        if len(self._examples) < EXAMPLES:
            now, then = subject.place.absolute, first.absolute
            self._examples.append(Difference(image=subject.image, rule=would[0].rule.name, now=now, would=then))

    @property
    def matched(self) -> int:
        """Photos that some rule took."""
        return self._matched.total()

    @property
    def differ(self) -> int:
        """Matched photos that lie elsewhere."""
        return self._differ

    def tried(self) -> Tried:
        """What has come out so far; the directories of most photos first, ties by name."""
        directories = sorted(self._directories.items(), key=lambda pair: (-pair[1], pair[0]))
        return Tried(
            photos=self.photos,
            matched=dict(self._matched),
            unmatched=self.photos - self.matched,
            agree=self._agree,
            differ=self._differ,
            directories=dict(directories[:EXAMPLES]),
            examples=tuple(self._examples),
        )


def shown(subject: Subject, choices: Sequence[Choice], untaken: str) -> PreviewItem:
    """One photo's file, with what the first rule that takes it would do; ``untaken`` says why none does."""
    if not choices:
        return PreviewItem(image=subject.image, source=subject.place.absolute, waits=untaken)
    choice = choices[0]
    return PreviewItem(
        image=subject.image,
        source=subject.place.absolute,
        to=choice.destination.absolute if choice.destination is not None else None,
        rule=choice.rule.name,
        why=tuple(choice.why),
        waits=_waits(choice),
    )


def _waits(choice: Choice) -> str:
    if choice.destination is None:
        return choice.missing or "the rule leaves it where it is"
    if choice.confidence < choice.rule.confidence:
        return f"{choice.confidence:.2f} sure of its facts, and the rule asks for {choice.rule.confidence:g}"
    return "" if choice.rule.auto else "the rule waits for a yes"


def _directory(place: Place) -> bytes:
    return place.absolute.rpartition(b"/")[0]


def _shown(path: bytes) -> str:
    return path.decode(errors="backslashreplace")
