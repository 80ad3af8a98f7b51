"""Edits of groups in words, for the history and for the answer to an edit. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from pixsortd.grouping.constraints import title
from pixsortd.records import (
    BarPhotos,
    Constraints,
    GroupChange,
    GroupChangeKind,
    GroupEdit,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
)

Title = Callable[[str | None], str]


def so_many(count: int) -> str:
    """So many photos."""
    return "1 photo" if count == 1 else f"{count} photos"


def told(edit: GroupEdit, constraints: Constraints) -> str:
    """What an edit did."""
    return _WORDS[type(edit)](edit, lambda group: title(group, constraints))


def line(change: GroupChange, titled: Title) -> str:
    """What a line of a proposal would do."""
    count, group, to = so_many(len(change.photos)), titled(change.group), titled(change.to)
    return {
        GroupChangeKind.JOIN: f"{count} into {to}",
        GroupChangeKind.LEAVE: f"{count} out of {group}",
        GroupChangeKind.MOVE: f"{count} from {group} into {to}",
        GroupChangeKind.SPLIT: f"{count} of {group} as a new group",
        GroupChangeKind.MERGE: f"{group}, {count}, into {to}",
        GroupChangeKind.BIRTH: f"{count} as a new group",
        GroupChangeKind.END: f"the end of {group}, {count}",
    }[change.kind]


def _name(edit: NameGroup, _: Title) -> str:
    return f"Took the name of group {edit.group} back" if edit.name is None else f"Named a group “{edit.name}”"


def _place(edit: PlacePhotos, titled: Title) -> str:
    count = so_many(len(edit.photos))
    if edit.group is None:
        return f"Took {count} out of all groups"
    if edit.founds:
        return f"Made a group of {count}"
    return f"Put {count} into {titled(edit.group)}" if edit.after else f"Pinned {count} in {titled(edit.group)}"


def _relate(edit: RelatePhotos, _: Title) -> str:
    said = {
        Relation.TOGETHER: "belong together",
        Relation.APART: "never belong into one group",
        Relation.DISTINCT: "are no duplicates of one another",
    }
    return f"Said that {so_many(len(edit.photos))} {said[edit.relation]}"


def _merge(edit: MergeGroups, titled: Title) -> str:
    count = "a group" if len(edit.groups) == 1 else f"{len(edit.groups)} groups"
    return f"Merged {count} into {titled(edit.into)} ({so_many(len(edit.members))})"


_WORDS: Mapping[type, Callable[[Any, Title], str]] = {
    NameGroup: _name,
    PlacePhotos: _place,
    BarPhotos: lambda edit, titled: f"Barred {so_many(len(edit.photos))} from {titled(edit.group)}",
    ReleasePhotos: lambda edit, _: f"Released {so_many(len(edit.photos))}",
    RelatePhotos: _relate,
    LockGroup: lambda edit, titled: f"{'Locked' if edit.locked else 'Unlocked'} {titled(edit.group)}",
    MergeGroups: _merge,
    SplitGroup: lambda edit, titled: f"Split {so_many(len(edit.photos))} off {titled(edit.group)}",
    SettleChange: lambda edit, titled: f"{'Accepted' if edit.accepted else 'Refused'} {line(edit.change, titled)}",
}
