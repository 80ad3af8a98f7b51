"""``pixsortd doctor``: what on this machine will get in the daemon's way."""

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check limits, disks, permissions, device, weights and licences, and say what to do.

    Exit status 1 when something will not work.
    """
    session = context.ensure_object(shell.Session)
    if examine(session):
        context.exit(1)


def examine(session: shell.Session) -> bool:
    """Show every finding as it comes; True when one of them is a failure."""
    import msgspec

    from pixsortd.daemon.doctor import checks
    from pixsortd.daemon.doctor.finding import Level

    failed = False
    for one in checks.examine(session.loaded.settings):
        failed = failed or one.level is Level.FAIL
        if session.json:
            out.record(msgspec.to_builtins(one))
            continue
        if session.quiet and one.level is Level.OK:
            continue
        out.line(f"{out.state(one.level.value)}{' ' * (5 - len(one.level))} {one.check}: {out.safe(one.message)}")
        if one.next_step:
            out.line(f"      → {out.safe(one.next_step)}")
    return failed
