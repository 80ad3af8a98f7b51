"""The settings in force."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Shown, Total


class Setting(Answer, frozen=True, kw_only=True):
    """One setting; its value as one writes it in the file."""

    key: str
    value: Shown
    origin: Annotated[Shown, Meta(description="default, FILE:LINE, environment NAME or command line")]
    live: Annotated[bool, Meta(description="a changed value is taken over without a restart")]
    waits: Annotated[bool, Meta(description="another value was read that only a restart takes over")]
    about: str


class SettingPage(Answer, frozen=True, kw_only=True):
    """All settings in the order of the shipped file, and the file that was read."""

    items: list[Setting]
    next_cursor: str | None
    total: Total
    file: Shown | None
