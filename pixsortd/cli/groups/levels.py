"""Coarser and finer views of the groups."""

from itertools import islice
from typing import Any

import click

from pixsortd.cli import out, shell
from pixsortd.cli.groups import told

Json = dict[str, Any]


def _rule(level: Json) -> str:
    """What makes the level, in words."""
    if level["likeness"] is None:
        return "the groups themselves"
    gap = "" if level["gap"] is None else f", at most {out.span(level['gap'])} apart"
    return f"likeness of {level['likeness']:g} and more{gap}"


@click.command("levels", cls=shell.Reading)
@shell.pass_session
def list_levels(session: shell.Session) -> None:
    """List the levels of grouping: near-duplicates, bursts, scenes and themes."""
    found = session.daemon.levels()
    if session.json:
        out.record(found)
    elif not found["items"]:
        session.talk("No tree of the groups is kept yet; `pixsortd groups recluster` makes it.")
    else:
        rows = [(one["name"], one["groups"], one["grouped"], _rule(one)) for one in found["items"]]
        out.table(("level", "groups", "photos", "what is together"), rows, right=(1, 2))


@click.command(cls=shell.Reading)
@click.argument("cut", metavar="LEVEL|PLACE")
@click.argument("group", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@shell.pass_session
def cut(session: shell.Session, cut: str, group: str | None, limit: int, everything: bool) -> None:
    """Show the groups of a level or of a PLACE from 0 (coarsest) to 1 (finest); with GROUP its photos.

    0.5 shows the groups as they were found. Nothing is changed.
    """
    asked = _asked(cut)
    most = None if everything else limit
    if group is not None:
        for one in islice(session.daemon.cut_images(asked, group), most):
            if session.json:
                out.record(one)
            else:
                out.line(out.safe(next((file["path"] for file in one["files"]), one["id"])))
        return
    found = islice(session.daemon.cut_groups(asked), most)
    if session.json:
        for one in found:
            out.record(one)
        return
    rows = [(one["id"], one["size"], told.called(one["group"], one["group_name"])) for one in found]
    out.table(("id", "photos", "most are in"), rows, right=(1,))


def _asked(cut: str) -> dict[str, object]:
    """The query of a level's name or a place on the slider."""
    from pixsortd.records import LevelName

    if cut in list(LevelName):
        return {"level": cut}
    try:
        return {"at": float(cut)}
    except ValueError:
        raise click.UsageError(
            f"{cut!r} is neither a level ({', '.join(LevelName)}) nor a number from 0 to 1."
        ) from None


COMMANDS = (list_levels, cut)
