"""How things are said: data to stdout, talk to stderr, nothing in a file name reaches the terminal raw."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from msgspec import Struct

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|[\ud800-\udfff]")
_COLOURS = {
    "online": "green",
    "ready": "green",
    "ok": "green",
    "away": "yellow",
    "warn": "yellow",
    "degraded": "yellow",
    "polling": "yellow",
    "unavailable": "yellow",
    "unreadable": "red",
    "failed": "red",
    "fail": "red",
}


def record(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def line(text: str = "") -> None:
    """One line of human-readable data on stdout."""
    click.echo(text)


def talk(text: str) -> None:
    """One line for the person at the terminal, on stderr."""
    click.echo(text, err=True)


def safe(text: str) -> str:
    """``text`` without what a terminal would obey: control and direction characters become escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def state(word: str) -> str:
    """A state's word in its colour, where the terminal has any."""
    return click.style(word, fg=_COLOURS[word]) if word in _COLOURS else word


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Aligned columns on stdout; ``right`` names the columns of numbers."""
    cells = [list(head), *([safe(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for number, row in enumerate(cells):
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        coloured = [part.replace(cell, state(cell)) for part, cell in zip(padded, row, strict=True)]
        line(click.style("  ".join(padded).rstrip(), bold=True) if number == 0 else "  ".join(coloured).rstrip())


def reason(given: Mapping[str, Any] | None, indent: str = "  ") -> None:
    """A reason and what can be done about it."""
    if given:
        if given["message"]:
            line(f"{indent}{safe(given['message'])}")
        if given.get("next_step"):
            line(f"{indent}→ {safe(given['next_step'])}")


def findings(as_json: bool, found: Iterable[Struct]) -> None:
    """What a check found, one finding a line in JSON, or in words with examples."""
    for one in found:
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        if as_json:
            record(fields)
            continue
        line(f"{fields['code']}: {safe(fields['message'])}")
        for example in fields["examples"]:
            line(f"    {safe(example)}")
        reason({"message": "", "next_step": fields["next_step"]}, "    ")


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """A stretch of time for people, in its two largest units."""
    parts = []
    rest = round(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, rest = divmod(rest, length)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


_CALM = ((60, 10), (1200, 60), (7200, 300), (86400, 1800))
"""Below so many seconds, to the next so many."""


def roughly(seconds: float) -> str:
    """A stretch of time that is guessed: so coarse that it does not jump about."""
    if seconds < 5:
        return "a few seconds"
    step = next((step for bound, step in _CALM if seconds < bound), 3600)
    return span(max(step, round(seconds / step) * step))


def instant(at: float | None) -> str:
    """A moment in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else "never"
