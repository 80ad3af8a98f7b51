"""How plans are told."""

from collections import Counter
from typing import Any

from pixsortd.cli import out, shell
from pixsortd.cli.sort import tree

Json = dict[str, Any]

_STATES = {"done": "done", "refused": "not done", "undone": "taken back since"}


def photos(count: int) -> str:
    """So many photos."""
    return "1 photo" if count == 1 else f"{count} photos"


def heading(plan: Json, places: dict[str, str]) -> str:
    """A plan in a line; ``places`` has the paths of roots by id."""
    place = places.get(plan["root"], plan["root"])
    if plan["state"] == "waiting" and not plan["steps"]:
        return f"Nothing to sort in {place}"
    if plan["state"] == "waiting":
        return f"Plan {plan['id']} for {place} waits: {photos(plan['steps'])} to sort"
    what = undoing(plan) or f"of {place}"
    return f"Plan {plan['id']} {what}, {out.instant(plan['at'])}, {plan['state']}: {counts(plan)}"


def undoing(plan: Json) -> str:
    """Which plan one takes back or does again; empty where it does neither."""
    if plan["redoes"]:
        return f"does {plan['redoes']} again"
    return f"takes back {plan['undoes']}" if plan["undoes"] else ""


def counts(plan: Json) -> str:
    """What became of the steps."""
    parts = [f"{plan[state]} {words}" for state, words in _STATES.items() if plan[state]]
    return ", ".join(parts) or f"0 of {photos(plan['steps'])}"


def plan(session: shell.Session, found: Json, places: dict[str, str], *, why: bool) -> None:
    """A whole plan as a tree, and what it leaves alone."""
    if session.json:
        out.record(found)
        return
    session.talk(out.safe(heading(found, places)))
    for text in tree.lines(found["items"], why=why):
        out.line(text)
    waits = Counter(one["waits"] for one in found["items"] if one["state"] == "waiting" and one["waits"])
    for words, count in waits.most_common():
        session.talk(f"{photos(count)} wait{'s' if count == 1 else ''}: {out.safe(words)}")
    reasons = Counter(one["why"] for one in found["unmoved"])
    for words, count in reasons.most_common():
        session.talk(f"{photos(count)} stay{'s' if count == 1 else ''}: {out.safe(words)}")
    if why:
        for one in found["unmoved"]:
            out.line(f"= {out.safe(one['path'])}  {out.safe(one['why'])}")
    for room in found["rooms"]:
        if room["needed"]:
            session.talk(
                f"It takes {out.size(room['needed'])} of {out.size(room['free'])} free on {out.safe(room['base'])}"
            )


def outcome(session: shell.Session, found: Json) -> None:
    """What became of a plan that was carried out, and how to take it back. Raises Conflict where a step was refused."""
    from pixsortd.errors import Conflict

    if session.json:
        out.record(found)
    else:
        session.talk(f"{counts(found).capitalize()} (plan {found['id']})")
        for one in found["items"]:
            if one["state"] == "refused":
                session.talk(f"  {out.safe(one['files'][0]['from'])}: {out.safe(one['reason'])}")
        if found["done"]:
            session.talk(f"→ `pixsortd sort undo {found['id']}` takes it back.")
    if found["refused"]:
        raise Conflict(
            f"{found['refused']} of {photos(found['steps'])} could not be sorted",
            next_step="They are where they were; `pixsortd sort plan` says what would be done now.",
        )
