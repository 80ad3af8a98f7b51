"""The likeness learned from the user's edits, as the API sees it."""

from typing import Protocol

from pixsortd.records import Learning


class Likeness(Protocol):
    """What the last clustering said of the learned likeness, and its switch."""

    def report(self) -> Learning:
        """The last judgement; the state is that of the switch as it is now."""
        ...

    def wanted(self) -> bool | None:
        """False where the user switched it off, None where nothing was said."""
        ...

    def use(self, use: bool | None) -> Learning:
        """Turn the switch, durably; it counts from the next clustering on. *May block.*"""
        ...
