"""The sentences in which rules are refused."""

from collections.abc import Iterable
from difflib import get_close_matches


class Wrong(ValueError):
    """Words that say what is wrong with a rule, or why a file has no destination by it."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


def unknown(what: str, name: str, known: Iterable[str]) -> Wrong:
    """The refusal of a name that does not exist, with the nearest one that does."""
    names = list(known)
    close = get_close_matches(name.casefold(), names, n=1, cutoff=0.6)
    if close:
        return Wrong(f'there is no {what} "{name}"; did you mean "{close[0]}"?')
    return Wrong(f'there is no {what} "{name}"', f"There are: {', '.join(names)}.")


def quoted(values: Iterable[object]) -> str:
    """What was asked for, as one reads it: ``"a" or "b"``."""
    return " or ".join(f'"{value}"' for value in values)
