"""The rules in force, read from the settings: refused with the line of each mistake."""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from pixsortd.config import Loaded, RootSettings, Settings, SortRule, state_directory
from pixsortd.daemon.places import merged_roots
from pixsortd.errors import ConfigError, RulesRefused
from pixsortd.records import Reason
from pixsortd.sorting.rules import Read, Rules, checked, compiled
from pixsortd.watch import rules as watching

_NEXT_STEP = (
    "`pixsortd sort rules fields` lists what rules can be made of; `pixsortd config check` reads the file again."
)


class _Known(TypedDict):
    metrics: tuple[str, ...]
    kept_out: Callable[[RootSettings, bytes], Reason | None]


class RulesInForce:
    """Rules for the roots that the daemon was started with. Callable from any thread."""

    def __init__(self, loaded: Loaded, extra_roots: Sequence[Path], state_dir: Path) -> None:
        """Raises ``ConfigError`` naming every problem with its place."""
        self._extra = tuple(extra_roots)
        self._roots = merged_roots(loaded.settings.roots, self._extra)
        self._state_dir = state_dir
        self.take(loaded)

    @property
    def rules(self) -> Rules:
        """Those in force."""
        return self._rules

    def take(self, loaded: Loaded) -> None:
        """Use the rules of these settings from now on; raises ``ConfigError``, and those before stay in force.

        They have to be right with the roots of these settings, which a restart takes over, and with those in use.
        """
        roots = merged_roots(loaded.settings.roots, self._extra)
        rules = _rules(loaded, roots, self._state_dir, _NEXT_STEP)
        if roots != self._roots:
            rules = _rules(loaded, self._roots, self._state_dir, "Restart pixsortd, so that it uses the other roots.")
        self._rules, self._settings = rules, loaded.settings

    def checked(self, rules: Sequence[SortRule]) -> Read:
        """Rules that are not in force, and what is wrong with them."""
        return checked(rules, self._roots, self._state_dir, **_known(self._settings))


def require_right_rules(loaded: Loaded) -> None:
    """Raise ``ConfigError`` where the rules of settings cannot be used with their roots."""
    settings = loaded.settings
    _rules(loaded, merged_roots(settings.roots, ()), state_directory(settings), _NEXT_STEP)


def _rules(loaded: Loaded, roots: Sequence[RootSettings], state_dir: Path, next_step: str) -> Rules:
    settings = loaded.settings
    try:
        return compiled(settings.sort.rules, roots, state_dir, **_known(settings), where=loaded.where)
    except RulesRefused as refused:
        raise ConfigError(refused.message, next_step=next_step) from refused


def _known(settings: Settings) -> _Known:
    """What else of the settings decides whether rules make sense."""

    watch = settings.watch

    @lru_cache(maxsize=256)
    def looking(root: RootSettings, extension: bytes) -> watching.Rules:
        return watching.Rules(frozenset((extension,)), hidden=watch.hidden, patterns=(*watch.exclude, *root.exclude))

    def kept_out(root: RootSettings, path: bytes) -> Reason | None:
        directory, _, name = path.rpartition(b"/")
        looks = looking(root, os.path.splitext(name)[1].lower())  # what is sorted is a photo, however its name ends
        return looks.closed_by(directory) or looks.file(directory, name)

    return {"metrics": settings.score.metrics, "kept_out": kept_out}
