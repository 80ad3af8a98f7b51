"""``pixsortd config``: what is set, where, and whether it is right."""

import json

import click

from pixsortd.cli import out, shell


@click.group(cls=shell.Group)
def config() -> None:
    """Show and check the configuration."""


@config.command(cls=shell.Reading)
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@shell.pass_session
def show(session: shell.Session, origin: bool) -> None:
    """Show every setting in force; with --json one object a line."""
    from pixsortd.config import stated, toml_text

    loaded = session.loaded
    session.talk(f"# {loaded.file or 'no configuration file'}")
    for one in stated(loaded):
        if session.json:
            out.record({"key": one.key, "value": one.value, "origin": one.origin})
        else:
            text = f"{one.key} = {toml_text(one.value)}"
            out.line(f"{text:<48} # {one.origin}" if origin else text)


@config.command()
def schema() -> None:
    """Print the configuration's JSON Schema, for editors that complete and check."""
    from pixsortd.config import json_schema

    out.line(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@config.command()
def default() -> None:
    """Print the commented default configuration, the one explanation of every setting."""
    from pixsortd.config import default_file

    click.echo(default_file(), nl=False)


@config.command()
@shell.pass_session
def check(session: shell.Session) -> None:
    """Check the configuration and say what is wrong, without starting anything."""
    from pixsortd.daemon.sorting.inforce import require_right_rules

    loaded = session.loaded
    require_right_rules(loaded)
    session.talk(f"{loaded.file or 'no configuration file, the defaults'}: correct")
