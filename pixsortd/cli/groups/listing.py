"""Groups: the list, one of them, its name, and forming them anew."""

from typing import Any

import click

from pixsortd.cli import jobs, out, shell
from pixsortd.cli.groups import told

Json = dict[str, Any]

_STEPS = {
    "born": "formed",
    "split-from": "split from {other}",
    "split-off": "{other} was split off",
    "merged": "{other} went into it",
}


def _notes(group: Json) -> str:
    """What is special about a group."""
    waiting = f"{group['waiting']} waiting" if group["waiting"] else ""
    resting = "not found by the last clustering" if group["state"] == "resting" else ""
    return ", ".join(one for one in ("locked" if group["locked"] else "", resting, waiting) if one)


def _step(step: Json) -> str:
    return f"{_STEPS[step['event']].format(other=step['other'])}, {out.instant(step['at'])}"


@click.command("list", cls=shell.Reading)
@shell.pass_session
def list_groups(session: shell.Session) -> None:
    """List the groups, largest first."""
    found = session.source.groups()
    if session.json:
        for one in found:
            out.record(one)
    else:
        rows = [(one["id"], one["size"], one["name"] or "", one["space"], _notes(one)) for one in found]
        out.table(("group", "photos", "name", "space", "notes"), rows, right=(1,))


@click.command(cls=shell.Reading)
@click.argument("group")
@shell.pass_session
def show(session: shell.Session, group: str) -> None:
    """Show the photos of one group; with --json one photo a line."""
    from pixsortd.cli.choice import group_id

    chosen = group_id(session.source, group)
    about = session.source.group(chosen)
    members = session.source.members(chosen)
    if session.json:
        for one in members:
            out.record(one)
        return
    session.talk(
        out.safe(f"{told.called(about['id'], about['name'])}: {about['size']} photos, alike in {about['space']}")
    )
    for note in filter(None, (_notes(about), *map(_step, about["lineage"]))):
        session.talk(f"  {note}")
    out.table(
        ("taken", "path"),
        [(one["taken"] or "", next((file["path"] for file in one["files"]), one["id"])) for one in members],
    )


@click.command(cls=shell.Reading)
@click.argument("group")
@click.argument("name", required=False)
@click.option("--clear", is_flag=True, help="Take the name back.")
@shell.pass_session
def rename(session: shell.Session, group: str, name: str | None, clear: bool) -> None:
    """Name a group. The name stays through every re-forming and outlives the index."""
    if clear == (name is not None):
        raise click.UsageError("Give either a NAME or --clear.")
    from pixsortd.cli.choice import group_id

    told.edited(session, session.daemon.rename_group(group_id(session.daemon, group), name))


@click.command(cls=shell.Reading)
@click.option("--wait", is_flag=True, help="Return when the groups are formed.")
@shell.pass_session
def recluster(session: shell.Session, wait: bool) -> None:
    """Form the groups anew now. Ids and names of groups that go on stay."""
    jobs.follow(session, session.daemon.recluster(), wait)


COMMANDS = (list_groups, show, rename, recluster)
