"""How edits of groups are told."""

from typing import Any

from pixsortd.cli import out, shell

Json = dict[str, Any]


def edited(session: shell.Session, answer: Json) -> None:
    """What an edit did, what it left, and how to take it back."""
    if session.json:
        out.record(answer)
        return
    session.talk(out.safe(answer["summary"]))
    for one in answer["left"]:
        session.talk(f"  {out.safe(one)}")
    if answer["edit"]:
        session.talk(f"→ `pixsortd groups undo {answer['edit']}` takes it back.")


def called(group: str | None, name: str | None) -> str:
    """A group by its name, where it has one."""
    return name or group or "no group"
