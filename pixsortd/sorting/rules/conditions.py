"""One line of ``when``: a field and what is asked of it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pixsortd.records import Subject
from pixsortd.sorting.rules.fields import Field
from pixsortd.sorting.rules.matching import Anything, Globs, Matcher
from pixsortd.sorting.rules.words import Wrong, quoted

_WORDS: Mapping[object, str] = {"any": "any", "none": "none", True: "any", False: "none"}


class Condition(NamedTuple):
    """What is asked of a field. A fact that is not known holds only where "none" was asked for."""

    field: Field
    asked: str
    """In words."""
    absent: bool
    """Whether it holds where there is no such fact."""
    present: Matcher | None
    """What is asked of the fact; None: that there be none."""

    def holds(self, subject: Subject, now: float) -> bool:
        """Whether it holds for a file."""
        value = self.field.value(subject)
        if value is None:
            return self.absent
        return self.present is not None and self.present.holds(value, now)

    def covers(self, other: "Condition") -> bool:
        """Whether it holds wherever the other does, as far as that can be told."""
        if self.field.name != other.field.name or (other.absent and not self.absent):
            return False
        return other.present is None or (self.present is not None and self.present.covers(other.present))

    def words(self, subject: Subject) -> str:
        """What the file has and what is asked, in words that suit both outcomes."""
        value = self.field.value(subject)
        found = self.field.absent if value is None else f"{self.field.name} is {self.field.kind.shown(value)}"
        return f"{found} (asked: {self.asked})"


def condition(field: Field, asked: object) -> Condition:
    """Read what is asked of a field; raises ``Wrong``."""
    items = list(asked) if isinstance(asked, list | tuple) else [asked]
    if not items:
        raise Wrong("an empty list never holds", 'Write "any" or "none", or leave the condition out.')
    if any(isinstance(one, Mapping) or one is None for one in items):
        raise Wrong("expected text, a number or a list of them", f"Write such as {_examples(field)}.")
    words = [_WORDS.get(one) if isinstance(one, str | bool) else None for one in items]
    rest = [one for one, word in zip(items, words, strict=True) if word is None]
    present: Matcher | None = Anything() if "any" in words else None
    if rest:
        read = field.kind.asks(rest)
        if isinstance(read, Globs) and field.choices and not read.can_take(field.choices):
            raise Wrong(f"{quoted(rest)} fits no {field.name}", f"There are: {', '.join(field.choices)}.")
        present = present or read
    asked_words = quoted(_WORDS.get(one, one) if isinstance(one, bool) else one for one in items)
    return Condition(field, asked_words, "none" in words, present)


def flattened(when: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Every condition by the full name of its field; ``quality.niqe`` may be written as a table in a table."""
    for name, asked in when.items():
        if isinstance(asked, Mapping) and asked:
            yield from ((f"{name}.{inner}", one) for inner, one in flattened(asked))
        else:
            yield name, asked


def _examples(field: Field) -> str:
    return ", ".join(field.examples or field.kind.examples)
