"""``pixsortd roots``: the photo directories and their ledgers."""

import os
from collections.abc import Sequence
from typing import Any

import click

from pixsortd.cli import jobs, out, shell
from pixsortd.errors import NotFound

Json = dict[str, Any]


def pick(known: Sequence[Json], wanted: str) -> Json:
    """The root with that id or path; raises NotFound."""
    names = {wanted, os.path.abspath(os.path.expanduser(wanted)), os.path.realpath(os.path.expanduser(wanted))}
    for one in known:
        if one["id"] == wanted or one["path"] in names:
            return one
    raise NotFound(f"there is no root {wanted}", next_step="`pixsortd roots` lists them.")


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def roots(context: click.Context) -> None:
    """List the photo directories; scan one; confirm that missing files are gone."""
    if context.invoked_subcommand is None:
        context.invoke(list_roots)


@roots.command("list", cls=shell.Reading)
@shell.pass_session
def list_roots(session: shell.Session) -> None:
    """List the photo directories with state, watcher and ledger."""
    known = session.source.roots()
    if session.json:
        for one in known:
            out.record(one)
    else:
        from pixsortd.cli.status import roots as table

        table(list(known))


@roots.command("scan", cls=shell.Reading)
@click.argument("root")
@click.option("--wait", is_flag=True, help="Return when the scan is over.")
@shell.pass_session
def scan_root(session: shell.Session, root: str, wait: bool) -> None:
    """Compare one directory (id or path) with the index now."""
    jobs.follow(session, session.daemon.scan(pick(session.daemon.roots(), root)["id"]), wait)


@roots.command("confirm-gone", cls=shell.Reading)
@click.argument("root")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shell.pass_session
def confirm_gone(session: shell.Session, root: str, yes: bool) -> None:
    """Say that the missing files of a waiting root (id or path) are gone for good.

    Their names, ratings and groups are kept; should the files ever return, so do those.
    """
    chosen = pick(session.daemon.roots(), root)
    if not yes:
        click.confirm(
            f"{chosen['missing']} files of {out.safe(chosen['path'])} are missing. Are they gone for good?",
            abort=True,
            err=True,
        )
    answer = session.daemon.confirm_gone(chosen["id"])
    if session.json:
        out.record(answer)
    else:
        session.talk(f"{answer['files']} files forgotten; what you decided about their photos is kept.")
