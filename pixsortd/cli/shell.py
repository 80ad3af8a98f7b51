"""What all commands share: the options every one takes, and the settings and data source they lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # reading settings costs more than the whole of --help
    from pixsortd.cli.source import Daemon, Source
    from pixsortd.config import Loaded


@dataclass
class Session:
    """One invocation: what was asked for on the command line, and what it resolves to."""

    config: Path | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    quiet: bool = False
    json: bool = False

    @cached_property
    def loaded(self) -> Loaded:
        """The settings in force; raises ConfigError."""
        from pixsortd.config import load

        return load(self.config, os.environ, self.overrides)

    @cached_property
    def source(self) -> Source:
        """Where answers come from, the daemon or else its index; raises DaemonUnreachable without either."""
        from pixsortd.cli import source

        found = source.source(self.state_dir, self.loaded.settings, self._from_index)
        return click.get_current_context().with_resource(found)

    @cached_property
    def daemon(self) -> Daemon:
        """The running daemon, for commands that have something done; raises DaemonUnreachable."""
        from pixsortd.cli import source

        return source.daemon(self.state_dir)

    @property
    def state_dir(self) -> Path:
        """The state directory of these settings."""
        from pixsortd.config import state_directory

        return state_directory(self.loaded.settings)

    def _from_index(self, as_of: float) -> None:
        from pixsortd.cli.out import instant

        self.log_to_stderr()
        self.talk(f"No daemon runs: this is from its index as of {instant(as_of)}.")

    def log_to_stderr(self) -> None:
        """Send what the rooms log to stderr; for commands that work themselves instead of asking."""
        from pixsortd.config import LogSettings
        from pixsortd.daemon import log

        log.configure(LogSettings(level="error" if self.quiet else "warning", format="text"))

    def talk(self, text: str) -> None:
        """Say something on stderr, unless --quiet."""
        if not self.quiet:
            click.echo(text, err=True)


pass_session = click.make_pass_decorator(Session, ensure=True)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    session = context.ensure_object(Session)
    if value and option.name:
        setattr(session, option.name, value)


def _override(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> None:
    session = context.ensure_object(Session)
    for text in values:
        key, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE, e.g. api.port=9000", context, option)
        session.overrides[key.strip()] = value


def shared_options() -> list[click.Parameter]:
    """Taken before the command as well as after it."""
    return [
        click.Option(
            ["--config"],
            type=click.Path(dir_okay=False, path_type=Path),
            expose_value=False,
            callback=_remember,
            metavar="FILE",
            help="Use this configuration file and no other.",
        ),
        click.Option(
            ["--set"],
            multiple=True,
            expose_value=False,
            callback=_override,
            metavar="KEY=VALUE",
            help="Override one setting, e.g. api.port=9000. May be repeated.",
        ),
        click.Option(
            ["--quiet", "-q"],
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Say nothing but data and errors.",
        ),
    ]


class Command(click.Command):
    """A command with the shared options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())


class Reading(Command):
    """A command that answers a question, and does so in JSON when asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_as_json())


def _as_json() -> click.Option:
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Answer in JSON; lists one object a line.",
    )


class Group(click.Group):
    """A group whose commands are ``Command`` unless they say otherwise.

    One that lists something when no command is named takes the options of such a list.
    """

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.invoke_without_command:
            self.params.extend([*shared_options(), _as_json()])
