"""The settings in force, as the API sees them."""

from pixsortd.records import Record


class SettingEntry(Record, frozen=True, kw_only=True):
    """One setting."""

    key: str
    value: str
    """As one writes it in the file; what looks like a secret is left out."""
    origin: str
    """``default``, ``FILE:LINE``, ``environment NAME`` or ``command line``."""
    live: bool
    """A changed value is taken over without a restart."""
    waits: bool = False
    """Another value was read that only a restart takes over."""
    about: str = ""
    """What the shipped file says of it."""


class SettingsReport(Record, frozen=True, kw_only=True):
    """All of them in the order of the shipped file."""

    file: str | None
    """The configuration file that was read, None without any."""
    items: tuple[SettingEntry, ...]
