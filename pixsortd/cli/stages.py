"""The stages of the pipeline in words."""

from __future__ import annotations

from typing import Any

from pixsortd.cli import out

Json = dict[str, Any]

_WAITS = {
    "settle": "files may still be growing",
    "analyze": "files to analyse",
    "score": "photos lack a score or a vector",
    "group": "photos no regrouping has seen",
}
_FORETOLD = frozenset({"analyze", "score"})
"""The others wait for a file to rest, or for their hour, not for their turn."""


def line(stage: Json) -> str:
    """What waits in a stage, how fast it goes, and when it will be done."""
    parts = [f"{stage['depth']} {_WAITS.get(stage['name'], 'waiting')}"]
    if stage["bytes"]:
        parts[0] += f" ({out.size(stage['bytes'])})"
    if stage["rate"]:
        parts.append(pace(stage["rate"]))
    return ", ".join([*parts, *filter(None, [left(stage)])])


def pace(rate: float) -> str:
    """So many a second, or a minute where that has more digits."""
    return f"{rate:.1f}/s" if rate >= 0.95 else f"{rate * 60:.1f}/min"


def left(stage: Json) -> str:
    """When it will be done; nothing where that is not foretold."""
    if stage["paused"]:
        return "paused"
    if not stage["depth"] or stage["name"] not in _FORETOLD:
        return ""
    if stage["away"] == stage["depth"]:
        return "waiting for their directory to return"
    if stage["eta"] is None:
        return "time left not known yet"
    least = "at least" if stage["growing"] else "about"
    away = f", {stage['away']} more when their directory returns" if stage["away"] else ""
    return f"{least} {out.roughly(stage['eta'])} left{away}"
