"""``pixsortd scan``: compare directories with the index now."""

import click

from pixsortd.cli import jobs, shell


@click.command(cls=shell.Reading)
@click.argument("root", required=False)
@click.option("--wait", is_flag=True, help="Return when the scan is over.")
@shell.pass_session
def scan(session: shell.Session, root: str | None, wait: bool) -> None:
    """Compare all directories, or one ROOT (id or path), with the index now.

    The daemon scans by itself, too; this is for the impatient.
    """
    from pixsortd.cli.roots import pick

    known = session.daemon.roots()
    started = [session.daemon.scan(one["id"]) for one in ([pick(known, root)] if root else known)]
    for job in {one["id"]: one for one in started}.values():
        jobs.follow(session, job, wait)
