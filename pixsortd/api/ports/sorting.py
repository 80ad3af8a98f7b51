"""Sorting as the API sees it: rules, what they would do, plans, and taking them back."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pixsortd.api.ports.photos import Page
from pixsortd.config import SortRule
from pixsortd.records import Job, PlanRecord, PlanStep, Record, Room, RuleProblem, StepState, Tried, Unmoved


class RuleEntry(Record, frozen=True, kw_only=True):
    """One rule in force."""

    rule: SortRule
    digest: str
    """Says what the rule does: any change of it makes another."""
    approved: bool
    """A plan with it was approved for every inbox, so that with ``auto`` it acts by itself."""
    photos: int = 0
    """Steps of waiting plans that are its."""
    problems: tuple[RuleProblem, ...] = ()
    """What keeps it from being used; the rules of the file are refused when the daemon starts, so normally none."""


class RuleField(Record, frozen=True, kw_only=True):
    """Something that a condition can ask for, and mostly a template can name."""

    name: str
    type: str
    """text, number, size, date, place ..."""
    examples: tuple[str, ...] = ()
    """Values of a condition as they are written in the file."""
    words: str
    """What it is, in words."""
    template: bool = True
    """Whether a template can name it."""


class RuleFilter(Record, frozen=True, kw_only=True):
    """Something that a template can do with a value."""

    name: str
    examples: tuple[str, ...] = ()
    """As it is written behind a field: ``{group|truncate(40)}``."""
    words: str


class RulesReport(Record, frozen=True, kw_only=True):
    """The rules in force, what rules can be made of, and where they are written down."""

    items: tuple[RuleEntry, ...] = ()
    fields: tuple[RuleField, ...] = ()
    filters: tuple[RuleFilter, ...] = ()
    file: str | None = None
    """Path of the settings file, as text for people; None when the daemon runs without one."""
    writable: bool = False
    """Whether rules can be written into it."""


class PreviewItem(Record, frozen=True, kw_only=True):
    """What rules would do with one photo's file that really is there."""

    image: bytes
    source: bytes
    """Absolute path."""
    to: bytes | None = None
    """Absolute path; None where it would stay."""
    rule: str = ""
    """The first rule that takes it; empty when none does."""
    why: tuple[str, ...] = ()
    """What held, in words, one condition each."""
    waits: str = ""
    """Why nothing would happen, or not by itself, in words; empty where the rule would act by itself."""


class Preview(Record, frozen=True, kw_only=True):
    """What rules that are not in force yet would do."""

    items: tuple[PreviewItem, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    """What is wrong with the rules; items are then those of the rules that are right, or none."""


class Replayed(Record, frozen=True, kw_only=True):
    """The last trial of rules on photos that are in the library."""

    tried: Tried | None = None
    """None before the first trial."""
    at: float = 0.0
    """When it ended."""
    since: float | None = None
    """Photos taken or arrived before that were left out."""
    rules: tuple[str, ...] = ()
    """Names of the rules that were tried."""
    job: Job | None = None
    """The trial under way."""


class StepEntry(Record, frozen=True, kw_only=True):
    """A step of a plan and what became of it."""

    step: PlanStep
    state: StepState = StepState.WAITING
    reason: str = ""
    """Why it was refused, in words."""


class PlanDetail(Record, frozen=True, kw_only=True):
    """A plan with a slice of what it says: its steps first, then the files that no step concerns."""

    record: PlanRecord
    steps: tuple[StepEntry, ...] = ()
    unmoved: tuple[Unmoved, ...] = ()
    left: int = 0
    """How many files no step concerns."""
    rooms: tuple[Room, ...] = ()
    next_cursor: str | None = None


class PlanFolder(Record, frozen=True, kw_only=True):
    """A folder that photos of a plan come to be in."""

    path: bytes
    """Absolute."""
    steps: tuple[str, ...]
    """Ids of the steps, by the names of their photos."""


class PlanOutline(Record, frozen=True, kw_only=True):
    """A plan as a whole. Counts are by name or words, the most frequent first."""

    record: PlanRecord
    folders: tuple[PlanFolder, ...] = ()
    settled: tuple[str, ...] = ()
    """Ids of the steps with which nothing can be done any more: those that were refused or taken back."""
    rules: Mapping[str, int] = {}
    """Steps by rule."""
    waits: Mapping[str, int] = {}
    """Steps by what they wait for."""
    stays: Mapping[str, int] = {}
    """Files that no step concerns, by why."""
    rooms: tuple[Room, ...] = ()


class Started(Record, frozen=True, kw_only=True):
    """A plan that was approved, and the job that carries it out."""

    record: PlanRecord
    job: Job


class Sorting(Protocol):
    """Rules, plans and their history. Every method *may block*.

    What is waiting is a draft: one plan for each inbox that has something to say, whose id changes with its steps.
    ``rules`` given here are all of them, in order. An unknown plan raises NotFound.
    """

    def rules(self) -> RulesReport:
        """The rules in force."""
        ...

    def write_rules(self, rules: Sequence[SortRule]) -> RulesReport:
        """Write these rules into the settings file in place of those that are there, and use them from now on.

        Raises RulesRefused (nothing was written), RulesNotWritten (the file cannot be written; has the text to paste).
        """
        ...

    def preview(self, rules: Sequence[SortRule], limit: int) -> Preview:
        """What these rules would do with at most ``limit`` photos: those in inboxes first, then others."""
        ...

    def replay(self, rules: Sequence[SortRule] | None, since: float | None) -> Job:
        """Try these rules (None: those in force) on the library, or on what was taken or arrived since; or the trial
        under way.

        Raises RulesRefused.
        """
        ...

    def replayed(self) -> Replayed:
        """What the last trial found."""
        ...

    def plans(self, cursor: str | None, limit: int) -> Page[PlanRecord]:
        """What waits first, then the history, newest first. Raises InvalidRequest for a cursor that is not ours."""
        ...

    def plan(self, plan: str, cursor: str | None, limit: int, *, folders: bool = False) -> PlanDetail:
        """One plan, with at most ``limit`` steps and unmoved files. Raises InvalidRequest for a foreign cursor.

        With ``folders`` in the order of the outline, where any place in the list, in decimal, is a cursor.
        """
        ...

    def outline(self, plan: str) -> PlanOutline:
        """One plan as a whole."""
        ...

    def propose(self, root: str | None) -> Sequence[PlanRecord]:
        """Make the waiting plan of an inbox (None: of each) anew, now; those that wait afterwards.

        Nothing is approved by it, and what acts by itself does so. Raises NotFound, Conflict (that root is no inbox,
        or it is away).
        """
        ...

    def apply(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Approve a waiting plan, or only these steps of it, and have it done.

        Raises PlanChanged (it is not what waits any more), Conflict (it was applied already), NotFound.
        """
        ...

    def refuse(self, plan: str, steps: Sequence[str] | None) -> PlanRecord:
        """Leave these photos (None: all) where they are until the rule changes; the plan that waits afterwards.

        Raises PlanChanged, Conflict (it waits no more), NotFound for a step that is not in it.
        """
        ...

    def undo(self, plan: str, steps: Sequence[str] | None) -> Started:
        """Take a plan back, or only these steps of it, by a plan of its own. What cannot be taken back says why.

        Raises NotFound, Conflict (nothing of it is left to take back, it is being carried out).
        """
        ...
