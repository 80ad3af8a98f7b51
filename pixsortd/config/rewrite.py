"""Tables of a list such as ``[[sort.rules]]``, changed in the text of a file with everything else left as it stands.

A library that keeps comments (tomlkit) was weighed and not taken: it gives the comment above a table to the
table before it, so that taking out one rule takes the words on the next one along and leaves its own behind.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pixsortd.config.lines import Key, Statement, statements
from pixsortd.config.stated import toml_text

Table = Mapping[str, Any]


def with_tables(text: str, key: Key, tables: Sequence[Table], defaults: Table) -> str:
    """``text`` with these tables as the list at ``key``; a value that is its default is only written where one was.

    A table keeps what of its text still holds: it is found again by its ``name``, else by its position. Raises
    ``ValueError`` where the list is written in another way, other than as one value without comments in it, which
    tables then take the place of; or where the text is no TOML.
    """
    document = _Document(text, key)
    former = _list(tomllib.loads(text), key)
    wanted = [_whole(one, defaults) for one in tables]
    if [_whole(one, defaults) for one in former] == wanted:
        return text
    if document.taken_out:
        former = []
    if len(document.elements) != len(former):
        raise ValueError(f"{_header(key)} is not written as tables")
    parts = [
        _NEW.edited(key, {}, table, defaults, document.newline)
        if match is None
        else document.elements[match].edited(key, former[match], table, defaults, document.newline)
        for table, match in zip(wanted, _matched(former, wanted), strict=True)
    ]
    changed = document.joined(parts)
    _check(text, changed, key, wanted, defaults)
    return changed


def tables_text(key: Key, tables: Sequence[Table], defaults: Table) -> str:
    """The tables alone, as one would write them into a file."""
    return "\n".join(_NEW.edited(key, {}, table, defaults, "\n") for table in tables)


class _Element(NamedTuple):
    """The text of one table of the list, comments in front of it included, cut at its statements."""

    statements: tuple[Statement | None, ...]
    """What each line belongs to, None for a comment or a blank line."""
    text: str

    def edited(self, key: Key, old: Table, new: Table, defaults: Table, newline: str) -> str:
        """The text with the values of ``new``; what ``old`` says alike is left as it stands."""
        wanted = {name: value for name, value in new.items() if name in old or value != defaults.get(name)}
        to_write = {name: value for name, value in wanted.items() if name not in old or old[name] != value}
        stays = wanted.keys() - to_write.keys()
        depth, lines, end = len(key) + 1, list[str](), 0
        if not self.text:
            lines, end = [f"{_header(key)}{newline}"], 1
        for statement, held in groupby(zip(self.statements, self.text.splitlines(keepends=True), strict=True), _first):
            part = "".join(line for _, line in held)
            name = None if statement is None else _field(statement, depth)
            main = statement is not None and len(statement.table) == depth
            if name is None or name in stays:
                lines.append(part)
            elif statement is not None and main and name in to_write:
                value = to_write.pop(name)
                lines.append(f"{name} = {toml_text(value)}{_remark(statement)}{newline}")
            if main:
                end = len(lines)
        lines[end:end] = [f"{name} = {toml_text(value)}{newline}" for name, value in to_write.items()]
        return "".join(lines)


_NEW = _Element((), "")


class _Document:
    """A text cut into the tables of one list and the rest."""

    def __init__(self, text: str, key: Key) -> None:
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.elements: list[_Element] = []
        self.taken_out = False
        """Whether the list was one value, which is no part of the text any more."""
        self._before, self._after = "", ""
        lines = text.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += self.newline
        of_line: list[Statement | None] = [None] * len(lines)
        for statement in statements(text):
            first = statement.line - 1
            count = len(statement.text.splitlines())
            of_line[first : first + count] = [statement] * count
            if _sets(statement, key):  # `rules = []` and the like forbid tables
                lines[first : first + count] = [""] * count
                self.taken_out = True
        gathered: dict[int, tuple[list[Statement | None], list[str]]] = {}
        for owner, start, stop in _runs(of_line, lines, key):
            if owner is not None:
                held, texts = gathered.setdefault(owner, ([], []))
                held += of_line[start:stop]
                texts += lines[start:stop]
            elif gathered:
                self._after += "".join(lines[start:stop])
            else:
                self._before += "".join(lines[start:stop])
        self.elements = [_Element(tuple(held), "".join(texts)) for _, (held, texts) in sorted(gathered.items())]

    def joined(self, parts: Sequence[str]) -> str:
        """The whole text with these tables in place of the former ones."""
        text = ""
        for part in (self._before, *parts, self._after):
            blank = text and part and not text.endswith(2 * self.newline) and not part.startswith(("\n", "\r\n"))
            text += self.newline + part if blank else part
        return text


def _runs(of_line: Sequence[Statement | None], lines: Sequence[str], key: Key) -> Iterator[tuple[int | None, int, int]]:
    """(position in the list, or None for the rest, first line, line behind the last)."""
    start, owner = 0, None
    for number, statement in enumerate(of_line):
        if statement is None or not statement.header or _position(statement, key) == owner:
            continue
        following = _position(statement, key)
        begin = number
        if owner is None:
            while begin > start and lines[begin - 1].lstrip().startswith("#"):
                begin -= 1
        else:  # what directly follows a table is its own, the rest goes with what comes next
            begin = 1 + max(place for place in range(start, number) if of_line[place] is not None)
            while begin < number and lines[begin].strip():
                begin += 1
            while begin < number and not lines[begin].strip():
                begin += 1
            if begin == number:
                while lines[begin - 1].lstrip().startswith("#"):
                    begin -= 1
        yield owner, start, begin
        start, owner = begin, following
    yield owner, start, len(of_line)


def _position(statement: Statement, key: Key) -> int | None:
    table = statement.table
    if table[: len(key)] == key and len(table) > len(key):
        return int(table[len(key)])
    return None


def _field(statement: Statement, depth: int) -> str | None:
    """Which value of its table a statement says something of; None for the header."""
    path = statement.table if statement.header else (*statement.table, next(iter(statement.parsed)))
    return str(path[depth]) if len(path) > depth else None


def _sets(statement: Statement, key: Key) -> bool:
    """Whether the list is the value of a statement that has no comment in the middle."""
    commented = "#" in statement.text and statement.text.rstrip().count("\n") > 0
    return not statement.header and statement.table == key[:-1] and key[-1] in statement.parsed and not commented


def _list(tree: Table, key: Key) -> list[dict[str, Any]]:
    found: Any = tree
    for part in key:
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, list) else []


def _matched(former: Sequence[Table], tables: Sequence[Table]) -> list[int | None]:
    """Which former table each one is; one that has another name may be the one at its position."""
    names = [one.get("name") for one in former]
    found = [names.index(one.get("name")) if one.get("name") in names else None for one in tables]
    left = set(range(len(former))) - set(found)
    return [place if one is None and place in left else one for place, one in enumerate(found)]


def _remark(statement: Statement) -> str:
    """The comment at the end of a statement of one line, with the space in front of it."""
    line = statement.text.rstrip()
    for place in (place for place, character in enumerate(line) if character == "#"):
        try:
            if tomllib.loads(line[:place]) == statement.parsed:
                said = line[:place].rstrip()
                return line[len(said) :]
        except tomllib.TOMLDecodeError:
            continue
    return ""


def _whole(table: Table, defaults: Table) -> Table:
    """A table with what it leaves to the defaults, in its own order first."""
    return {**table, **{name: value for name, value in defaults.items() if name not in table}}


def _header(key: Key) -> str:
    return f"[[{'.'.join(map(str, key))}]]"


def _first(pair: tuple[Statement | None, str]) -> Statement | None:
    return pair[0]


def _check(text: str, changed: str, key: Key, wanted: Sequence[Table], defaults: Table) -> None:
    """Raise ``ValueError`` unless the two texts differ in the list alone."""
    refusal = ValueError(f"{_header(key)} is written in a way that cannot be changed")
    try:
        after = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise refusal from error
    same = _without(tomllib.loads(text), key) == _without(after, key)
    if not same or [_whole(one, defaults) for one in _list(after, key)] != wanted:
        raise refusal


def _without(tree: dict[str, Any], key: Key) -> dict[str, Any]:
    """The rest of a file; a table that only held the list is nothing."""
    name, *inner = key
    rest = {str(one): value for one, value in tree.items() if one != name}
    held = _without(tree[str(name)], tuple(inner)) if inner and isinstance(tree.get(str(name)), dict) else {}
    return {**rest, str(name): held} if held else rest
