"""The steps of a plan as a tree of the directories that change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pixsortd.cli import out

Json = Mapping[str, Any]

DONE = {"move": "from", "copy": "copy of", "hardlink": "link to", "reflink": "clone of", "symlink": "points to"}
"""What a new name has to do with the file that it comes from."""


@dataclass
class Branch:
    """A directory in which names come or go."""

    below: dict[str, Branch] = field(default_factory=dict)
    names: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    """Each with lines that go under it."""

    def at(self, path: Sequence[str]) -> Branch:
        """The directory of that path, made where it is not there yet."""
        branch = self
        for part in path:
            branch = branch.below.setdefault(part, Branch())
        return branch


def lines(steps: Iterable[Json], *, why: bool = False) -> Iterator[str]:
    """The tree, line by line: ``+`` a name that comes, ``-`` one that goes; with ``why`` the reasons under each."""
    root = Branch()
    for step in steps:
        for path, text, under in _changes(step, why):
            *directories, _ = path.split("/")
            root.at([one for one in directories if one]).names.append((text, under))
    for name, branch in sorted(root.below.items()):
        joined, branch = _joined(f"/{name}", branch)
        yield out.safe(joined)
        yield from _drawn(branch, "")


def _changes(step: Json, why: bool) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Whose name changes, how that is told, and what is said under it."""
    told = "" if step["state"] == "waiting" and not why else _state(step)
    words = [*(step["why"] if why else ()), *filter(None, (step["conflict"], told))]
    for one in step["displaced"]:
        yield one["from"], f"- {_name(one['from'])}  goes to the trash and makes room", ()
    for number, one in enumerate(step["files"]):
        under = words if number == 0 else ()
        if step["back"]:
            yield one["from"], f"- {_name(one['from'])}  is removed; {one['to']} stays", under
            continue
        rule = f"  [{step['rule']}]" if step["rule"] and number == 0 else ""
        if one["discarded"]:
            yield one["from"], f"- {_name(one['from'])}  goes to the trash{rule}", under
        else:
            yield one["to"], f"+ {_name(one['to'])}  {DONE[step['action']]} {one['from']}{rule}", under
    for one in step["returned"]:
        yield one["to"], f"+ {_name(one['to'])}  comes back from the trash", ()


def _state(step: Json) -> str:
    """What became of it, or why it waits."""
    if step["state"] == "waiting":
        return str(step["waits"])
    return "" if step["state"] == "done" else ": ".join(filter(None, (step["state"], step["reason"])))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _joined(name: str, branch: Branch) -> tuple[str, Branch]:
    """A directory and those below it that are alone in theirs, as one."""
    while not branch.names and len(branch.below) == 1:
        [(deeper, branch)] = branch.below.items()
        name = f"{name}/{deeper}"
    return name, branch


def _drawn(branch: Branch, indent: str) -> Iterator[str]:
    entries: list[tuple[str, Branch, Sequence[str]]] = [
        (text, Branch(), under) for text, under in sorted(branch.names, key=lambda one: one[0][2:])
    ]
    entries += [(*_joined(name, below), ()) for name, below in sorted(branch.below.items())]
    for number, (text, below, under) in enumerate(entries):
        last = number == len(entries) - 1
        yield f"{indent}{'└── ' if last else '├── '}{out.safe(text)}"
        deeper = indent + ("    " if last else "│   ")
        yield from (f"{deeper}  {out.safe(one)}" for one in under)
        yield from _drawn(below, deeper)
