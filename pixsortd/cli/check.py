"""``pixsortd check``: is everything that is kept as it must be?"""

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.option("--read-data", is_flag=True, help="Read and hash every indexed original as well; this takes long.")
@click.pass_context
def check(context: click.Context, read_data: bool) -> None:
    """Check decisions, index, thumbnails and, if asked, the photos themselves. Changes nothing.

    The daemon may run meanwhile. Exit status 1 when something is wrong.
    """
    from pixsortd.cli.bars import bars
    from pixsortd.daemon.offline import upkeep

    session = context.ensure_object(shell.Session)
    session.log_to_stderr()
    with bars(session) as bar:
        found = upkeep.check(
            session.state_dir,
            session.loaded.settings,
            read_data=read_data,
            progress=lambda done, total: bar("checking", done, total),
        )
    out.findings(session.json, found)
    session.talk(f"{len(found)} findings." if found else "Everything is as it must be.")
    context.exit(1 if found else 0)
