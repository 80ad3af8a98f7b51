"""Serves the app with uvicorn, without uvicorn's ten wake-ups a second and with limits on slow clients."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pixsortd.api import problems
from pixsortd.api.app import App
from pixsortd.api.perimeter import MAX_HEAD, is_loopback
from pixsortd.api.problems import Refusal
from pixsortd.errors import ConfigError

log = structlog.get_logger()

HEAD_TIME = 10.0
"""Seconds a client has to send a request's head."""
READ_TIME = 60.0
"""Seconds a client may go without taking any of an answer that waits for it."""
MOST_CONNECTIONS = 400
"""Connections open at once; file descriptors are needed for photos too."""
GRACE = 1
"""Seconds that running answers have to finish at shutdown."""

_BIND_ADVICE = {
    errno.EADDRINUSE: ("the port is in use", "Is pixsortd running already? Otherwise choose another port in [api]."),
    errno.EACCES: ("this user may not use that port", "Choose a port above 1023 in the [api] section."),
    errno.EADDRNOTAVAIL: ("this machine has no such address", "Correct host in the [api] section."),
}


class _Protocol(H11Protocol):
    """HTTP/1.1 that drops clients which open a connection and do not get to the point, or do not listen.

    When all connections are taken, the one that has been without a request for longest makes room:
    many slow clients at once then only drop one another, and somebody who asks is answered.
    """

    waiting_since = 0.0
    head_timer: asyncio.TimerHandle | None = None
    read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waiting_since = self.loop.time()
        if len(self.connections) > MOST_CONNECTIONS and not self._make_room():
            self._turn_away(Refusal(503, "busy", "Too many connections are open.", next_step="Try again in a moment."))
            return
        self._watch_head()

    def _make_room(self) -> bool:
        """Close the connection that has been without a request for longest; False when all have one."""
        waiting = [one for one in self.connections if isinstance(one, _Protocol) and one is not self and one.is_waiting]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda one: one.waiting_since)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered on this connection."""
        return self.cycle is None or self.cycle.response_complete

    def on_response_complete(self) -> None:
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client takes less than it is sent: it has `READ_TIME` to take some."""
        super().pause_writing()
        if self.read_timer is None:
            self.read_timer = self.loop.call_later(READ_TIME, self.transport.abort)

    def resume_writing(self) -> None:
        """The client took what waited for it."""
        super().resume_writing()
        if self.read_timer is not None:
            self.read_timer.cancel()
            self.read_timer = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        if self.read_timer is not None:
            self.read_timer.cancel()
        super().connection_lost(exc)

    def _stop_watching(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _watch_head(self) -> None:
        if not self.is_waiting:
            self._stop_watching()
        elif self.head_timer is None and not self.transport.is_closing():
            self.head_timer = self.loop.call_later(HEAD_TIME, self._head_is_late)

    def _head_is_late(self) -> None:
        self.head_timer = None
        if not self.transport.is_closing():
            self._turn_away(Refusal(408, "head-too-slow", "The request did not arrive in time."))

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for a request that is no HTTP: our problem details instead of its text."""
        self._turn_away(Refusal(400, "malformed-request", msg))

    def _turn_away(self, refusal: Refusal) -> None:
        body = problems.encode(refusal.problem())
        headers = [
            ("content-type", problems.MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        with contextlib.suppress(h11.LocalProtocolError):  # an answer is under way already: just close
            answer = h11.Response(status_code=refusal.refusal_status, headers=headers)
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if not self.is_waiting:  # a handler may be at work on the part that looked like a request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


class _Server(uvicorn.Server):
    """Waits for an event instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config, app: App, stop: asyncio.Event, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._stop = stop
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the daemon."""
        yield

    async def main_loop(self) -> None:
        """Until stopped; then event streams end before the connections do."""
        self._on_started()
        await self._stop.wait()
        self._app.close_streams()


def _listen(host: str, port: int) -> list[socket.socket]:
    """Bound and listening sockets for a host and port. Raises ConfigError."""
    where = f"{host or '*'}:{port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigError(
            f"cannot listen on {where}: the host name is unknown", next_step="Correct host in the [api] section."
        ) from error
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # A host with several addresses gets the same free port on each.
            chosen = port or (sockets[0].getsockname()[1] if len(sockets) > 1 else 0)
            one.bind((address[0], chosen, *address[2:]))
            one.setblocking(False)
    except OSError as error:
        for one in sockets:
            one.close()
        what, advice = _BIND_ADVICE.get(error.errno or 0, (error.strerror or str(error), "Look at the [api] section."))
        raise ConfigError(f"cannot listen on {where}: {what}", next_step=advice) from error
    return sockets


def address_of(listener: socket.socket) -> str:
    """The URL under which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - a wildcard is reached through loopback
        host = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(app: App, host: str, port: int, on_bound: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set; port 0 takes a free one.

    ``on_bound`` is called once with the URL when requests are answered. On stop, event streams are
    ended, running answers get `GRACE` seconds, then everything is closed. Raises ConfigError when
    the address cannot be used.
    """
    listeners = _listen(host, port)
    url = address_of(listeners[0])
    config = uvicorn.Config(
        app,
        loop="none",
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=MAX_HEAD,
    )

    def started() -> None:
        log.info("listening", url=url, loopback=is_loopback(host))
        on_bound(url)

    await _Server(config, app, stop, started).serve(sockets=listeners)
