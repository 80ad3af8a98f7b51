"""``/api/why``: the passport of one file or photo."""

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from litestar import Request, Router, get
from litestar.params import QueryParameter

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, photo_id, plain_id
from pixsortd.errors import InvalidRequest


def raw_query_value(query: bytes, name: bytes) -> bytes | None:
    """A query parameter as bytes: a path need not be UTF-8, which the framework's own parser assumes."""
    for pair in query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name:
            return unquote_to_bytes(value.replace(b"+", b" "))
    return None


@get("/", summary="Why is this file where it is", sync_to_thread=True)
def why(
    library: Lib,
    request: Request[Any, Any, Any],
    path: Annotated[
        str | None, QueryParameter(description="absolute path, percent-encoded bytes; looked up, never opened")
    ] = None,
    id: Annotated[str | None, QueryParameter(max_length=128, description="id of a photo or of a file entry")] = None,
) -> answers.Why:
    """Every step with reason and time, oldest first."""
    if (path is None) == (id is None):
        raise InvalidRequest("Give either path= or id=")
    if id is not None:
        return present.why(library.why_photo(photo_id(id)) if len(id) == 64 else library.why_file(plain_id(id, "file")))
    exact = raw_query_value(request.scope["query_string"], b"path") or b""
    if not exact.startswith(b"/") or b"\0" in exact or len(exact) > 4096:
        raise InvalidRequest("A path must be absolute", next_step="Give the full path, starting with a slash.")
    return present.why(library.why_path(exact))


router = Router(path="/why", tags=["why"], route_handlers=[why])
