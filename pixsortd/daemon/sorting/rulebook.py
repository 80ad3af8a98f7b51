"""The rules as the API sees them: shown, tried, and written into the settings file."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, islice
from typing import Protocol

import msgspec

from pixsortd.api.ports import Preview, Replayed, RuleEntry, RuleField, RuleFilter, RulesReport
from pixsortd.config import Loaded, SortRule
from pixsortd.daemon.jobs import Jobs, Progress, Result
from pixsortd.daemon.kept import PAUSE
from pixsortd.daemon.sorting import rulesfile
from pixsortd.daemon.sorting.subjects import Subjects
from pixsortd.daemon.sorting.trial import Trial, shown
from pixsortd.errors import RulesRefused
from pixsortd.records import Job
from pixsortd.sorting.rules import Read, Rules, digest_of, field_words, filter_words, sentence

STRETCH = 100
"""Photos between two reports of a trial's progress."""

FIELDS = tuple(RuleField(**msgspec.structs.asdict(one)) for one in field_words())
FILTERS = tuple(RuleFilter(**msgspec.structs.asdict(one)) for one in filter_words())


class Standing(Protocol):
    """How the rules in force stand."""

    def approved(self) -> Collection[str]:
        """Digests of the rules with which a plan was approved for every inbox."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """Steps of waiting plans, by the name of their rule."""
        ...


class RuleBook:
    """The part of ``pixsortd.api.ports.Sorting`` that is about rules. Callable from any thread."""

    def __init__(
        self,
        loaded: Callable[[], Loaded],
        check: Callable[[Sequence[SortRule]], Read],
        subjects: Subjects,
        inboxes: Callable[[], Sequence[str]],
        standing: Standing,
        jobs: Jobs,
        reread: Callable[[], object],
    ) -> None:
        """``check`` reads rules as they would be read at start; ``reread`` has the settings file read again."""
        self._loaded = loaded
        self._check = check
        self._subjects = subjects
        self._inboxes = inboxes
        self._standing = standing
        self._jobs = jobs
        self._reread = reread
        self._writing = threading.Lock()
        self._replayed = Replayed()
        self._trial: str | None = None
        """Id of the last trial's job."""

    def rules(self) -> RulesReport:
        """The rules in force."""
        loaded = self._loaded()
        rules = loaded.settings.sort.rules
        approved, waiting, problems = self._standing.approved(), self._standing.waiting(), self._check(rules).problems
        return RulesReport(
            items=tuple(
                RuleEntry(
                    rule=rule,
                    digest=(digest := digest_of(rule)),
                    approved=digest in approved,
                    photos=waiting.get(rule.name, 0),
                    problems=tuple(one for one in problems if one.index == index),
                )
                for index, rule in enumerate(rules)
            ),
            fields=FIELDS,
            filters=FILTERS,
            file=str(loaded.file) if loaded.file is not None else None,
            writable=rulesfile.can_be_written(loaded),
        )

    def write_rules(self, rules: Sequence[SortRule]) -> RulesReport:
        """Write rules into the settings file and use them. Raises ``RulesRefused``, ``RulesNotWritten``."""
        self._usable(rules)
        with self._writing:
            rulesfile.write(self._loaded(), rules)
            self._reread()
        return self.rules()

    def preview(self, rules: Sequence[SortRule], limit: int) -> Preview:
        """What rules would do with photos in inboxes, and where those are too few with the newest of the library."""
        read, now = self._check(rules), time.time()
        right = read.rules
        inboxes = chain.from_iterable(self._subjects.of_inbox(root) for root in self._inboxes())
        subjects = islice(chain(inboxes, self._subjects.library()), limit)
        return Preview(
            items=tuple(
                shown(subject, right.decide(subject, now), right.untaken(subject, now)) for subject in subjects
            ),
            problems=read.problems,
        )

    def replay(self, rules: Sequence[SortRule] | None, since: float | None) -> Job:
        """Try rules (None: those in force) on the library as a job, or the trial under way. Raises ``RulesRefused``."""
        chosen = tuple(self._loaded().settings.sort.rules if rules is None else rules)
        usable = self._usable(chosen)
        job = self._jobs.submit("replay", lambda progress: self._try(chosen, usable, since, progress))
        self._trial = job.id
        return job

    def replayed(self) -> Replayed:
        """What the last trial found."""
        trial = next((job for job in self._jobs.list() if job.id == self._trial and not job.ended), None)
        return msgspec.structs.replace(self._replayed, job=trial)

    def _try(self, chosen: Sequence[SortRule], rules: Rules, since: float | None, progress: Progress) -> Result:
        trial, now, total = Trial(), time.time(), self._subjects.count(since)
        for subject in self._subjects.library(since):
            trial.add(subject, rules.decide(subject, now))
            if trial.photos % STRETCH == 0:
                progress(trial.photos, max(total, trial.photos), f"{trial.differ} lie elsewhere")
                time.sleep(PAUSE)
        progress(trial.photos, trial.photos, f"{trial.differ} lie elsewhere")
        names = tuple(rule.name for rule in chosen)
        self._replayed = Replayed(tried=trial.tried(), at=time.time(), since=since, rules=names)
        return {"photos": trial.photos, "matched": trial.matched, "differ": trial.differ}

    def _usable(self, rules: Sequence[SortRule]) -> Rules:
        """The rules ready to decide. Raises ``RulesRefused``."""
        read = self._check(rules)
        if read.problems:
            raise RulesRefused("\n".join(sentence(one) for one in read.problems), read.problems)
        return read.rules
