"""Rules of the settings, read and checked: everything that is wrong with them, each with the rule and the key."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pixsortd.config import RootSettings, SortRule
from pixsortd.errors import RulesRefused
from pixsortd.records import Action, RuleProblem
from pixsortd.sorting.rules.conditions import Condition, condition, flattened
from pixsortd.sorting.rules.deciding import CompiledRule, Rules, digest_of
from pixsortd.sorting.rules.fields import field_named
from pixsortd.sorting.rules.ground import Ground, KeptOut
from pixsortd.sorting.rules.templates import Template, parsed
from pixsortd.sorting.rules.words import Wrong

Where = Callable[[str], str]
"""File and line of a dotted key of the settings, such as ``sort.rules[0].to``."""

_ENDS = (Action.MOVE, Action.LEAVE)
"""After these there is nothing that a later rule could act on."""
_SHADOWED = "Put it before that one, ask for less here or for more there, or let that one continue."


class Read(NamedTuple):
    """Rules as far as they can be used."""

    rules: Rules
    """Those with which nothing is wrong."""
    problems: tuple[RuleProblem, ...]


def compiled(
    rules: Sequence[SortRule],
    roots: Sequence[RootSettings],
    state_dir: Path,
    *,
    metrics: Collection[str] | None = None,
    kept_out: KeptOut = lambda _root, _path: None,
    where: Where = lambda _: "",
) -> Rules:
    """Rules ready to decide; raises ``RulesRefused`` with everything that is wrong with any of them.

    ``roots`` are all there are, those of the command line too. ``metrics`` are the names of those that are kept;
    None: any may be asked for. ``kept_out``: what of each root is not looked at.
    """
    read = checked(rules, roots, state_dir, metrics=metrics, kept_out=kept_out, where=where)
    if read.problems:
        raise RulesRefused("\n".join(sentence(one) for one in read.problems), read.problems)
    return read.rules


def checked(
    rules: Sequence[SortRule],
    roots: Sequence[RootSettings],
    state_dir: Path,
    *,
    metrics: Collection[str] | None = None,
    kept_out: KeptOut = lambda _root, _path: None,
    where: Where = lambda _: "",
) -> Read:
    """As ``compiled``, with what is wrong beside what can be used."""
    ground = Ground(roots, state_dir, kept_out)
    kept = None if metrics is None else tuple(metrics)
    good: list[CompiledRule] = []
    problems: list[RuleProblem] = []
    for index, rule in enumerate(rules):
        read, wrongs = _read(rule, ground, kept)
        wrongs += _clashes(rule, rules[:index])
        shadow = _shadow(read, good) if read is not None else None
        if shadow is not None:
            wrongs.append(("", Wrong(f'no file ever reaches it: "{shadow}" takes them all and stops', _SHADOWED)))
        if read is not None and not wrongs:
            good.append(read)
        problems += [
            RuleProblem(
                index=index,
                rule=rule.name,
                key=key,
                message=wrong.message,
                next_step=wrong.next_step,
                where=where(f"sort.rules[{index}]" + (f".{key}" if key else "")),
            )
            for key, wrong in wrongs
        ]
    return Read(Rules(good, ground), tuple(problems))


def sentence(problem: RuleProblem) -> str:
    """A problem on one line: where, which rule, what, and what to do."""
    place = f"{problem.where}: " if problem.where else ""
    key = f".{problem.key}" if problem.key else ""
    named = f' "{problem.rule}"' if problem.rule else ""
    step = f" ({problem.next_step})" if problem.next_step else ""
    return f"{place}sort.rules[{problem.index}]{key}{named}: {problem.message}{step}"


Wrongs = list[tuple[str, Wrong]]
"""What is wrong with one rule, by key."""


def _read(rule: SortRule, ground: Ground, metrics: tuple[str, ...] | None) -> tuple[CompiledRule | None, Wrongs]:
    """The rule as far as it makes sense by itself."""
    wrongs: Wrongs = []
    conditions: list[Condition] = []
    for name, asked in flattened(rule.when):
        try:
            conditions.append(condition(field_named(name, metrics), asked))
        except Wrong as wrong:
            wrongs.append((f"when.{name}", wrong))
    template, fixed = None, b""
    if rule.action is not Action.LEAVE:
        try:
            template = parsed(rule.to, metrics)
            fixed = ground.real(os.fsencode(template.fixed or "/"))
            ground.place(fixed)
            _require_seen(template, fixed, ground)
        except Wrong as wrong:
            wrongs.append(("to", wrong))
    if wrongs:
        return None, wrongs
    return CompiledRule(rule, digest_of(rule), tuple(conditions), template, fixed), wrongs


def _require_seen(template: Template, fixed: bytes, ground: Ground) -> None:
    """Raise ``Wrong`` where no photo would be looked at: not even two that have nothing in common would be."""
    wrongs = []
    for path in template.samples():
        try:
            ground.seen(fixed.rstrip(b"/") + os.fsencode(path[len(template.fixed) :]))
        except Wrong as wrong:
            wrongs.append(wrong)
    if len(wrongs) == len(template.samples()):
        raise wrongs[0]


def _clashes(rule: SortRule, earlier: Sequence[SortRule]) -> Wrongs:
    """What does not go together in it, or with the rules before it."""
    wrongs: Wrongs = []
    if any(one.name == rule.name for one in earlier):
        wrongs.append(("name", Wrong("an earlier rule has that name", "Give each rule a name of its own.")))
    if rule.then == "continue" and rule.action in _ENDS:
        wrongs.append(("then", Wrong(f'no rule can follow after "{rule.action}"', 'Set then = "stop", or copy.')))
    return wrongs


def _shadow(rule: CompiledRule, earlier: Sequence[CompiledRule]) -> str | None:
    """The name of an earlier rule that takes all that this one would and lets none through."""
    for one in earlier:
        if one.stops and all(any(wide.covers(narrow) for narrow in rule.conditions) for wide in one.conditions):
            return one.rule.name
    return None
