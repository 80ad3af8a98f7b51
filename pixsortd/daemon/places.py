"""Where files lie: real paths, the root that holds one, and what a root's state means for its files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixsortd.config import RootSettings
from pixsortd.errors import ConfigError
from pixsortd.records import Ledger, RootState

ABSENT = frozenset({RootState.AWAY, RootState.UNREADABLE})


def real_path(path: str | Path) -> bytes:
    """The absolute path with ``~`` and links resolved, as raw bytes."""
    return os.path.realpath(os.path.expanduser(os.fsencode(path)))


def merged_roots(configured: Sequence[RootSettings], extra: Sequence[Path]) -> tuple[RootSettings, ...]:
    """The configured roots and those of the command line, which are only read. Raises ``ConfigError``."""
    found: dict[bytes, RootSettings] = {}
    for root in (*configured, *(RootSettings(path=str(path)) for path in extra)):
        found.setdefault(real_path(root.path), root)
    if b"/" in found:
        raise ConfigError("the whole file system cannot be a root", path="/", next_step="Name a photo directory.")
    return tuple(found.values())


def innermost(roots: Mapping[str, bytes], path: bytes) -> tuple[str, bytes] | None:
    """Of roots (absolute paths by id) the innermost one an absolute path lies in, and the path relative to it."""
    inside = [
        (len(base), identity, base) for identity, base in roots.items() if path.startswith(base.rstrip(b"/") + b"/")
    ]
    if not inside:
        return None
    _, identity, base = max(inside)
    return identity, path[len(base.rstrip(b"/")) + 1 :]


def present_ledger(counted: Ledger, state: RootState) -> Ledger:
    """The ledger as it is shown: while a root is absent, all its photos are away with it."""
    if state not in ABSENT:
        return counted
    away = counted.indexed + counted.pending + counted.failed + counted.away
    return Ledger(on_disk=counted.on_disk, excluded=counted.excluded, away=away)
