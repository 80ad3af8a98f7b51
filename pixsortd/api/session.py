"""``/api/session``: a cookie in exchange for the token, because ``<img>`` cannot send a header."""

from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody

from pixsortd.api import reports
from pixsortd.api.door import Entrance
from pixsortd.api.guard import facts_of


@get("/", summary="Is a token needed", sync_to_thread=False)
def get_session(request: Request[Any, Any, Any], door: Entrance) -> reports.Session:
    """Whether this daemon wants a token, and whether this client has one. Needs none itself."""
    return reports.Session(required=door.locked, active=door.knows(facts_of(request.scope)))


@post("/", summary="Log in", status_code=200, sync_to_thread=False)
def log_in(
    request: Request[Any, Any, Any], data: JSONBody[reports.LoginBody], door: Entrance
) -> Response[reports.Session]:
    """Set a cookie that stands for the token: for 30 days without use, for 180 at most.

    Wrong tokens make their address wait (429 with Retry-After); other addresses do not wait with it.
    """
    if not door.locked:
        return Response(reports.Session(required=False, active=True))
    facts = facts_of(request.scope)
    refusal = door.try_token(data.token.strip(), facts)
    if refusal is not None:
        raise refusal
    return Response(reports.Session(required=True, active=True), headers={"set-cookie": door.begin_session(facts)})


@delete("/", summary="Log out", status_code=200, sync_to_thread=True)
def log_out(request: Request[Any, Any, Any], door: Entrance) -> Response[reports.Session]:
    """End the session: the cookie is taken back, and any copy of it is worthless."""
    cookie = door.end_session(facts_of(request.scope))
    return Response(reports.Session(required=door.locked, active=not door.locked), headers={"set-cookie": cookie})


router = Router(path="/session", tags=["session"], route_handlers=[get_session, log_in, log_out])
