"""On which line of a TOML file does a key stand? The standard parser does not say.

The file is cut into statements, each the shortest run of lines that parses by itself, so that no
grammar has to be written twice. Only a file that parses as a whole may be given.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Key = tuple[str | int, ...]


class Statement(NamedTuple):
    """A header or a ``key = value``, and where it is in its file."""

    line: int
    """Its first, from 1."""
    text: str
    """With its line breaks."""
    parsed: dict[str, Any]
    table: Key
    """The table that it stands in, or that it begins."""
    header: bool


def key_lines(text: str) -> dict[Key, int]:
    """The first line (from 1) of every table and key; an element of ``[[name]]`` is ``("name", 0)``."""
    lines: dict[Key, int] = {}
    for statement in statements(text):
        if statement.header:
            for length in range(1, len(statement.table) + 1):
                lines.setdefault(statement.table[:length], statement.line)
        else:
            for key in _keys(statement.parsed):
                lines.setdefault(statement.table + key, statement.line)
    return lines


def nearest_line(lines: Mapping[Key, int], key: Key) -> int | None:
    """The line of ``key``, or of the closest table or value that holds it."""
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return None


def statements(text: str) -> Iterator[Statement]:
    """Everything in a file but blank lines and comments that stand alone, in order."""
    table: Key = ()
    elements: dict[Key, int] = {}
    start, held = 1, ""
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not held:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            start = number
        held += line
        try:
            parsed = tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue
        header = held.lstrip().startswith("[")
        table = _table(parsed, elements) if header else table
        yield Statement(start, held, parsed, table, header)
        held = ""


def _table(parsed: dict[str, Any], elements: dict[Key, int]) -> Key:
    """The full key of a header, with the positions of the array elements it stands in."""
    key: Key = ()
    value: Any = parsed
    while value:
        if isinstance(value, list):
            elements[key] = elements.get(key, -1) + 1
            key, value = (*key, elements[key]), value[0]
            continue
        ((name, value),) = value.items()
        key = (*key, name)
        if key in elements and not isinstance(value, list):
            key = (*key, elements[key])
    return key


def _keys(value: Any, prefix: Key = ()) -> Iterator[Key]:
    if prefix:
        yield prefix
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _keys(inner, (*prefix, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            if isinstance(inner, dict):
                yield from _keys(inner, (*prefix, position))
