"""``pixsortd init``: a commented configuration file to begin with."""

import getpass
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
@click.option(
    "--systemd",
    is_flag=True,
    help="Also write a service: your own, or as root one of the machine that runs as the owner of the photos.",
)
@click.option("--force", is_flag=True, help="Replace a configuration that is there already.")
@click.pass_context
def init(context: click.Context, paths: tuple[Path, ...], inbox: tuple[Path, ...], systemd: bool, force: bool) -> None:
    """Write a commented configuration with each PATH as a photo directory, then run the doctor.

    The file goes to the XDG configuration directory, or where --config says. With --systemd one
    that is there already is used as it is, unless paths are given.
    """
    from pixsortd.cli.doctor import examine
    from pixsortd.config import default_file, user_config_file

    session = context.ensure_object(shell.Session)
    file = session.config or user_config_file()
    if not (systemd and file.exists() and not (paths or inbox or force)):
        write(file, with_roots(default_file().decode(), paths, inbox), force=force)
        session.talk(f"Wrote {file}; every setting is in it with its default and what it means.")
    session.config = file
    failed = examine(session)
    session.talk("Next: `pixsortd models pull` fetches the weights while the network is there (optional), and")
    if systemd:
        _write_service(session, file)
    else:
        session.talk("`pixsortd run` starts the daemon; its page is then at http://127.0.0.1:8420.")
    if failed:
        context.exit(1)


def _write_service(session: shell.Session, file: Path) -> None:
    """The unit and its drop-in, for root as a service of the machine, else of this user."""
    from pixsortd.cli import units
    from pixsortd.errors import ConfigError

    settings = session.loaded.settings
    try:
        where = units.for_machine(units.owner(one.path for one in settings.roots)) if os.geteuid() == 0 else None
    except (LookupError, KeyError) as error:
        raise ConfigError(
            "it is not clear which user the service should run as",
            next_step="Run this command with sudo as that user, or name directories that are there.",
        ) from error
    where = where or units.for_user(Path.home())
    program = units.program()
    extra = where.directory / f"{where.instance}.service.d" / "paths.conf"
    write(where.directory / where.unit, units.unit_text(where.unit, program), force=True)
    write(extra, units.drop_in(settings, program, file.absolute()), force=True)
    session.talk(f"wrote {where.directory / where.unit} and {extra}.")
    session.talk(
        f"Start it: systemctl {where.scope}daemon-reload && systemctl {where.scope}enable --now {where.instance}"
    )
    if where.scope:
        session.talk(f"To run without being logged in: loginctl enable-linger {getpass.getuser()}")


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
