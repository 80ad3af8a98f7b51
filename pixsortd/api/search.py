"""``/api/search``: photos like a photo."""

from typing import Annotated

from litestar import Router, get
from litestar.params import QueryParameter

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, Limit, photo_id
from pixsortd.api.problems import NotYet
from pixsortd.errors import InvalidRequest


@get("/", summary="Find photos like one", sync_to_thread=True)
def search(
    library: Lib,
    like: Annotated[str | None, QueryParameter(max_length=64, description="id of a photo")] = None,
    q: Annotated[
        str | None, QueryParameter(max_length=500, description="text; answered with 501 in this version")
    ] = None,
    limit: Limit = 50,
) -> answers.SimilarPage:
    """Nearest photos by cosine in the space in use, without the one asked about."""
    if q is not None:
        raise NotYet("Search by text is not there yet", next_step="Search by photo with like=ID.")
    if like is None:
        raise InvalidRequest("Nothing to search for", next_step="Add like=ID.")
    return present.similar_page(library.similar(photo_id(like), limit))


router = Router(path="/search", tags=["search"], route_handlers=[search])
