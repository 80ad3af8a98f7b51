"""``pixsortd rebuild``: make anew what follows from the rest."""

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.option("--verify", is_flag=True, help="Only compare what is kept with what a rebuild would make; write nothing.")
@click.pass_context
def rebuild(context: click.Context, verify: bool) -> None:
    """Make counters, lists and vector searches anew from the files, photos and vectors they follow from.

    A damaged index is replaced by its newest sound backup first. The daemon must not run, but for
    --verify. Photos and decisions are not touched. Exit status 1 when --verify found a difference.
    """
    from pixsortd.daemon.offline import upkeep

    session = context.ensure_object(shell.Session)
    session.log_to_stderr()
    found = upkeep.rebuild(session.state_dir, session.loaded.settings, verify=verify)
    out.findings(session.json, found)
    if verify:
        session.talk(f"{len(found)} differences." if found else "A rebuild would change nothing.")
        context.exit(1 if found else 0)
    session.talk(f"Rebuilt; {len(found)} things were wrong before." if found else "Rebuilt; nothing was wrong before.")
