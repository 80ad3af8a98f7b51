"""``pixsortd trash``: deleted photos, and the way back."""

from collections.abc import Sequence
from typing import Any

import click

from pixsortd.cli import out, shell

Json = dict[str, Any]

_AT_ONCE = 500


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def trash(context: click.Context) -> None:
    """List deleted photos; bring them back; delete more, or for good."""
    if context.invoked_subcommand is None:
        context.invoke(list_trash)


@trash.command("list", cls=shell.Reading)
@shell.pass_session
def list_trash(session: shell.Session) -> None:
    """List what is in the trash, newest first."""
    for one in session.daemon.trash():
        if session.json:
            out.record(one)
        else:
            only = ", the last copy" if one["last_copy"] else ""
            kept = f"deleted {out.instant(one['at'])}, kept until {out.instant(one['until'])}"
            out.line(f"{one['id']}  {out.safe(one['path'])}")
            out.line(f"  {out.size(one['size'])}, {kept}{only}")


@trash.command(cls=shell.Reading)
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@shell.pass_session
def put(session: shell.Session, photos: tuple[str, ...]) -> None:
    """Move photos (by id, or by the path of a file) to the trash: every file of each, with its companions.

    Only where the root may be written: an inbox, or a root with `writable = true`.
    """
    from pixsortd.cli.photos import image_ids

    chosen = image_ids(session.daemon, photos)
    answers = [one for part in _parts(chosen) for one in session.daemon.discard(part)["items"]]
    for one in answers:
        if session.json:
            out.record(one)
        for item in one["items"]:
            last = ", the last copy of this photo" if one["last_copy"] else ""
            session.talk(f"{item['id']}  {out.safe(item['path'])} is in the trash{last}")
    _explain(session, answers, "moved")


@trash.command(cls=shell.Reading)
@click.argument("items", metavar="ID...", nargs=-1, required=True)
@shell.pass_session
def restore(session: shell.Session, items: tuple[str, ...]) -> None:
    """Bring files (by their ids in the list) back to where they were."""
    answers = [one for part in _parts(items) for one in session.daemon.restore(part)["items"]]
    for one in answers:
        if session.json:
            out.record(one)
        elif one["reason"] is None:
            session.talk(f"{out.safe(one['path'])} is back")
    _explain(session, answers, "brought back")


@trash.command(cls=shell.Reading)
@click.option("--yes", is_flag=True, help="Do not ask.")
@shell.pass_session
def empty(session: shell.Session, yes: bool) -> None:
    """Delete everything in the trash for good."""
    if not yes:
        found = list(session.daemon.trash())
        last = sum(one["last_copy"] for one in found)
        size = out.size(sum(one["size"] for one in found))
        click.confirm(
            f"Delete {len(found)} files ({size}) for good? Of {last} of them there is no other copy.",
            abort=True,
            err=True,
        )
    answer = session.daemon.purge(None)
    if session.json:
        out.record(answer)
    else:
        session.talk(f"{out.size(answer['bytes'])} freed")


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def _explain(session: shell.Session, answers: Sequence[Json], what: str) -> None:
    """Say why some stayed, and fail then."""
    stayed = [one for one in answers if one["reason"] is not None]
    if not stayed:
        return
    from pixsortd.errors import Conflict

    for one in stayed:
        name = one.get("path") or one.get("image")
        session.talk(f"{out.safe(str(name))}: {out.safe(one['reason']['message'])}")
    raise Conflict(
        f"{len(stayed)} of {len(answers)} could not be {what}", next_step=str(stayed[0]["reason"]["next_step"])
    )
