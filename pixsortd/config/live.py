"""Which changed settings a running daemon can take over, and which need a restart."""

from fnmatch import fnmatchcase
from typing import Any

import msgspec

from pixsortd.config.kinds import plain
from pixsortd.config.tree import Settings

WORKER = ("worker.*", "decode.*", "embed.*", "spaces", "score.metrics", "score.long_side", "score.weights", "models.*")
"""Taken over by the next worker process; the running one is ended."""
LIVE = (
    "watch.quiet",
    "watch.ceiling",
    "watch.rescan",
    "watch.liveness",
    "watch.grace",
    "watch.brake_*",
    "watch.forget",
    "cluster.*",
    "upload.*",
    "trash.*",
    "sort.*",
    "log.level",
    "score.composite",
    *WORKER,
)


def live_changes(old: Settings, new: Settings) -> tuple[set[str], set[str]]:
    """(keys whose new value can be applied at once, keys that need a restart)."""
    before, after = _leaves(old), _leaves(new)
    changed = {key for key in before if before[key] != after[key]}
    live = {key for key in changed if _matches(key, LIVE)}
    return live, changed - live


def applied(old: Settings, new: Settings, keys: set[str]) -> Settings:
    """``old`` with the values that ``new`` has at ``keys``, and no others."""
    sections: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    for key in keys:
        name, _, field = key.partition(".")
        if field:
            sections.setdefault(name, {})[field] = getattr(getattr(new, name), field)
        else:
            whole[name] = getattr(new, name)
    changed = {name: msgspec.structs.replace(getattr(old, name), **fields) for name, fields in sections.items()}
    return msgspec.structs.replace(old, **changed, **whole)


def worker_changes(keys: set[str]) -> set[str]:
    """Those of ``keys`` that only a new worker process sees."""
    return {key for key in keys if _matches(key, WORKER)}


def is_live(key: str) -> bool:
    """Whether a running daemon takes over a changed value of this dotted key."""
    return _matches("spaces" if key.startswith("spaces.") else key, LIVE)


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _leaves(settings: Settings) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in plain(settings).items():
        if isinstance(value, dict) and name != "spaces":
            flat |= {f"{name}.{inner}": part for inner, part in value.items()}
        else:
            flat[name] = value
    return flat
