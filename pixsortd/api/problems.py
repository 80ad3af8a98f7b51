"""Errors as problem details (RFC 9457): the one place where an exception becomes an HTTP answer."""

from collections.abc import Mapping
from functools import singledispatch
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from pixsortd.api import present
from pixsortd.api.answers import FieldProblem, Problem, Room
from pixsortd.api.text import clean
from pixsortd.errors import InvalidRequest, PixsortdError, PlanChanged, RulesNotWritten, RulesRefused

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_PLAIN_DETAIL = {
    404: "There is nothing at this address.",
    405: "This address does not take that method; the Allow header names those it takes.",
}


class NotYet(PixsortdError):
    """The call exists in the design but this version cannot answer it."""

    title, code, status = "Not available yet", "not-yet", 501


class NotReady(PixsortdError):
    """The daemon runs but at least one of its rooms is unwell."""

    title, code, status = "Not ready", "not-ready", 503

    def __init__(self, message: str, rooms: dict[str, Room]) -> None:
        super().__init__(message, next_step="Look at the rooms below and at the log.")
        self.rooms = rooms


class Busy(PixsortdError):
    """More of something is open at once than the daemon allows."""

    title, code, status = "Too many", "busy", 503


class Refusal(PixsortdError):
    """A request that is turned away at the door, before any handler sees it."""

    title, code, status = "Refused", "refused", 400

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        next_step: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.refusal_status = status
        self.refusal_code = code
        self.headers = headers

    def problem(self) -> Problem:
        """The refusal as problem details."""
        return Problem(
            type=problem_type(self.refusal_code),
            title=HTTPStatus(self.refusal_status).phrase,
            status=self.refusal_status,
            detail=self.message,
            next_step=self.next_step,
        )


def problem_type(code: str) -> str:
    """The problem type URI of an error code."""
    return f"urn:pixsortd:problem:{code}"


def encode(problem: Problem) -> bytes:
    """The body of a problem answer."""
    return msgspec.json.encode(problem)


@singledispatch
def _more(_: PixsortdError) -> dict[str, Any]:
    """What an error says beyond words, by field of the answer."""
    return {}


@_more.register
def _(error: NotReady) -> dict[str, Any]:
    return {"rooms": error.rooms}


@_more.register
def _(error: RulesRefused) -> dict[str, Any]:
    return {"problems": [present.rule_problem(one) for one in error.problems]}


@_more.register
def _(error: PlanChanged) -> dict[str, Any]:
    return {"plan": error.plan}


@_more.register
def _(error: RulesNotWritten) -> dict[str, Any]:
    return {"toml": clean(error.toml)}


def of_error(error: PixsortdError) -> Problem:
    """A domain error as problem details."""
    return Problem(
        type=problem_type(error.code),
        title=error.title,
        status=error.status,
        detail=clean(str(error)),
        next_step=clean(error.next_step),
        **_more(error),
    )


def of_validation(error: ValidationException) -> Problem:
    """Parameters or a body that do not fit, field by field."""
    found = error.extra if isinstance(error.extra, list) else []
    fields = [FieldProblem(field=str(one.get("key", "")), message=str(one.get("message", ""))) for one in found]
    return Problem(
        type=problem_type(InvalidRequest.code),
        title=InvalidRequest.title,
        status=InvalidRequest.status,
        detail="A parameter or field does not fit." if fields else clean(error.detail),
        errors=fields,
    )


def of_http(error: HTTPException) -> Problem:
    """An error of the framework: no such route, wrong method, broken JSON."""
    detail = _PLAIN_DETAIL.get(error.status_code, clean(error.detail))
    title = HTTPStatus(error.status_code).phrase
    code = title.lower().replace(" ", "-")
    return Problem(type=problem_type(code), title=title, status=error.status_code, detail=detail)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers) if headers else None
    )


def _on_error(_: Request[Any, Any, Any], error: PixsortdError) -> Response[bytes]:
    return _answer(of_error(error))


def _on_refusal(_: Request[Any, Any, Any], error: Refusal) -> Response[bytes]:
    return _answer(error.problem(), dict(error.headers))


def _on_validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    return _answer(of_validation(error))


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500:
        log.error("request failed", method=request.method, path=request.scope["path"], exc_info=error)
    return _answer(of_http(error), error.headers)


def _on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("request failed", method=request.method, path=request.scope["path"], exc_info=error)
    return _answer(
        Problem(
            type=problem_type("internal"),
            title="Internal error",
            status=500,
            detail=f"Something unexpected went wrong ({type(error).__name__}).",
            next_step="The log of the daemon has the details.",
        )
    )


HANDLERS: ExceptionHandlersMap = {
    Refusal: _on_refusal,
    PixsortdError: _on_error,
    ValidationException: _on_validation,
    HTTPException: _on_http,
    Exception: _on_bug,
}
