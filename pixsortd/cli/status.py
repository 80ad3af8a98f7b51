"""``pixsortd status``: the daemon in one look."""

from typing import Any

import click

from pixsortd.cli import out, shell, stages

Json = dict[str, Any]


@click.command(cls=shell.Reading)
@shell.pass_session
def status(session: shell.Session) -> None:
    """Show roots, ledger, queue, worker and models of the daemon, or of its last run when it is down."""
    answer = session.source.status()
    if session.json:
        out.record(answer)
    else:
        show(answer)


def show(answer: Json) -> None:
    """The answer of the API in words."""
    up = f", up {out.span(answer['uptime'])}" if answer.get("uptime") else ""
    process = f"process {answer['pid']}{up}" if answer["pid"] else "not running"
    out.line(f"pixsortd {answer['version']}, {process}")
    for notice in answer["notices"]:
        out.reason(notice, "! ")
    out.line()
    roots(answer["roots"])
    out.line()
    index, queue, worker = answer["index"], answer["queue"], answer["worker"]
    out.line(f"photos    {index['photos']} in {index['groups']} groups ({index['grouped']} grouped); {free(index)}")
    out.line(f"queue     {waiting(queue)}")
    for stage in answer["stages"]:
        if stage["depth"] or stage["paused"]:
            out.line(f"{stage['name']:<9} {stages.line(stage)}")
    out.line(f"worker    {' on '.join(part for part in (worker['state'], worker['device']) if part)}{crashes(worker)}")
    out.reason(worker["reason"], " " * 10)
    abilities("spaces", answer["spaces"], in_use=answer["space"])
    abilities("metrics", answer["metrics"])
    for job in answer["jobs"]:
        out.line(f"job       {job['kind']} {job['state']} {job['done']}/{job['total']} ({job['id']})")


def roots(given: list[Json]) -> None:
    """The roots with their ledgers, and why one is not online or not watched by events."""
    if not given:
        out.line("No photo directory is configured: `pixsortd run PATH` adds one, `pixsortd init PATH` for good.")
        return
    columns = ("on_disk", "indexed", "excluded", "pending", "failed", "away")
    out.table(
        ("root", "path", "role", "state", "watch", *(name.replace("_", " ") for name in columns)),
        [
            (
                one["id"],
                one["path"],
                one["role"],
                one["state"],
                one["watch"],
                *(one["ledger"][name] for name in columns),
            )
            for one in given
        ],
        right=range(5, 11),
    )
    for one in given:
        if one["reason"] or one["watch_reason"]:
            out.line(out.safe(one["path"]))
            out.reason(one["reason"])
            out.reason(one["watch_reason"])
        if one["missing"]:
            out.line(f"  {one['missing']} files are missing; if for good: `pixsortd roots confirm-gone {one['id']}`")


def waiting(queue: Json) -> str:
    """What the queue holds."""
    return f"{queue['ready']} ready, {queue['settling']} settling, {queue['in_flight']} in analysis"


def crashes(worker: Json) -> str:
    """How often the worker died, if it did."""
    return f", {worker['crashes']} crashes since start" if worker["crashes"] else ""


def free(index: Json) -> str:
    """Sizes of the index and of what is left for it."""
    return f"index {out.size(index['bytes'])}, {out.size(index['free'])} free"


def abilities(title: str, given: list[Json], in_use: str = "") -> None:
    """Configured spaces or metrics, each with why it is not there."""
    words = []
    for one in given:
        mark = " (in use)" if one["name"] == in_use else ""
        words.append(f"{one['name']} {out.state(one['state'])}{mark}")
    out.line(f"{title:<9} {', '.join(words) or 'none'}")
    for one in given:
        out.reason(one["reason"], " " * 10)
