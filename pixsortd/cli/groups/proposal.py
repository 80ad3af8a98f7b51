"""What the last clustering would change, line by line, to accept or refuse."""

from collections.abc import Sequence
from typing import Any

import click

from pixsortd.cli import out, shell
from pixsortd.cli.groups import told

Json = dict[str, Any]

_AT_ONCE = 500

_lines = click.argument("lines", metavar="[LINE]...", nargs=-1)
_photo = click.option(
    "--photo", "photos", multiple=True, metavar="FILE|ID", help="Only this photo of the line. May be repeated."
)
_all = click.option("--all", "everything", is_flag=True, help="Every line that waits.")


@click.command(cls=shell.Reading)
@click.argument("line", required=False)
@shell.pass_session
def proposal(session: shell.Session, line: str | None) -> None:
    """Show what the last clustering would change and what waits for you; with LINE all photos of it."""
    found = session.daemon.proposal() if line is None else session.daemon.proposed_change(line)
    if session.json:
        out.record(found)
    elif line is None:
        _whole(session, found)
    else:
        session.talk(out.safe(_words(found)))
        for one in found["images"]:
            out.line(one)


def _whole(session: shell.Session, found: Json) -> None:
    if found["run"] is None:
        session.talk("No clustering has been done yet.")
        return
    waiting = {0: "Nothing waits", 1: "1 line waits"}.get(len(found["items"]), f"{len(found['items'])} lines wait")
    done = f"{found['changed']} of {found['photos']} photos changed their group by themselves"
    session.talk(f"{waiting}; {done}, {out.instant(found['at'])}.")
    for one in found["conflicts"]:
        session.talk(f"  {out.safe(one)}")
    rows = [(one["id"], one["photos"], _words(one), _why(one)) for one in found["items"]]
    if rows:
        out.table(("line", "photos", "what", "why it waits"), rows, right=(1,))


_WORDS = {
    "join": "join {to}",
    "leave": "leave {group}",
    "move": "go from {group} to {to}",
    "split": "part from {group} as a new group",
    "merge": "{group} goes into {to}",
    "birth": "form a new group",
    "end": "{group} ends",
}


def _words(change: Json) -> str:
    group, to = told.called(change["group"], change["group_name"]), told.called(change["to"], change["to_name"])
    return _WORDS[change["kind"]].format(group=group, to=to)


def _why(change: Json) -> str:
    return "; ".join(one for one in (change["why"], "back and forth lately" if change["unsteady"] else "") if one)


@click.command(cls=shell.Reading)
@_lines
@_photo
@_all
@shell.pass_session
def accept(session: shell.Session, lines: tuple[str, ...], photos: tuple[str, ...], everything: bool) -> None:
    """Have lines of the proposal done."""
    _settle(session, "accept", lines, photos, everything)


@click.command(cls=shell.Reading)
@_lines
@_photo
@_all
@shell.pass_session
def refuse(session: shell.Session, lines: tuple[str, ...], photos: tuple[str, ...], everything: bool) -> None:
    """Refuse lines of the proposal; the same is never proposed again."""
    _settle(session, "refuse", lines, photos, everything)


def _settle(
    session: shell.Session, verdict: str, lines: Sequence[str], photos: Sequence[str], everything: bool
) -> None:
    if everything == bool(lines):
        raise click.UsageError("Give lines by their ids, or --all.")
    if photos and len(lines) != 1:
        raise click.UsageError("--photo goes with exactly one line.")
    ids = [one["id"] for one in session.daemon.proposal()["items"]] if everything else lines
    if photos:
        from pixsortd.cli.photos import image_ids

        edit = session.daemon.settle(lines[0], verdict, image_ids(session.daemon, photos))
        answers = [{"id": lines[0], "edit": edit, "reason": None}]
    else:
        parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
        answers = [one for part in parts for one in session.daemon.settle_many(part, verdict)["items"]]
    _explain(session, answers)


def _explain(session: shell.Session, answers: Sequence[Json]) -> None:
    """What became of each line. Raises Conflict when some could not be settled, and a single one's own error."""
    from pixsortd.cli.client import errors_by_code
    from pixsortd.errors import Conflict

    failed = [one for one in answers if one["reason"]]
    for one in answers:
        if session.json:
            out.record(one)
        elif one["edit"]:
            told.edited(session, one["edit"])
        elif len(answers) > 1:
            session.talk(f"{one['id']}: {out.safe(one['reason']['message'])}")
    if failed:
        first = failed[0]["reason"]
        kind = errors_by_code().get(first["code"], Conflict) if len(answers) == 1 else Conflict
        some = f"{len(failed)} of {len(answers)} lines could not be settled"
        raise kind(first["message"] if len(answers) == 1 else some, next_step=first["next_step"])


COMMANDS = (proposal, accept, refuse)
