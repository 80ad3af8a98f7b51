"""The likeness learned from the user's edits."""

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.option("--on/--off", "use", default=None, help="Let it be used where it does better, or do without it.")
@shell.pass_session
def learning(session: shell.Session, use: bool | None) -> None:
    """Tell what your edits taught, and how well it does on pairs of photos it had not seen; switch it."""
    told = session.daemon.learning() if use is None else session.daemon.use_learned(None if use else False)
    if session.json:
        out.record(told)
        return
    out.line(f"{told['state']}: {out.safe(told['why'])}")
    out.line(f"{told['edits']} edits taught it {told['pairs']} pairs of photos")


COMMANDS = (learning,)
