"""What every answer gets, whoever made it: security headers, a date, HEAD, a log line for the numbers."""

import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEAD = "pixsortd.head"
"""Set in the scope of a HEAD request, which handlers see as GET, so that they can skip costly bodies."""

Observe = Callable[[str, str, int, float], None]
"""Called after each answer with method, route template, status and seconds until its first byte."""

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
CSP = (b"content-security-policy", _CSP.encode())
# The interactive docs set style attributes; nothing else about them is laxer.
DOCS_CSP = (b"content-security-policy", _CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").encode())


def headers_for(path: str, given: list[tuple[bytes, bytes]], date: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer: what its maker gave, and what none may lack."""
    csp = DOCS_CSP if path == "/docs" or path.startswith("/docs/") else CSP
    headers = [*given, *_FIXED, csp, (b"date", date.encode())]
    if not any(name.lower() == b"cache-control" for name, _ in given):
        headers.append((b"cache-control", b"no-store"))
    return headers


class Frame:
    """ASGI middleware around everything, refusals and unknown routes included."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe
        self._date = (0, "")

    def _now(self) -> str:
        second = int(time.time())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method, path, began = str(scope.get("method", "")), scope["path"], time.perf_counter()
        status = 500
        details: dict[str, Any] = scope  # type: ignore[assignment]
        head = method == "HEAD"
        if head:
            details["method"] = "GET"
            details[HEAD] = True

        async def receive_nothing() -> Any:
            return {"type": "http.disconnect"}

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._observe(method, scope.get("path_template", "none"), status, time.perf_counter() - began)
                message["headers"] = headers_for(path, list(message["headers"]), self._now())
                await send(message)
                if head:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif not head:
                await send(message)

        await self._app(scope, receive_nothing if head else receive, send_framed)
