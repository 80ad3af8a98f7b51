"""What may be done without being asked for, and why the rest waits."""

from collections.abc import Callable
from typing import NamedTuple

from pixsortd.sorting.planning.world import Terms
from pixsortd.sorting.rules import Choice


class Standing(NamedTuple):
    """All that decides whether a step waits."""

    choice: Choice
    terms: Terms
    crowded: str
    """Why there is no room for it, in words, if so."""
    image: bytes
    behind: bool
    """Whether an earlier step of the same file waits."""


def waits(standing: Standing) -> str:
    """Why a step waits, in words; empty where it may be done."""
    return next(filter(None, (reason(standing) for reason in _REASONS)), "")


def _crowded(standing: Standing) -> str:
    return standing.crowded


def _first(standing: Standing) -> str:
    return "" if standing.terms.approved else "the first plan of an inbox waits for you"


def _changed(standing: Standing) -> str:
    name = standing.choice.rule.name
    return (
        ""
        if standing.choice.digest in standing.terms.approved
        else f'the rule "{name}" is new, or does something else since you have approved it'
    )


def _asking(standing: Standing) -> str:
    rule = standing.choice.rule
    return "" if rule.auto else f'the rule "{rule.name}" asks each time'


def _doubtful(standing: Standing) -> str:
    sure, rule = standing.choice.confidence, standing.choice.rule
    if sure >= rule.confidence:
        return ""
    return f'it is only {sure:.0%} sure, and the rule "{rule.name}" asks below {rule.confidence:.0%}'


def _held(standing: Standing) -> str:
    held = (standing.image, standing.choice.digest) in standing.terms.held
    return "the job that was to do it was cancelled" if held else ""


def _behind(standing: Standing) -> str:
    return "something else that is to be done with this file waits" if standing.behind else ""


_REASONS: tuple[Callable[[Standing], str], ...] = (_crowded, _first, _changed, _asking, _held, _doubtful, _behind)
