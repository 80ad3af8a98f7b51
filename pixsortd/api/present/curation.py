"""Edits of groups, their history, and what a clustering would change."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.present.groups import Waiting, group
from pixsortd.api.text import clean

SHOWN = 24
"""Photos that are listed with a line of the proposal."""


def group_edit(given: ports.Edited, waiting: Waiting) -> answers.GroupEdit:
    """What an edit did."""
    return answers.GroupEdit(
        edit=given.edit,
        summary=clean(given.summary),
        groups=[group(one, waiting) for one in given.groups],
        undo=_undo(given),
        left=[clean(one) for one in given.left],
    )


def named_group(given: ports.Edited, waiting: Waiting) -> answers.NamedGroup:
    """The group that was named, with the edit."""
    done = fields(group_edit(given, waiting))
    [named] = done.pop("groups")
    return answers.NamedGroup(**fields(named), **done)


def _undo(given: ports.Edited) -> str | None:
    return None if given.edit is None else f"/groups/edits/{given.edit}/undo"


def past_edit_page(page: ports.Page[ports.PastEdit]) -> answers.PastEditPage:
    """A page of the history."""
    items = [
        answers.PastEdit(**(fields(one) | {"groups": list(one.groups), "why_not": clean(one.why_not) or None}))
        for one in page.items
    ]
    return answers.PastEditPage(items=items, next_cursor=page.next_cursor, total=page.total)


def proposed_change(given: records.GroupChange, names: Mapping[str, str], shown: int | None) -> answers.ProposedChange:
    """One line with the first ``shown`` of its photos, or with None all."""
    about = {
        "group_name": names.get(given.group or ""),
        "to_name": names.get(given.to or ""),
        "photos": len(given.photos) + given.unlisted,
        "images": [one.hex() for one in given.photos[:shown]],
    }
    known = {name: value for name, value in fields(given).items() if name != "unlisted"}
    return answers.ProposedChange(**(known | about))


def proposal(
    given: ports.Outlook, start: int = 0, limit: int | None = None, kind: records.GroupChangeKind | None = None
) -> answers.Proposal:
    """What the last clustering would change and what it changed: of its lines, of one kind if any, a page or all."""
    about = given.proposal
    waiting = [one for one in about.changes if kind in (None, one.kind)]
    applied = [one for one in about.applied if kind in (None, one.kind)]
    whole = len(waiting) + len(applied)
    end = whole if limit is None else start + limit
    behind = slice(max(0, start - len(waiting)), max(0, end - len(waiting)))
    return answers.Proposal(
        run=about.run or None,
        at=about.at if about.run else None,
        method=about.method,
        photos=about.photos,
        changed=about.changed,
        conflicts=[clean(one) for one in about.conflicts],
        items=[proposed_change(one, given.names, SHOWN) for one in waiting[start:end]],
        applied=[proposed_change(one, given.names, SHOWN) for one in applied[behind]],
        waiting=dict(Counter(one.kind for one in about.changes)),
        next_cursor=str(end) if end < whole else None,
        total=whole,
    )


def settled_changes(given: Sequence[ports.Settled], waiting: Waiting) -> answers.SettledChanges:
    """What became of each of many lines."""
    return answers.SettledChanges(
        items=[
            answers.SettledChange(
                id=one.change,
                edit=None if one.edited is None else group_edit(one.edited, waiting),
                reason=reason(one.reason),
            )
            for one in given
        ]
    )
