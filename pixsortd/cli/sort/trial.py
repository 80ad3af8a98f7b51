"""Trying the rules on photos that are in the library."""

from typing import Any

import click

from pixsortd.cli import jobs, out, shell
from pixsortd.cli.sort import told

Json = dict[str, Any]


@click.command(cls=shell.Reading)
@click.option("--since", metavar="DATE", help="Only on photos taken or arrived since: 2024-01-01.")
@click.option("--last", is_flag=True, help="Show what the last trial found, without another.")
@shell.pass_session
def replay(session: shell.Session, since: str | None, last: bool) -> None:
    """Try the rules on the whole library: how many photos they take, and how many lie there already.

    Nothing is moved.
    """
    if last and since:
        raise click.UsageError("Give either --since or --last.")
    if not last:
        jobs.finish(session, session.daemon.replay(since))
    found = session.daemon.replayed()
    if session.json:
        out.record(found)
    elif found["at"] is None:
        session.talk("No rules were tried yet.")
    else:
        _told(session, found)


def _told(session: shell.Session, found: Json) -> None:
    out.table(("rule", "photos"), [*found["matched"].items(), ("no rule", found["unmatched"])], right=(1,))
    out.line()
    if found["directories"]:
        out.table(
            ("photos", "directory"), [(count, place) for place, count in found["directories"].items()], right=(0,)
        )
        out.line()
    for one in found["examples"]:
        out.line(f"{out.safe(one['now'])}  [{out.safe(one['rule'])}]")
        out.line(f"  → {out.safe(one['would'])}")
    taken = found["agree"] + found["differ"]
    share = f" ({found['agree'] / taken:.0%})" if taken else ""
    session.talk(
        f"{told.photos(found['photos'])} tried, {out.instant(found['at'])}: {taken} taken by rules, of which"
        f" {found['agree']}{share} lie there already and {found['differ']} lie elsewhere"
    )


COMMANDS = (replay,)
