"""Noticing that weights have arrived, without starting a worker to find out."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pixsortd.config import Settings

Glance = Mapping[str, int]
"""Modification times in nanoseconds of the places where weights may appear."""


def glance(settings: Settings, environ: Mapping[str, str] = os.environ) -> Glance:
    """Look at the places where weights may appear; equal glances mean that nothing has come."""
    seen: dict[str, int] = {}
    for place in _places(settings, environ):
        for path in (place, *_below(place)):
            try:
                seen[os.fspath(path)] = path.stat().st_mtime_ns
            except OSError:
                continue
    return seen


def _places(settings: Settings, environ: Mapping[str, str]) -> Iterator[Path]:
    """The hub's cache, torch's cache, and every local file the settings name."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(environ.get("HF_HOME") or cache / "huggingface")
    if settings.models.dir:
        yield Path(settings.models.dir).expanduser()
        yield Path(settings.models.dir).expanduser() / "torch" / "hub" / "checkpoints"
    yield Path(environ.get("HF_HUB_CACHE") or home / "hub")
    yield Path(environ.get("TORCH_HOME") or cache / "torch") / "hub" / "checkpoints"
    for path in (*(space.weights for space in settings.spaces.values()), *settings.score.weights.values()):
        if path:
            yield Path(path).expanduser()


def _below(place: Path) -> Iterator[Path]:
    """The repositories in a cache and their snapshots."""
    try:
        children = [entry for entry in os.scandir(place) if entry.is_dir()]
    except OSError:
        return
    for child in children:
        yield Path(child.path)
        yield Path(child.path) / "snapshots"
