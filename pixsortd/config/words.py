"""The sentences in which a setting is refused."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from pixsortd.config import kinds
from pixsortd.config.lines import Key
from pixsortd.config.tree import Section, Settings


def dotted(key: Key) -> str:
    """A key as people write it: ``watch.quiet``, ``roots[0].path``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def unknown(key: Key, section: type[Section]) -> str:
    """The sentence for a key that does not exist, with the nearest one that does."""
    name, parent = str(key[-1]), dotted(key[:-1])
    close = get_close_matches(name, kinds.fields(section), n=1, cutoff=0.6)
    everywhere = list(kinds.known_keys())
    same = [known for known in everywhere if known.rpartition(".")[2] == name]
    if close and section is not Settings:
        suggestion = f"{parent}.{close[0]}" if parent else close[0]
    else:
        near = get_close_matches(dotted(key), everywhere + list(kinds.fields(Settings)), n=1, cutoff=0.6)
        suggestion = close[0] if close and len(key) == 1 else (near or same or [""])[0]
    return f"unknown setting {dotted(key)}" + (f'; did you mean "{suggestion}"?' if suggestion else "")


def not_a_table(key: Key, value: Any) -> str:
    """The sentence for a single value where ``[key]`` should be."""
    return f"{dotted(key)}: expected a table [{dotted(key)}], found {shown(value)}"


def shown(value: Any) -> str:
    """What was found, briefly and on one line."""
    if isinstance(value, Mapping):
        return "a table"
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 60 else text[:57] + "..."
