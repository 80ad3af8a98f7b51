"""On which line of a TOML file does a key stand? The standard parser does not say.

The file is cut into statements, each the shortest run of lines that parses by itself, so that no
grammar has to be written twice. Only a file that parses as a whole may be given.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Key = tuple[str | int, ...]


def key_lines(text: str) -> dict[Key, int]:
    """The first line (from 1) of every table and key; an element of ``[[name]]`` is ``("name", 0)``."""
    lines: dict[Key, int] = {}
    table: Key = ()
    elements: dict[Key, int] = {}
    for number, statement in _statements(text):
        parsed = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _table(parsed, elements)
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
        else:
            for key in _keys(parsed):
                lines.setdefault(table + key, number)
    return lines


def nearest_line(lines: Mapping[Key, int], key: Key) -> int | None:
    """The line of ``key``, or of the closest table or value that holds it."""
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    start, held = 1, ""
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not held:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            start = number
        held += line
        try:
            tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue
        yield start, held
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
