"""``pixsortd run``: the daemon itself."""

import os
import sys
from pathlib import Path

import click

from pixsortd.cli import shell


@click.command(cls=shell.Command)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def run(context: click.Context, paths: tuple[Path, ...]) -> None:
    """Watch, analyse and serve until stopped; each PATH is a further directory that is only read.

    No configuration file is needed. The page is at http://127.0.0.1:8420 unless [api] says otherwise.
    """
    session = context.ensure_object(shell.Session)
    loaded = session.loaded
    roots = [directory(path) for path in paths]
    if not roots and not loaded.settings.roots:
        session.talk(
            "No photo directory is configured: name one (`pixsortd run PATH`) or write a file (`pixsortd init PATH`)."
        )

    from pixsortd.daemon.run import main

    if session.quiet or not sys.stderr.isatty():
        context.exit(main(loaded, roots))

    from pixsortd.cli.progress import FirstScanBar, daemon_scan

    with FirstScanBar(daemon_scan(session.state_dir)):
        code = main(loaded, roots)
    context.exit(code)


def directory(path: Path) -> Path:
    """``path`` as a root: absolute, and there; raises ConfigError in words otherwise."""
    from pixsortd.errors import ConfigError

    absolute = Path(os.path.abspath(os.path.expanduser(path)))
    if absolute.is_dir():
        return absolute
    what = "is not a directory" if absolute.exists() else "does not exist"
    raise ConfigError(
        f"the photo directory {what}",
        path=str(absolute),
        next_step="A disk that comes and goes belongs into the configuration file ([[roots]]); there it may be absent.",
    )
