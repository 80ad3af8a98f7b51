"""``/api/status`` and the health questions."""

import time

import structlog
from litestar import Router, get

from pixsortd.api import answers, present, reports
from pixsortd.api.parameters import Lib
from pixsortd.api.ports import Ping
from pixsortd.api.problems import NotReady
from pixsortd.records import Reason

log = structlog.get_logger()


@get("/status", summary="The daemon in one look", sync_to_thread=True)
def status(library: Lib) -> reports.Status:
    """Version, uptime, roots, queue, worker, index, spaces and metrics, running jobs, notices."""
    return present.status(library.status(), time.time())


@get("/live", summary="Is the process alive", sync_to_thread=False)
def live() -> reports.Live:
    """Answers as long as the event loop turns. Needs no token."""
    return reports.Live(status="ok")


def _ask(name: str, ping: Ping) -> answers.Room:
    try:
        reason = ping()
    except Exception as error:
        log.warning("health question failed", room=name, exc_info=error)
        reason = Reason(code="ping-failed", message=f"{type(error).__name__} while asking")
    return answers.Room(ok=reason is None, reason=present.reason(reason))


@get("/ready", summary="Is every room well", sync_to_thread=False)
def ready(library: Lib) -> reports.Ready:
    """200 when every room answers, else 503 with what each said.

    It tells about the machine, so where the daemon has a token it needs that; a container's health check
    asks ``/health/live``, which is open to all.
    """
    rooms = {name: _ask(name, ping) for name, ping in library.pings().items()}
    unwell = sorted(name for name, room in rooms.items() if not room.ok)
    if unwell:
        raise NotReady(f"Not well: {', '.join(unwell)}", rooms)
    return reports.Ready(status="ok", rooms=rooms)


router = Router(path="/health", tags=["health"], route_handlers=[live, ready])
short_router = Router(path="/health", include_in_schema=False, route_handlers=[live, ready])
