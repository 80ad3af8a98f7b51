"""A worker's standard error: its log lines join ours, the rest is kept to explain a death."""

from collections.abc import MutableSequence
from typing import IO, Any

import msgspec
import structlog

log = structlog.get_logger()

_LONGEST = 64 * 1024
_LEVELS = ("debug", "info", "warning", "error", "critical")


def forward_lines(stream: IO[bytes], tail: MutableSequence[str]) -> None:
    """Read ``stream`` to its end: JSON log lines are logged again here, any other becomes a debug line."""
    while line := stream.readline(_LONGEST):
        text = line.decode("utf-8", "replace").rstrip()
        if not text:
            continue
        entry = _entry(line)
        if entry is None:
            tail.append(text)
            log.debug("worker says", line=text)
            continue
        level = entry.pop("level", "info")
        event = str(entry.pop("event", ""))
        entry.pop("timestamp", None)
        if level in ("error", "critical"):
            tail.append(event + "".join(f" {key}={value}" for key, value in entry.items()))
        getattr(log, level if level in _LEVELS else "info")(event, **{str(key): v for key, v in entry.items()})


def _entry(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"{"):
        return None
    try:
        entry = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None
