"""Rules of sorting, what they would do, and plans."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields
from pixsortd.api.text import clean, shown


def _texts(given: Sequence[str]) -> list[str]:
    return [clean(one) for one in given]


def _counts(given: Mapping[str, int]) -> dict[str, int]:
    return {clean(name): count for name, count in given.items()}


def rule_problem(given: records.RuleProblem) -> answers.RuleProblem:
    """Something that is wrong with a rule."""
    return answers.RuleProblem(**fields(given))


def _told(problem: records.RuleProblem) -> str:
    return clean(" ".join(one for one in (f"{problem.message}.", problem.next_step) if one))


def _rule(given: ports.RuleEntry) -> answers.SortRule:
    rule = fields(given.rule)
    return answers.SortRule(
        **rule | {"when": dict(_conditions(given.rule.when))},
        digest=given.digest,
        approved=given.approved,
        problems=[_told(one) for one in given.problems],
        photos=given.photos,
    )


def _conditions(when: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, answers.Condition]]:
    """By the full name of the field: a file may have ``quality.niqe`` as a table in a table."""
    for name, asked in when.items():
        full = above + clean(name)
        if isinstance(asked, Mapping):
            yield from _conditions(asked, f"{full}.")
        elif isinstance(asked, list | tuple):
            yield full, [clean(one) if isinstance(one, str) else one for one in asked]
        else:
            yield full, clean(asked) if isinstance(asked, str) else asked


def rules(given: ports.RulesReport) -> answers.SortRules:
    """The rules in force and what rules can be made of."""
    return answers.SortRules(
        items=[_rule(one) for one in given.items],
        fields=[answers.RuleField(**fields(one) | {"examples": list(one.examples)}) for one in given.fields],
        filters=[answers.RuleFilter(**fields(one) | {"examples": list(one.examples)}) for one in given.filters],
        file=None if given.file is None else clean(given.file),
        writable=given.writable,
    )


def _preview_item(given: ports.PreviewItem) -> answers.PreviewItem:
    return answers.PreviewItem(
        image=given.image.hex(),
        name=shown(os.path.basename(given.source)),
        source=shown(given.source),
        to=None if given.to is None else shown(given.to),
        rule=clean(given.rule),
        why=_texts(given.why),
        waits=clean(given.waits),
    )


def preview(given: ports.Preview) -> answers.Preview:
    """What rules would do with some photos."""
    return answers.Preview(
        items=[_preview_item(one) for one in given.items], problems=[rule_problem(one) for one in given.problems]
    )


def trial(given: ports.Replayed) -> answers.Trial:
    """What rules would do to the photos that are there."""
    tried = given.tried or records.Tried(photos=0)
    examples = [
        answers.Difference(image=one.image.hex(), rule=clean(one.rule), now=shown(one.now), would=shown(one.would))
        for one in tried.examples
    ]
    return answers.Trial(
        at=given.at if given.tried else None,
        since=given.since,
        rules=_texts(given.rules),
        photos=tried.photos,
        matched=_counts(tried.matched),
        unmatched=tried.unmatched,
        agree=tried.agree,
        differ=tried.differ,
        directories=_counts(tried.directories),
        examples=examples,
        job=given.job.id if given.job else None,
    )


def _plan(given: records.PlanRecord) -> dict[str, Any]:
    values = fields(given)
    return {name: values[name] for name in answers.PlanRecord.__struct_fields__}


def plan_page(page: ports.Page[records.PlanRecord]) -> answers.PlanPage:
    """A page of plans."""
    items = [answers.PlanRecord(**_plan(one)) for one in page.items]
    return answers.PlanPage(items=items, next_cursor=page.next_cursor, total=page.total)


def waiting_plans(given: Sequence[records.PlanRecord]) -> answers.PlanPage:
    """All that waits."""
    return plan_page(ports.Page(items=given, total=len(given)))


def plan_record(given: records.PlanRecord) -> answers.PlanRecord:
    """A line of the list."""
    return answers.PlanRecord(**_plan(given))


def started_plan(given: ports.Started) -> answers.StartedPlan:
    """A plan that is being carried out."""
    return answers.StartedPlan(**_plan(given.record), job=given.job.id)


def _file(given: records.PlannedFile) -> answers.PlanFile:
    to = given.destination
    return answers.PlanFile(source=shown(given.source.absolute), to=shown(to.absolute), discarded=to.in_trash)


def _step(given: ports.StepEntry) -> answers.PlanStep:
    step = given.step
    return answers.PlanStep(
        **fields(step)
        | {
            "image": step.image.hex(),
            "files": [_file(one) for one in step.files],
            "displaced": [_file(one) for one in step.displaced],
            "returned": [_file(one) for one in step.returned],
            "why": _texts(step.why),
        },
        state=given.state,
        reason=clean(given.reason),
    )


def _unmoved(given: records.Unmoved) -> answers.Unmoved:
    return answers.Unmoved(
        image=given.image.hex(), path=shown(given.place.absolute), rule=clean(given.rule), why=clean(given.why)
    )


def _rooms(given: Sequence[records.Room]) -> list[answers.PlanRoom]:
    return [answers.PlanRoom(base=shown(one.base), needed=one.needed, free=one.free) for one in given]


def plan_outline(given: ports.PlanOutline) -> answers.PlanOutline:
    """A plan as a whole."""
    return answers.PlanOutline(
        **_plan(given.record),
        folders=[answers.PlanFolder(path=shown(one.path), steps=list(one.steps)) for one in given.folders],
        settled=list(given.settled),
        by_rule=_counts(given.rules),
        waits=_counts(given.waits),
        stays=_counts(given.stays),
        rooms=_rooms(given.rooms),
    )


def plan_detail(given: ports.PlanDetail) -> answers.PlanDetail:
    """A plan with a page of what it says."""
    return answers.PlanDetail(
        **_plan(given.record),
        items=[_step(one) for one in given.steps],
        unmoved=[_unmoved(one) for one in given.unmoved],
        left=given.left,
        rooms=_rooms(given.rooms),
        next_cursor=given.next_cursor,
        total=given.record.steps + given.left,
    )
