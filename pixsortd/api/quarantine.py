"""``/api/quarantine``: files that could not be analysed, each with its reason."""

from litestar import Router, get, post
from litestar.params import JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, plain_id
from pixsortd.errors import NotFound


@get("/", summary="List quarantined files", sync_to_thread=True)
def list_quarantine(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.FilePage:
    """Failed files, newest first."""
    return present.file_page(library.quarantine(cursor, limit))


def _queue(library: Lib, file: str) -> bool:
    try:
        return library.retry(plain_id(file, "file"))
    except NotFound:
        return False


@post("/retry", summary="Try files again", status_code=202, sync_to_thread=True)
def retry(library: Lib, data: JSONBody[answers.RetryBody]) -> answers.RetryAnswer:
    """Queue failed files again by the `id` of their entries."""
    wanted = list(dict.fromkeys(data.ids))
    queued = [one for one in wanted if _queue(library, one)]
    return answers.RetryAnswer(queued=queued, unknown=[one for one in wanted if one not in queued])


router = Router(path="/quarantine", tags=["quarantine"], route_handlers=[list_quarantine, retry])
