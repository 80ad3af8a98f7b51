"""What rules say of a file: a pure decision."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pixsortd.config import SortRule, plain
from pixsortd.records import Action, OnConflict, Place, Record, Subject
from pixsortd.sorting.rules.conditions import Condition
from pixsortd.sorting.rules.ground import Ground
from pixsortd.sorting.rules.templates import Template
from pixsortd.sorting.rules.words import Wrong

_OF_SCORES = frozenset(("quality", "score", "duplicate", "burst"))
"""Fields that are not known for good before a photo has its scores."""


class Choice(Record, frozen=True, kw_only=True):
    """A rule that takes a file."""

    rule: SortRule
    digest: str
    """Of the rule, see ``digest_of``."""
    destination: Place | None = None
    """None where the file is left, or where ``missing`` says why there is none."""
    why: tuple[str, ...] = ()
    """What held, in words, one condition each."""
    confidence: float = 1.0
    """0 to 1, of the least certain fact that was used."""
    missing: str = ""
    """Why there is no destination, in words."""


class CompiledRule(NamedTuple):
    """A rule that was read."""

    rule: SortRule
    digest: str
    conditions: tuple[Condition, ...]
    template: Template | None
    """None where files are left."""
    fixed: bytes
    """The real path of the template's fixed directory."""

    @property
    def weighs_scores(self) -> bool:
        """Whether scores have a say, if only in who is the best of some."""
        asked = (*self.conditions, *(self.template.slots if self.template else ()))
        return self.rule.conflict is OnConflict.BEST or any(
            one.field.name.partition(".")[0] in _OF_SCORES for one in asked
        )

    @property
    def stops(self) -> bool:
        """Whether no later rule sees what it takes."""
        return self.rule.then == "stop"

    def failed(self, subject: Subject, now: float) -> Condition | None:
        """The first condition that does not hold."""
        return next((one for one in self.conditions if not one.holds(subject, now)), None)

    def choice(self, subject: Subject, ground: Ground) -> Choice:
        """What it says of a file that it takes."""
        fields = [one.field for one in (*self.conditions, *(self.template.slots if self.template else ()))]
        destination, missing = None, ""
        try:
            destination = self._destination(subject, ground)
        except Wrong as wrong:
            missing = wrong.message
        return Choice(
            rule=self.rule,
            digest=self.digest,
            destination=destination,
            why=tuple(one.words(subject) for one in self.conditions) or ("every photo",),
            confidence=min((field.sure(subject) for field in fields), default=1.0),
            missing=missing,
        )

    def _destination(self, subject: Subject, ground: Ground) -> Place | None:
        if self.template is None:
            return None
        below = self.template.path(subject)[len(self.template.fixed) :]
        return ground.seen(self.fixed.rstrip(b"/") + os.fsencode(below))


class Rules:
    """Rules in their order. The same file, time and rules always give the same answer; callable from any thread."""

    def __init__(self, rules: Sequence[CompiledRule], ground: Ground) -> None:
        self._rules = tuple(rules)
        self._ground = ground
        self.digests: Mapping[str, str] = {one.rule.name: one.digest for one in rules}
        """By the name of the rule."""
        self.digest = _digest([[one.rule.name, one.digest] for one in rules])
        """Says what all rules do, in their order."""
        self.weigh_scores = any(one.weighs_scores for one in rules)
        """Whether a photo's scores have a say in where it goes."""

    def of_digest(self, digest: str) -> SortRule | None:
        """The rule that does what a digest says."""
        return next((one.rule for one in self._rules if one.digest == digest), None)

    def decide(self, subject: Subject, now: float) -> tuple[Choice, ...]:
        """The rules that take a file, in order: one, or several where all but the last continue; none at all.

        ``now`` is in seconds since the epoch.
        """
        return tuple(one.choice(subject, self._ground) for one in self._taking(subject, now))

    def untaken(self, subject: Subject, now: float) -> str:
        """Why no rule takes a file that ``decide`` says nothing of, in words."""
        failed = [(one.rule.name, one.failed(subject, now)) for one in self._rules]
        reasons = "; ".join(f"{name}: {condition.words(subject)}" for name, condition in failed if condition)
        return f"no rule takes it: {reasons}" if reasons else "there are no rules"

    def _taking(self, subject: Subject, now: float) -> Iterator[CompiledRule]:
        for one in self._rules:
            if one.failed(subject, now) is None:
                yield one
                if one.stops:
                    return


def digest_of(rule: SortRule) -> str:
    """Says what a rule does to which files: any change of that makes another.

    Its name and how far it is trusted are no part of it.
    """
    does = plain(rule)
    for trust in ("name", "auto", "confidence"):
        del does[trust]
    if rule.action is Action.LEAVE:
        del does["to"]
    return _digest(does)


def _digest(value: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=8).hexdigest()
