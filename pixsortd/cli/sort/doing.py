"""Approving, refusing, and taking back."""

from typing import Any

import click

from pixsortd.cli import jobs, out, shell
from pixsortd.cli.sort import told
from pixsortd.cli.sort.choosing import chosen, photo_option, step_option

Json = dict[str, Any]

_AT_ONCE = 10_000

_no_wait = click.option("--no-wait", is_flag=True, help="Return as soon as it is under way.")


@click.command(cls=shell.Reading)
@click.argument("plan", required=False)
@step_option
@photo_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@_no_wait
@shell.pass_session
def apply(
    session: shell.Session, plan: str | None, steps: tuple[str, ...], photos: tuple[str, ...], yes: bool, no_wait: bool
) -> None:
    """Have a plan that waits done, or only some of its steps. Without PLAN show the one that waits, and ask.

    The exit status is 1 where a step could not be done, and 10 with nothing done where files or rules have changed
    since that PLAN was shown.
    """
    if plan is None:
        plan = _shown(session, yes)
        if plan is None:
            return
    _carried_out(session, session.daemon.apply_plan(plan, chosen(session, plan, steps, photos)), no_wait)


def _shown(session: shell.Session, yes: bool) -> str | None:
    """The only plan that waits with something to do, once it was shown and agreed to. Raises InvalidRequest."""
    from pixsortd.errors import InvalidRequest

    waiting = [one for one in session.daemon.propose(None)["items"] if one["steps"]]
    if not waiting:
        session.talk("Nothing waits.")
        return None
    if len(waiting) > 1:
        ids = ", ".join(one["id"] for one in waiting)
        raise InvalidRequest(f"{len(waiting)} plans wait", next_step=f"Name one: {ids}.")
    [only] = waiting
    if not yes:
        places = {one["id"]: one["path"] for one in session.daemon.roots()}
        told.plan(session, session.daemon.plan(only["id"]), places, why=False)
        click.confirm(f"Sort {told.photos(only['steps'])}?", abort=True, err=True)
    return str(only["id"])


@click.command(cls=shell.Reading)
@click.argument("plan")
@step_option
@photo_option
@_no_wait
@shell.pass_session
def undo(session: shell.Session, plan: str, steps: tuple[str, ...], photos: tuple[str, ...], no_wait: bool) -> None:
    """Take a plan back, or only some of its steps. What was changed since stays; undoing the undoing works too.

    The exit status is 1 where a step could not be taken back.
    """
    _carried_out(session, session.daemon.undo_plan(plan, chosen(session, plan, steps, photos)), no_wait)


@click.command(cls=shell.Reading)
@click.argument("plan")
@step_option
@photo_option
@click.option("--all", "everything", is_flag=True, help="Every step of the plan.")
@shell.pass_session
def refuse(
    session: shell.Session, plan: str, steps: tuple[str, ...], photos: tuple[str, ...], everything: bool
) -> None:
    """Leave photos where they are, until the rule that would sort them changes."""
    if everything == bool(steps or photos):
        raise click.UsageError("Give steps or photos, or --all.")
    wanted = chosen(session, plan, steps, photos)
    if wanted is None:
        wanted = [one["id"] for one in session.daemon.plan(plan)["items"]]
    if not wanted:
        from pixsortd.errors import InvalidRequest

        raise InvalidRequest("that plan has no step that could be refused")
    for start in range(0, len(wanted), _AT_ONCE):
        now = session.daemon.refuse_steps(plan, wanted[start : start + _AT_ONCE])
        plan = now["id"]
    if session.json:
        out.record(now)
    else:
        session.talk(
            f"{told.photos(len(wanted))} refused. What waits now is plan {now['id']}: {told.photos(now['steps'])}."
        )


def _carried_out(session: shell.Session, started: Json, no_wait: bool) -> None:
    """Wait for the job and tell what became of each step."""
    if no_wait:
        if session.json:
            out.record(started)
        else:
            session.talk(f"Plan {started['id']} is under way (job {started['job']})")
        return
    jobs.finish(session, session.daemon.job(started["job"]))
    told.outcome(session, session.daemon.plan(started["id"]))


COMMANDS = (apply, undo, refuse)
