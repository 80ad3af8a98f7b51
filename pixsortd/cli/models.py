"""``pixsortd models``: which weights are here, and fetching the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from pixsortd.cli import out, shell

if TYPE_CHECKING:
    from pixsortd.analyze.models import ModelEntry, Progress

HERE = {True: "yes", False: "no", None: "when tried"}


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List models and metrics with size and licence; fetch weights."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models.command("list", cls=shell.Reading)
@shell.pass_session
def list_models(session: shell.Session) -> None:
    """List the configured spaces and metrics first, then the others known by name."""
    from pixsortd.analyze.models import models_list

    session.log_to_stderr()
    show(session, models_list(session.loaded.settings))


@models.command(cls=shell.Reading)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@shell.pass_session
def pull(session: shell.Session, names: tuple[str, ...]) -> None:
    """Fetch the weights of each NAME, or without one of everything configured that is missing.

    The only command that uses the network. A download that was broken off goes on where it stopped.
    """
    from pixsortd.analyze.models import models_pull
    from pixsortd.cli.bars import bars

    session.log_to_stderr()
    told: set[str] = set()
    with bars(session, of_bytes=True) as bar:

        def watch(progress: Progress) -> None:
            title = f"{progress.name}: {progress.file}"
            if title not in told:
                told.add(title)
                session.talk(announced(progress))
            bar(title, progress.done, progress.total)

        entries = models_pull(session.loaded.settings, names, watch)
    show(session, entries)
    session.talk("All there." if told else "Nothing had to be fetched.")


def announced(progress: Progress) -> str:
    """What is about to be fetched, from where and under which licence."""
    size = out.size(progress.total) if progress.total else "size unknown"
    source = f" from {progress.repo}" if progress.repo else ""
    return f"{progress.name}: {progress.file}{source}, {size}, licence: {progress.license or 'see its source'}"


def show(session: shell.Session, entries: Iterable[ModelEntry]) -> None:
    """Entries as lines of JSON, or as a table with the reasons of the configured ones below."""
    entries = list(entries)
    if session.json:
        for one in entries:
            out.record(plain(one))
        return
    rows = [
        (
            one.name,
            one.kind,
            "yes" if one.configured else "",
            HERE[one.present],
            out.size(one.size) if one.size else "",
            f"{one.license}{' (to be accepted first)' if one.gated else ''}",
        )
        for one in entries
    ]
    out.table(("name", "kind", "configured", "here", "size", "licence"), rows, right=(4,))
    for one in entries:
        if one.configured and one.reason:
            out.line(one.name)
            out.reason({"message": one.reason.message, "next_step": one.reason.next_step})


def plain(entry: ModelEntry) -> dict[str, object]:
    """An entry with every field, as JSON holds it."""
    import msgspec

    fields = msgspec.structs.asdict(entry)
    return fields | {"reason": msgspec.structs.asdict(entry.reason) if entry.reason else None}
