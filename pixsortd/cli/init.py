"""``pixsortd init``: a commented configuration file to begin with."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from pixsortd.cli import shell

MARK = "\n[watch]\n"


@click.command(cls=shell.Command)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--inbox", multiple=True, type=click.Path(path_type=Path), help="A directory that files are dropped into."
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.pass_context
def init(context: click.Context, paths: tuple[Path, ...], inbox: tuple[Path, ...], force: bool) -> None:
    """Write a commented configuration with each PATH as a photo directory, then run the doctor.

    The file goes to the XDG configuration directory, or where --config says.
    """
    from pixsortd.cli.doctor import examine
    from pixsortd.config import default_file, user_config_file

    session = context.ensure_object(shell.Session)
    file = session.config or user_config_file()
    write(file, with_roots(default_file().decode(), paths, inbox), force=force)
    session.talk(f"Wrote {file}; every setting is in it with its default and what it means.")
    session.config = file
    failed = examine(session)
    session.talk("Next: `pixsortd models pull` fetches the weights while the network is there (optional), and")
    session.talk("`pixsortd run` starts the daemon; its page is then at http://127.0.0.1:8420.")
    if failed:
        context.exit(1)


def with_roots(text: str, libraries: Sequence[Path], inboxes: Sequence[Path]) -> str:
    """The shipped file with a ``[[roots]]`` table for each directory."""
    tables = [f"[[roots]]\npath = {_quoted(path)}\n" for path in libraries]
    tables += [f'[[roots]]\npath = {_quoted(path)}\nrole = "inbox"\n' for path in inboxes]
    head, mark, rest = text.partition(MARK)
    return head + "".join(f"\n{table}" for table in tables) + mark + rest


def write(file: Path, text: str, *, force: bool) -> None:
    """Write the file whole or not at all. Raises Conflict when there is one and ``force`` is not given."""
    from pixsortd.errors import Conflict

    if file.exists() and not force:
        raise Conflict("there is a configuration already", path=str(file), next_step="Edit it, or use --force.")
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, file)


def _quoted(path: Path) -> str:
    """A path as a TOML text, absolute. Raises ConfigError for a name that TOML cannot hold."""
    from pixsortd.errors import ConfigError

    absolute = os.path.abspath(os.path.expanduser(path))
    try:
        absolute.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            "the name is not UTF-8, which a TOML file cannot hold",
            path=absolute,
            next_step="Give it to `pixsortd run` on the command line instead.",
        ) from error
    return json.dumps(absolute, ensure_ascii=False).replace("\x7f", "\\u007f")
