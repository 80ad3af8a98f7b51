"""Before every request: asks `perimeter` and `door`, reads a small body within limits, and lets it in."""

import asyncio
import time
from typing import Any

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from pixsortd.api import problems
from pixsortd.api.below import OUTSIDE
from pixsortd.api.bodies import BodyMemory, BodyRule, Share, rule_for
from pixsortd.api.door import Door
from pixsortd.api.perimeter import WRITES, Facts, judge
from pixsortd.api.problems import Refusal

BODY_TIME = 10.0
"""Seconds a client has to send its whole body."""
_UNREADABLE = frozenset({400, 408})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


def facts_of(scope: Scope) -> Facts:
    """The facts of an ASGI request that decide about it."""
    raw = scope.get("raw_path") or scope["path"].encode()
    host, port = scope.get("server") or ("", 0)
    return Facts(
        method=str(scope.get("method", "")),
        path=raw.partition(b"?")[0],
        headers=[(name.lower(), value) for name, value in scope["headers"]],
        server=(host, port or 0),
        now=time.time(),
        client=(scope.get("client") or ("", 0))[0],
        outside=OUTSIDE in scope,
    )


async def refuse(send: Send, refusal: Refusal) -> None:
    """Answer with problem details and nothing else; what cannot be read as a request ends its connection."""
    problem = refusal.problem()
    body = problems.encode(problem)
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        *((name.encode(), value.encode()) for name, value in refusal.headers),
        *([(b"connection", b"close")] if problem.status in _UNREADABLE else []),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _read_body(receive: Receive, rule: BodyRule, share: Share) -> bytes | Refusal | None:
    """The whole body, a refusal, or None when the client left."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIME):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                if rule.max_bytes is not None and len(body) + len(message["body"]) > rule.max_bytes:
                    return rule.too_large()
                refusal = share.take(len(message["body"]))
                if refusal is not None:
                    return refusal
                body += message["body"]
                if not message["more_body"]:
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, "body-too-slow", f"The request body did not arrive within {BODY_TIME:.0f} seconds.")


def _check_json(body: bytes) -> Refusal | None:
    """Bytes that are no JSON are turned away here: the framework answers some of them as if they were our bug."""
    try:
        if body:
            msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(400, "malformed-json", "The request body is not JSON.")
    return None


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def receive_again() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _with_cookie(send: Send, cookie: str) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start" and not any(
            name == b"set-cookie" for name, _ in message["headers"]
        ):
            message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
        await send(message)

    return send_with_cookie


class Guard:
    """ASGI middleware in front of the router, so that nothing is routed that was not judged."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door
        self._memory = BodyMemory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request, then pass it on or refuse it."""
        facts = facts_of(scope)
        refusal = judge(facts, self._door.rules) or self._door.judge(facts)
        rule = rule_for(facts.method, facts.path)
        with self._memory.share() as share:
            if refusal is None and facts.method not in _BODILESS and not rule.streamed:
                body = await _read_body(receive, rule, share)
                if body is None:
                    return
                if isinstance(body, Refusal):
                    refusal = body
                else:
                    refusal = _check_json(body) if facts.method in WRITES else None  # others' bodies are not read
                    receive = _replay(body, receive)
            if refusal is not None:
                await refuse(send, refusal)
            else:
                renewed = self._door.renew_session(facts)
                await self._app(scope, receive, _with_cookie(send, renewed) if renewed else send)
