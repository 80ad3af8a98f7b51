"""Templates of destinations: ``~/Pictures/{taken:%Y/%m}/{group|safe}/``."""

import os
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pixsortd.records import Subject
from pixsortd.sorting.rules import filters
from pixsortd.sorting.rules.fields import DATE, Field, field_named
from pixsortd.sorting.rules.words import Wrong

LONGEST = 255
"""Bytes of a name on nearly every file system."""
OWN = ".pixsortd-"
"""How the names begin that pixsortd keeps for itself in roots; nothing is sorted into or to them."""

_LITERAL = re.compile(r"(?:[^{}]|\{\{|\}\})+")
_SLOT = re.compile(
    r"""\{ \s* (?P<field>[^{}|:\s]+) \s*
        (?: : (?P<format>[^{}|]*) )?
        (?P<filters> (?: \| \s* [a-z]+ \s* (?: \( \s* (?: '[^']*' | "[^"]*" | \d+ )? \s* \) \s* )? )* ) \}""",
    re.VERBOSE,
)
_FILTER = re.compile(r"""\| \s* ([a-z]+) \s* (?: \( \s* (?: '([^']*)' | "([^"]*)" | (\d+) )? \s* \) )?""", re.VERBOSE)
_HOME = re.compile(r"^~[^/{}]*(?=/)")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES = "YmdHMSyjbBaAVGuUWpIf%"
_SAMPLES = ((datetime(2024, 2, 29, 13, 14, 15), "x", ".jpg"), (datetime(1987, 11, 3, 8, 41, 52), "other 7", ".png"))
"""What two photos have that have nothing in common: when they were taken, all else, and how their names end."""
_NEXT_STEP = "A template looks like ~/Pictures/{taken:%Y/%m}/{group|default('unsorted')}/{name}; a literal { is {{."


class Slot(NamedTuple):
    """A field in a template, and what is done with its value."""

    text: str
    """As it is written."""
    field: Field
    written: Callable[[object], str | None]
    steps: tuple[filters.Does, ...]

    def filled(self, subject: Subject) -> str:
        """What stands there for a file; raises ``Wrong`` where nothing can."""
        value = self.field.value(subject)
        written = None if value is None else self.written(value)
        filled = self._changed(written)
        if filled is None:
            lacks = self.field.absent if value is None else self.field.unwritten
            raise Wrong(f"{lacks if written is None else 'nothing is left of it'}, and {self.text} has no default")
        return filled

    def sample(self, taken: datetime, text: str) -> str:
        """What stands there for a file of which these are the facts."""
        return self._changed(self.written(taken) if self.field.kind is DATE else text) or text

    def _changed(self, value: str | None) -> str | None:
        """A value after all filters, so that it can be part of a name."""
        for step in self.steps:
            value = step(value)
        if value is None or self.field.exact:
            return value
        return filters.cleaned(value, slashes=self.field.kind is DATE)


class Template(NamedTuple):
    """A template that was read."""

    parts: tuple[str | Slot, ...]

    @property
    def fixed(self) -> str:
        """The directory that is the same for every file."""
        first = self.parts[0]
        return first.rpartition("/")[0] if isinstance(first, str) else ""

    @property
    def slots(self) -> list[Slot]:
        """All that depends on the file."""
        return [part for part in self.parts if isinstance(part, Slot)]

    def path(self, subject: Subject) -> str:
        """The absolute path for a file, with the extension that it has; raises ``Wrong`` where it has none."""
        extension = os.path.splitext(os.fsdecode(subject.place.name))[1]
        return self._composed(lambda slot: slot.filled(subject), extension)

    def samples(self) -> tuple[str, ...]:
        """The paths of two files that have everything, but nothing in common; raises ``Wrong`` where none could be."""
        return tuple(
            self._composed(partial(Slot.sample, taken=taken, text=text), extension)
            for taken, text, extension in _SAMPLES
        )

    def _composed(self, filled: Callable[[Slot], str], extension: str) -> str:
        text = ""
        for part in self.parts:
            if isinstance(part, str):
                text += part
                continue
            value = filled(part)
            # A name of the user's may begin with a dot; nothing else may hide a file, or lead upwards.
            bare = value.lstrip(".") if text.endswith("/") and not part.field.exact else value
            text += "_" * (len(value) - len(bare)) + bare
        name = text.rpartition("/")[2]
        if os.path.splitext(name)[1].casefold() != extension.casefold():
            text += extension
        _require_names(text)
        return text


def parsed(text: str, metrics: tuple[str, ...] | None = None) -> Template:
    """Read a template; raises ``Wrong``. One that ends in ``/`` keeps the names of files."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
        raise Wrong("a control character cannot be part of a name")
    whole = _HOME.sub(lambda match: os.path.expanduser(match[0]).replace("{", "{{").replace("}", "}}"), text)
    if not whole.startswith("/"):
        raise Wrong("expected an absolute path, or one that begins with ~/", _NEXT_STEP)
    parts = _parts(whole + "{name}" if whole.endswith("/") else whole, metrics)
    names = [part.rpartition("/")[2] if isinstance(part, str) else part for part in parts]
    last = max((n for n, part in enumerate(parts) if isinstance(part, str) and "/" in part), default=0)
    template = Template(tuple(parts))
    if not any(isinstance(part, Slot) for part in names[last:]):
        raise Wrong("every file would get the same name", "End it with / to keep the names, or use {name} or {stem}.")
    template.samples()
    return template


def _parts(text: str, metrics: tuple[str, ...] | None) -> list[str | Slot]:
    parts: list[str | Slot] = []
    at = 0
    while at < len(text):
        if literal := _LITERAL.match(text, at):
            parts.append(literal[0].replace("{{", "{").replace("}}", "}"))
            at = literal.end()
        elif match := _SLOT.match(text, at):
            parts.append(_slot(match, metrics))
            at = match.end()
        else:
            raise Wrong(f"{text[at : at + 30]} cannot be read", _NEXT_STEP)
    return parts


def _slot(match: re.Match[str], metrics: tuple[str, ...] | None) -> Slot:
    field = field_named(match["field"], metrics)
    written = field.written
    if written is None:
        raise Wrong(f'"{field.name}" can be asked for, but is no part of a name')
    if match["format"] is not None:
        if field.kind is not DATE:
            raise Wrong(f"only dates take a format, {field.name} is none", "Write {taken:%Y/%m}.")
        written = _dated(match["format"])
    steps = tuple(
        filters.made(one[1], int(one[4]) if one[4] else one[3] if one[2] is None else one[2])
        for one in _FILTER.finditer(match["filters"])
    )
    return Slot(match[0], field, written, steps)


def _dated(given: str) -> Callable[[object], str]:
    for match in _DIRECTIVE.finditer(given):
        if not match[1] or match[1] not in _DIRECTIVES:
            raise Wrong(f'there is no date format "{match[0]}"', "Write such as %Y, %m, %d, %H, %M, %S, %B.")
    return lambda at: _DIRECTIVE.sub(lambda match: format(at, match[0]), given)


def _require_names(path: str) -> None:
    """Raise ``Wrong`` where a part of an absolute path cannot be the name of a file or directory."""
    for name in path.split("/")[1:]:
        if name in ("", ".", ".."):
            raise Wrong(f'its path would have the part "{name}"', "Every part between two / has to be a name.")
        if name.casefold().startswith(OWN):
            raise Wrong(f"{name} is pixsortd's own", f"Names that begin with {OWN} are.")
        if len(os.fsencode(name)) > LONGEST:
            raise Wrong(f"a name would be longer than {LONGEST} bytes", "Shorten it: {caption|truncate(60)}.")
