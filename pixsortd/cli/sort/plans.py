"""What waits."""

import click

from pixsortd.cli import shell
from pixsortd.cli.roots import pick
from pixsortd.cli.sort import told


@click.command(cls=shell.Reading)
@click.argument("plan", required=False)
@click.option("--inbox", metavar="ROOT", help="Only this inbox, by id or path.")
@click.option("--why", is_flag=True, help="Say what held for each photo, and why each other one stays.")
@shell.pass_session
def plan(session: shell.Session, plan: str | None, inbox: str | None, why: bool) -> None:
    """Plan anew, and show what would be done as a tree: + a name that comes, - one that goes.

    With PLAN show that one, waiting or of the history. Nothing is approved by looking.
    """
    if plan is not None and inbox is not None:
        raise click.UsageError("Give either a PLAN or --inbox.")
    roots = session.daemon.roots()
    places = {one["id"]: one["path"] for one in roots}
    if plan is not None:
        told.plan(session, session.daemon.plan(plan), places, why=why)
        return
    waiting = session.daemon.propose(None if inbox is None else pick(roots, inbox)["id"])["items"]
    for one in waiting:
        told.plan(session, session.daemon.plan(one["id"]), places, why=why)
    if not waiting:
        session.talk("Nothing waits.")


COMMANDS = (plan,)
