"""Puts the API together: routes behind the door, inside the frame."""

from pathlib import Path

from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from pixsortd.api import schema
from pixsortd.api.allow import Allow
from pixsortd.api.below import entered
from pixsortd.api.door import Door
from pixsortd.api.frame import Frame
from pixsortd.api.guard import Guard
from pixsortd.api.numbers import Numbers
from pixsortd.api.page import Page
from pixsortd.api.perimeter import Perimeter
from pixsortd.api.ports import Library
from pixsortd.api.routes import assemble
from pixsortd.api.sessions import Sessions
from pixsortd.api.streams import Streams
from pixsortd.api.upload_writer import UploadSlots
from pixsortd.config import ApiSettings

PAGE = Path(__file__).with_name("page")
"""Where the package build puts the page."""


class App:
    """The ASGI application."""

    def __init__(self, library: Library, door: Door, page_dir: Path) -> None:
        self._door = door
        self._streams = Streams()
        self._slots = UploadSlots()
        measured = Numbers()
        given = {
            "library": library,
            "streams": self._streams,
            "numbers": measured,
            "page": Page(page_dir, door.rules.base_path),
            "door": door,
            "slots": self._slots,
        }
        self._litestar = assemble(given, more=schema.ROUTES)
        self._http = Frame(Guard(Allow(self._litestar), door), measured.observe)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == ScopeType.HTTP:
            await self._http(entered(scope, self._door.rules.base_path), receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 1003, "reason": "no websockets here"})
        else:
            await self._litestar(scope, receive, send)

    def change_token(self, token: str | None) -> None:
        """Take over another token: sessions and event streams of the one before end."""
        self._door.change_token(token)
        self._streams.renew()

    def close_streams(self) -> None:
        """End every event stream and upload, so that a shutdown does not wait for browsers."""
        self._streams.close()
        self._slots.close()


def create_app(
    library: Library, settings: ApiSettings, token: str | None, page_dir: Path = PAGE, sessions: Path | None = None
) -> App:
    """The application for one bind address; with a token, every call of the API needs it.

    ``sessions`` is the file in which logins outlive a restart; None keeps them in memory.
    """
    return App(library, Door(Perimeter.of(settings), token, Sessions(sessions)), page_dir)
