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
    from pixsortd.config import plain

    loaded = session.loaded
    values = plain(loaded.settings)
    session.talk(f"# {loaded.file or 'no configuration file'}")
    for key, place in loaded.origins.items():
        value = values
        for part in key.split(".", 1) if not key.startswith("spaces.") else _space_key(key):
            value = value[part]
        if session.json:
            out.record({"key": key, "value": value, "origin": place})
        else:
            text = f"{key} = {_toml(value)}"
            out.line(f"{text:<48} # {place}" if origin else text)


def _space_key(key: str) -> list[str]:
    """The parts of ``spaces.NAME.key``, whose name may have dots of its own."""
    first, rest = key.split(".", 1)
    return [first, *rest.rsplit(".", 1)]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


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
    loaded = session.loaded
    session.talk(f"{loaded.file or 'no configuration file, the defaults'}: correct")
