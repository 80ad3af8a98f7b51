"""What exit statuses mean, and how an error is told."""

import click

from pixsortd.cli.client import errors_by_code
from pixsortd.errors import PixsortdError


def exit_codes() -> dict[int, str]:
    """Every exit status and what it says, from the error tree."""
    codes = {0: ["done"], 1: ["something failed or was broken off, or a check found something"], 2: ["wrong usage"]}
    for kind in errors_by_code().values():
        if kind.exit_code != 1 and kind.title not in codes.setdefault(kind.exit_code, []):
            codes[kind.exit_code].append(kind.title[0].lower() + kind.title[1:])
    return {code: ", ".join(codes[code]) for code in sorted(codes)}


def explain(error: PixsortdError) -> None:
    """What kind of thing went wrong, what exactly, and what to do, on stderr."""
    click.echo(f"{click.style(error.title, fg='red', bold=True)}: {_indented(str(error))}", err=True)
    if error.next_step:
        click.echo(f"→ {error.next_step}", err=True)


def _indented(text: str) -> str:
    """Several lines stand below the title, one alone beside it."""
    return text if "\n" not in text else "\n  " + text.replace("\n", "\n  ")
