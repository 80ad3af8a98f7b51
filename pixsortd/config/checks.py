"""What a single value cannot show: settings that contradict one another or stop the daemon from working."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pixsortd.config.tree import Settings, Size
from pixsortd.records import Role

NEVER_ZERO = (
    "watch.ceiling",
    "watch.rescan",
    "watch.liveness",
    "worker.idle",
    "worker.timeout",
    "models.retry",
    "cluster.every",
    "cluster.deadline",
    "index.backup_every",
    "worker.batch_bytes",
    "decode.max_bytes",
    "upload.max_bytes",
)
LEAST_MAP = 16 * 10**6
LEAST_SCORED = 96


def contradictions(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    """One sentence for each contradiction, with the place of the value to change."""
    return [f"{origins[key]}: {sentence}" for key, sentence in _problems(settings)]


def _problems(settings: Settings) -> Iterator[tuple[str, str]]:
    for key in NEVER_ZERO:
        if _get(settings, key) == 0:
            yield key, f"{key}: expected more than zero"
    if 0 < settings.score.long_side < LEAST_SCORED:
        yield "score.long_side", f"score.long_side: expected 0 or at least {LEAST_SCORED}, which NIQE needs"
    if settings.watch.ceiling < settings.watch.quiet:
        yield "watch.ceiling", "watch.ceiling: expected at least watch.quiet, or no file could ever come to rest"
    if settings.index.map_size < LEAST_MAP:
        yield "index.map_size", f"index.map_size: expected at least {Size(LEAST_MAP).text}"
    if settings.worker.memory:
        try:
            Size.parse(settings.worker.memory)
        except ValueError as error:
            yield "worker.memory", f'worker.memory: {error}, found "{settings.worker.memory}"'
    if settings.upload.inbox:
        inboxes = {_normal(root.path) for root in settings.roots if root.role is Role.INBOX}
        if _normal(settings.upload.inbox) not in inboxes:
            yield "upload.inbox", f'upload.inbox: {settings.upload.inbox} is not the path of a root with role = "inbox"'
    seen: dict[str, int] = {}
    for position, root in enumerate(settings.roots):
        name = _normal(root.path)
        if name in seen:
            yield "roots", f"roots[{position}].path: {root.path} is already roots[{seen[name]}]"
        seen.setdefault(name, position)


def _normal(path: str) -> str:
    return os.path.normpath(os.path.expanduser(path))


def _get(settings: Any, key: str) -> Any:
    for part in key.split("."):
        settings = getattr(settings, part)
    return settings
