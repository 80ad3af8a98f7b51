"""The command line: one module a command, and everything heavy imported inside the command.

``--help`` and completion load click and nothing else. The daemon's data come over its HTTP API;
data go to stdout, talk to stderr, and what went wrong into the exit status.
"""

import os
from typing import Any

import click

import pixsortd
from pixsortd.cli import (
    batches,
    check,
    config,
    doctor,
    groups,
    init,
    models,
    quarantine,
    rebuild,
    roots,
    run,
    scan,
    search,
    shell,
    sort,
    status,
    token,
    trash,
    upload,
    why,
)

__all__ = ["main"]

SECTIONS = {
    "Daemon": (run.run, status.status, init.init, doctor.doctor),
    "Photos": (
        upload.upload,
        search.search,
        groups.groups,
        batches.batches,
        sort.sort,
        why.why,
        trash.trash,
        quarantine.quarantine,
    ),
    "Upkeep": (scan.scan, roots.roots, models.models, config.config, token.token, check.check, rebuild.rebuild),
}


def _colour() -> bool | None:
    """Never, where NO_COLOR is set; else as the terminal has it."""
    return False if os.environ.get("NO_COLOR") else None


class Main(shell.Group):
    """The group of all commands: help in sections, errors in words, exit codes as documented."""

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(one.name or "", one.get_short_help_str(90)) for one in commands])

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        from pixsortd.cli.exits import exit_codes

        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), meaning) for code, meaning in exit_codes().items()])

    def invoke(self, ctx: click.Context) -> Any:
        from pixsortd.errors import PixsortdError

        ctx.color = _colour()
        try:
            return super().invoke(ctx)
        except PixsortdError as error:
            from pixsortd.cli.exits import explain

            explain(error)
            return ctx.exit(error.exit_code)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            click.echo(f"pixsortd: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
            return ctx.exit(1)


@click.group(
    cls=Main,
    params=shell.shared_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(pixsortd.__version__, prog_name="pixsortd", message="%(prog)s %(version)s")
def main() -> None:
    """The photo daemon that never loses a file, a name or a decision, and can always tell you why.

    `pixsortd run ~/Pictures` is enough to begin: the photos are only ever read.
    """


for _command in (command for commands in SECTIONS.values() for command in commands):
    main.add_command(_command)
