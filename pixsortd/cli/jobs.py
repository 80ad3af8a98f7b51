"""Waiting for a job that a command started."""

import time
from typing import Any

from pixsortd.cli import out, shell
from pixsortd.cli.bars import bars
from pixsortd.errors import PixsortdError

Json = dict[str, Any]

OVER = frozenset({"complete", "failed", "cancelled"})
PAUSE = 0.5


def follow(session: shell.Session, job: Json, wait: bool) -> None:
    """Tell of a started job; with ``wait`` once it is over. Raises PixsortdError when it failed."""
    job = _over(session, job) if wait else job
    if session.json:
        out.record(job)
    else:
        session.talk(f"{job['kind']} {job['state']} (job {job['id']}){': ' + job['detail'] if job['detail'] else ''}")
    _well(job)


def finish(session: shell.Session, job: Json) -> None:
    """Return when a job is over, for commands that tell what it did. Raises PixsortdError when it failed."""
    _well(_over(session, job))


def _over(session: shell.Session, job: Json) -> Json:
    with bars(session) as show:
        while job["state"] not in OVER:
            show(job["kind"], job["done"], job["total"] or None)
            time.sleep(PAUSE)
            job = session.daemon.job(job["id"])
    return job


def _well(job: Json) -> None:
    if job["state"] == "failed":
        raise PixsortdError(f"{job['kind']} failed: {job['error']}", next_step="The daemon's log says more.")
