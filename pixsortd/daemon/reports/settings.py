"""What the API tells of the settings: all of them, with their origins, but nothing secret."""

import re
from collections.abc import Mapping
from typing import Any

from pixsortd.api.ports import SettingEntry, SettingsReport
from pixsortd.config import Loaded, Settings, stated, toml_text

_SECRET = re.compile(r"token|secret|passw|credential|(^|_)key$", re.IGNORECASE)
HIDDEN = "(not shown)"


def settings_report(loaded: Loaded, running: Settings) -> SettingsReport:
    """What was read last and what is in force; they differ where only a restart takes a change over."""
    read = {one.key: one.value for one in stated(loaded)}
    return SettingsReport(
        file=None if loaded.file is None else str(loaded.file),
        items=tuple(
            SettingEntry(
                key=one.key,
                value=toml_text(veiled(one.value)),
                origin=one.origin,
                live=one.live,
                waits=one.value != read[one.key],
                about=one.about,
            )
            for one in stated(loaded, running)
        ),
    )


def veiled(value: Any) -> Any:
    """A value without what free tables (a model's arguments) may hold of passwords and the like."""
    if isinstance(value, Mapping):
        return {name: HIDDEN if _SECRET.search(name) else veiled(inner) for name, inner in value.items()}
    return [veiled(one) for one in value] if isinstance(value, list) else value
