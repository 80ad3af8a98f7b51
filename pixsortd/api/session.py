"""``/api/session``: a cookie in exchange for the token, because ``<img>`` cannot send a header."""

import time
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from pixsortd.api import reports, sessions
from pixsortd.api.perimeter import Perimeter, has_token
from pixsortd.api.problems import Refusal

Rules = NamedDependency[SkipValidation[Perimeter]]


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=sessions.COOKIE, value=value, max_age=seconds, path="/", httponly=True, samesite="strict")


@get("/", summary="Is a token needed", sync_to_thread=False)
def get_session(request: Request[Any, Any, Any], perimeter: Rules) -> reports.Session:
    """Whether this daemon wants a token, and whether this client has one. Needs none itself."""
    token = perimeter.token
    active = token is None or has_token(list(request.scope["headers"]), token, time.time())
    return reports.Session(required=token is not None, active=active)


@post("/", summary="Log in", status_code=200, sync_to_thread=False)
def log_in(data: JSONBody[reports.LoginBody], perimeter: Rules) -> Response[reports.Session]:
    """Set a cookie that stands for the token for 30 days."""
    token = perimeter.token
    if token is None:
        return Response(reports.Session(required=False, active=True))
    if not sessions.same(data.token.strip(), token):
        raise Refusal(
            401,
            "wrong-token",
            "That is not this daemon's token.",
            next_step="It is in the file that token_file names, else in the state directory.",
        )
    cookie = _cookie(sessions.mint(token, time.time()), sessions.LIFETIME)
    return Response(reports.Session(required=True, active=True), cookies=[cookie])


@delete("/", summary="Log out", status_code=200, sync_to_thread=False)
def log_out(perimeter: Rules) -> Response[reports.Session]:
    """Take the cookie back."""
    required = perimeter.token is not None
    return Response(reports.Session(required=required, active=not required), cookies=[_cookie("", 0)])


router = Router(path="/session", tags=["session"], route_handlers=[get_session, log_in, log_out])
