"""What was sorted, when, and what became of it."""

from itertools import islice

import click

from pixsortd.cli import out, shell
from pixsortd.cli.sort import told


@click.command(cls=shell.Reading)
@click.argument("plan", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@shell.pass_session
def log(session: shell.Session, plan: str | None, limit: int, everything: bool) -> None:
    """List the plans that were approved, newest first; with PLAN each step of that one and what became of it."""
    places = {one["id"]: one["path"] for one in session.daemon.roots()}
    if plan is not None:
        told.plan(session, session.daemon.plan(plan), places, why=True)
        return
    past = (one for one in session.daemon.plans() if one["state"] != "waiting")
    found = islice(past, None if everything else limit)
    if session.json:
        for one in found:
            out.record(one)
        return
    rows = [
        (
            one["id"],
            out.instant(one["at"]),
            one["state"],
            told.undoing(one) or places.get(one["root"], one["root"]),
            one["by"],
            told.counts(one),
            out.size(one["bytes"]),
        )
        for one in found
    ]
    out.table(("plan", "when", "state", "what", "by", "photos", "size"), rows, right=(6,))


COMMANDS = (log,)
