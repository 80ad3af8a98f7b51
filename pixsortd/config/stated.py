"""Every setting in force, one by one, with where its value came from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pixsortd.config.comments import comments
from pixsortd.config.kinds import plain
from pixsortd.config.live import is_live
from pixsortd.config.load import Loaded
from pixsortd.config.tree import Settings
from pixsortd.records import Record

_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


class Stated(Record, frozen=True, kw_only=True):
    """One setting."""

    key: str
    value: Any
    """As TOML and JSON hold it: durations and sizes in their notation."""
    origin: str
    """``default``, ``FILE:LINE``, ``environment NAME`` or ``command line``."""
    live: bool
    """A changed value is taken over without a restart."""
    about: str
    """The sentence that the shipped file says about it; may be empty."""


def stated(loaded: Loaded, running: Settings | None = None) -> Iterator[Stated]:
    """Every setting of ``loaded``; with the values of ``running`` where a restart has yet to take over others."""
    values = plain(running or loaded.settings)
    said = comments()
    for key, origin in loaded.origins.items():
        first, *rest = parts(key)
        value: Any = values[first]
        for part in rest:
            value = value.get(part) if isinstance(value, Mapping) else None
        spoken = f"spaces.NAME.{rest[1]}" if first == "spaces" and rest else key
        yield Stated(key=key, value=value, origin=origin, live=is_live(key), about=said.get(spoken, ""))


def parts(key: str) -> list[str]:
    """A dotted key taken apart; the free name in ``spaces.NAME.key`` may have dots of its own."""
    first, _, rest = key.partition(".")
    if not rest:
        return [first]
    return [first, *rest.rsplit(".", 1)] if first == "spaces" else [first, rest]


def toml_text(value: object) -> str:
    """A plain value as one writes it after the ``=`` in TOML."""
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{key if _BARE.fullmatch(key) else toml_text(key)} = {toml_text(one)}" for key, one in value.items()
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(toml_text(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
