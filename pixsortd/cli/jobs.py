"""Waiting for a job that a command started."""

import time
from collections.abc import Callable
from typing import Any

from pixsortd.cli import out, shell
from pixsortd.cli.bars import bars
from pixsortd.errors import PixsortdError

Json = dict[str, Any]

OVER = frozenset({"complete", "failed", "cancelled"})
PAUSE = 0.5


def follow(session: shell.Session, job: Json, wait: bool, pause: Callable[[float], None] = time.sleep) -> None:
    """Tell of a started job; with ``wait`` until it is over. Raises PixsortdError when it failed."""
    with bars(session) as show:
        while wait and job["state"] not in OVER:
            show(job["kind"], job["done"], job["total"] or None)
            pause(PAUSE)
            job = session.daemon.job(job["id"])
    if session.json:
        out.record(job)
    else:
        session.talk(f"{job['kind']} {job['state']} (job {job['id']}){': ' + job['detail'] if job['detail'] else ''}")
    if job["state"] == "failed":
        raise PixsortdError(f"{job['kind']} failed: {job['error']}", next_step="The daemon's log says more.")
