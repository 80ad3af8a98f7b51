"""The static page and the interactive docs, built by Vite into one directory.

Only files found in that directory at start are served, by exact name from a table: no request text
ever becomes part of a path.
"""

import hashlib
import mimetypes
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, SkipValidation
from litestar.response.base import ASGIResponse

from pixsortd.api.originals import unchanged
from pixsortd.errors import NotFound
from pixsortd.records import Record

_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"


class PageFile(Record, frozen=True, kw_only=True):
    """One built file."""

    body: bytes
    etag: str
    media_type: str


class Page:
    """The table of built files."""

    def __init__(self, directory: Path, base_path: str = "") -> None:
        self._base = base_path.encode()
        self._files = {
            path.relative_to(directory).as_posix(): path
            for folder, _, names in os.walk(directory)
            for path in (Path(folder, name) for name in names)
            if path.is_file() and not path.is_symlink()
        }
        self._read = lru_cache(maxsize=128)(self._read_once)

    def _read_once(self, name: str) -> PageFile:
        path = self._files[name]
        body = path.read_bytes()
        if path.suffix == ".html":  # every address in it is from the root, the one that tells the page its base too
            body = body.replace(b'="/', b'="' + self._base + b"/")
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return PageFile(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"', media_type=kind)

    def file(self, name: str) -> PageFile:
        """A built file by its name below the directory. Raises NotFound."""
        if not self._files:
            raise NotFound(
                "The page was not built with this installation",
                next_step="Install pixsortd from a release or with pip, which builds it; the API works without.",
            )
        if name not in self._files:
            raise NotFound("There is nothing at this address.")
        return self._read(name)


Built = NamedDependency[SkipValidation[Page]]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="if-none-match")]


def _answer(file: PageFile, if_none_match: str | None, cache_control: str) -> ASGIResponse:
    fresh = unchanged(if_none_match, file.etag, cache_control)
    headers = {"etag": file.etag, "cache-control": cache_control}
    return fresh or ASGIResponse(body=file.body, media_type=file.media_type, headers=headers)


def client_route(page: Built, if_none_match: IfNoneMatch = None) -> ASGIResponse:
    """The page itself; which view it shows is up to its own router."""
    return _answer(page.file("index.html"), if_none_match, _REVALIDATE)


@get("/{name:str}", include_in_schema=False, sync_to_thread=True)
def top_file(page: Built, name: FromPath[str], if_none_match: IfNoneMatch = None) -> ASGIResponse:
    """An icon, the manifest."""
    return _answer(page.file(name), if_none_match, _REVALIDATE)


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=True)
def asset(page: Built, name: FromPath[str], if_none_match: IfNoneMatch = None) -> ASGIResponse:
    """A file whose name holds its content's hash."""
    return _answer(page.file(f"assets/{name}"), if_none_match, _IMMUTABLE)


@get("/docs", include_in_schema=False, sync_to_thread=True)
def docs(page: Built, if_none_match: IfNoneMatch = None) -> ASGIResponse:
    """The interactive API documentation."""
    return _answer(page.file("docs/index.html"), if_none_match, _REVALIDATE)


@get("/docs/{name:str}", include_in_schema=False, sync_to_thread=True)
def docs_file(page: Built, name: FromPath[str], if_none_match: IfNoneMatch = None) -> ASGIResponse:
    """A script or style of the documentation."""
    return _answer(page.file(f"docs/{name}"), if_none_match, _REVALIDATE)


_VIEWS = (
    "/",
    "/overview",
    "/groups",
    "/groups/{group_id:str}",
    "/batches",
    "/batches/{batch:str}",
    "/inbox",
    "/inbox/rules",
    "/inbox/history",
    "/inbox/history/{plan:str}",
    "/photo/{image_id:str}",
    "/trash",
    "/pipeline",
    "/roots",
    "/jobs",
    "/quarantine",
    "/settings",
)
# One handler a path: a handler with several paths and sync_to_thread is wrapped once too often by Litestar 2.25.
ROUTES = [
    *(get(view, include_in_schema=False, sync_to_thread=True)(client_route) for view in _VIEWS),
    top_file,
    asset,
    docs,
    docs_file,
]
