"""What the user did to groups, and taking it back."""

from itertools import islice

import click

from pixsortd.cli import out, shell
from pixsortd.cli.groups import told


@click.command(cls=shell.Reading)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@shell.pass_session
def edits(session: shell.Session, limit: int, everything: bool) -> None:
    """List the edits of groups, newest first."""
    found = islice(session.daemon.group_edits(), None if everything else limit)
    if session.json:
        for one in found:
            out.record(one)
        return
    rows = [
        (one["edit"], out.instant(one["at"]), "undone" if one["undone"] else "", one["photos"], one["what"])
        for one in found
    ]
    out.table(("edit", "when", "state", "photos", "what"), rows, right=(3,))


@click.command(cls=shell.Reading)
@click.argument("edit", metavar="EDIT")
@shell.pass_session
def undo(session: shell.Session, edit: str) -> None:
    """Take an edit back, by its id in `edits`. Undoing the undoing brings it back."""
    told.edited(session, session.daemon.undo_edit(edit))


COMMANDS = (edits, undo)
