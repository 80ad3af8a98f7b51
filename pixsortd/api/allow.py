"""OPTIONS: which methods an address takes. No other site is ever granted anything by it."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

_NO_METHOD = "NONE"


class Allow:
    """ASGI middleware at the router, whose own answer leaves out methods of handlers that share a path.

    The router's refusal of a method that no handler takes names them all, so OPTIONS is asked that way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS with 204 and the ``Allow`` header; pass everything else on."""
        if scope.get("method") != "OPTIONS":
            await self._app(scope, receive, send)
            return
        refused = False

        async def send_methods(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 405:
                refused = True
                allowed = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
                await send({"type": "http.response.start", "status": 204, "headers": allowed})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif not refused:
                await send(message)

        await self._app({**scope, "method": _NO_METHOD}, receive, send_methods)  # type: ignore[arg-type]
