"""Which changed settings a running daemon can take over, and which need a restart."""

from fnmatch import fnmatchcase
from typing import Any

from pixsortd.config.kinds import plain
from pixsortd.config.tree import Settings

WORKER = ("worker.*", "decode.*", "embed.*", "spaces", "score.*", "models.*")
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
    "log.level",
    *WORKER,
)


def live_changes(old: Settings, new: Settings) -> tuple[set[str], set[str]]:
    """(keys whose new value can be applied at once, keys that need a restart)."""
    before, after = _leaves(old), _leaves(new)
    changed = {key for key in before if before[key] != after[key]}
    live = {key for key in changed if _matches(key, LIVE)}
    return live, changed - live


def worker_changes(keys: set[str]) -> set[str]:
    """Those of ``keys`` that only a new worker process sees."""
    return {key for key in keys if _matches(key, WORKER)}


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
