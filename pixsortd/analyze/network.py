"""The switch for what model libraries fetch behind one's back.

pyiqa and torch fetch missing files with ``urllib`` while a model is being built. Here such a fetch
is either refused at once, or answered with a file that our own downloader fetched and checked.
The hub's library has its own switch, ``HF_HUB_OFFLINE``, which the worker sets before it starts.
"""

import contextlib
import os
import urllib.error
import urllib.request
import urllib.response
from collections.abc import Callable, Iterator
from email.message import Message

Fetch = Callable[[str], str]
"""A file's URL to the path of the file."""


class Refused(urllib.error.URLError):
    """A library wanted ``url`` while the network is not wanted."""

    def __init__(self, url: str) -> None:
        super().__init__("not fetched: models are only fetched by `pixsortd models pull`")
        self.url = url


def refuse(url: str) -> str:
    """The :data:`Fetch` that never fetches."""
    raise Refused(url)


class _Answer(urllib.request.BaseHandler):
    handler_order = 0

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def default_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:
        """Stands before every protocol's own handler."""
        path = self._fetch(request.full_url)
        headers = Message()
        headers["Content-Length"] = str(os.path.getsize(path))
        file = open(path, "rb")  # noqa: SIM115 - closed by whoever reads the response
        return urllib.response.addinfourl(file, headers, request.full_url, 200)


@contextlib.contextmanager
def answered_by(fetch: Fetch) -> Iterator[None]:
    """While inside, every ``urllib.request.urlopen`` of this process is answered by ``fetch``."""
    opener = urllib.request.OpenerDirector()
    opener.add_handler(_Answer(fetch))
    urllib.request.install_opener(opener)
    try:
        yield
    finally:
        urllib.request.install_opener(urllib.request.build_opener())


def refused() -> contextlib.AbstractContextManager[None]:
    """While inside, every ``urllib.request.urlopen`` of this process raises :class:`Refused`."""
    return answered_by(refuse)
