"""``pixsortd quarantine``: files that could not be analysed."""

import click

from pixsortd.cli import out, shell


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def quarantine(context: click.Context) -> None:
    """List files that could not be analysed, with the reason; try one again."""
    if context.invoked_subcommand is None:
        context.invoke(list_failed)


@quarantine.command("list", cls=shell.Reading)
@shell.pass_session
def list_failed(session: shell.Session) -> None:
    """List the failed files, newest first."""
    for one in session.source.quarantine():
        if session.json:
            out.record(one)
        else:
            out.line(f"{one['id']}  {out.safe(one['path'])}")
            out.reason(one["reason"])


@quarantine.command(cls=shell.Reading)
@click.argument("files", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every failed file.")
@shell.pass_session
def retry(session: shell.Session, files: tuple[str, ...], everything: bool) -> None:
    """Queue failed files (by their ids in the list) again."""
    if bool(files) == everything:
        raise click.UsageError("Give either ids or --all.")
    chosen = [one["id"] for one in session.daemon.quarantine()] if everything else list(files)
    answer: dict[str, list[str]] = {"queued": [], "unknown": []}
    for start in range(0, len(chosen), 500):
        part = session.daemon.retry(chosen[start : start + 500])
        answer = {key: answer[key] + part[key] for key in answer}
    if session.json:
        out.record(answer)
    else:
        session.talk(
            f"{len(answer['queued'])} queued" + (f", unknown: {answer['unknown']}" if answer["unknown"] else "")
        )
    if answer["unknown"]:
        from pixsortd.errors import NotFound

        raise NotFound(f"{len(answer['unknown'])} of these files are not in quarantine")
