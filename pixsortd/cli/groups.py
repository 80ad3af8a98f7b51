"""``pixsortd groups``: look-alike photos."""

import click

from pixsortd.cli import jobs, out, shell


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def groups(context: click.Context) -> None:
    """List the groups of look-alike photos; show, name or re-form them."""
    if context.invoked_subcommand is None:
        context.invoke(list_groups)


@groups.command("list", cls=shell.Reading)
@shell.pass_session
def list_groups(session: shell.Session) -> None:
    """List the groups, largest first."""
    found = session.source.groups()
    if session.json:
        for one in found:
            out.record(one)
    else:
        rows = [(one["id"], one["size"], one["name"] or "", one["space"]) for one in found]
        out.table(("group", "photos", "name", "space"), rows, right=(1,))


@groups.command(cls=shell.Reading)
@click.argument("group")
@shell.pass_session
def show(session: shell.Session, group: str) -> None:
    """Show the photos of one group; with --json one photo a line."""
    about = session.source.group(group)
    members = session.source.members(group)
    if session.json:
        for one in members:
            out.record(one)
        return
    session.talk(f"{about['name'] or about['id']}: {about['size']} photos, alike in {about['space']}")
    out.table(
        ("taken", "path"),
        [(one["taken"] or "", next((file["path"] for file in one["files"]), one["id"])) for one in members],
    )


@groups.command(cls=shell.Reading)
@click.argument("group")
@click.argument("name", required=False)
@click.option("--clear", is_flag=True, help="Take the name back.")
@shell.pass_session
def rename(session: shell.Session, group: str, name: str | None, clear: bool) -> None:
    """Name a group. The name stays through every re-forming and outlives the index."""
    if clear == (name is not None):
        raise click.UsageError("Give either a NAME or --clear.")
    answer = session.daemon.rename_group(group, name)
    if session.json:
        out.record(answer)
    else:
        session.talk(
            f"{answer['id']} is called {answer['name']!r}" if answer["name"] else f"{answer['id']} has no name"
        )


@groups.command(cls=shell.Reading)
@click.option("--wait", is_flag=True, help="Return when the groups are formed.")
@shell.pass_session
def recluster(session: shell.Session, wait: bool) -> None:
    """Form the groups anew now. Ids and names of groups that go on stay."""
    jobs.follow(session, session.daemon.recluster(), wait)
