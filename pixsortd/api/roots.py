"""``/api/roots``: the photo directories, their state and ledger."""

from litestar import Router, get, post
from litestar.params import FromPath

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, plain_id


@get("/", summary="List roots", sync_to_thread=False)
def list_roots(library: Lib) -> answers.RootPage:
    """Every configured root with state, watcher and ledger."""
    return present.root_page(library.roots())


@post("/{root_id:str}/scan", summary="Scan a root", status_code=202, sync_to_thread=False)
def scan_root(library: Lib, root_id: FromPath[str]) -> answers.Job:
    """Compare the whole directory with the index now."""
    return present.job(library.scan(plain_id(root_id, "root")))


@post("/{root_id:str}/confirm-gone", summary="Yes, they are gone", status_code=200, sync_to_thread=True)
def confirm_gone(library: Lib, root_id: FromPath[str]) -> answers.GoneAnswer:
    """Believe that the files missing from a waiting root were deleted. Ratings and names are kept."""
    root = plain_id(root_id, "root")
    return answers.GoneAnswer(root=root, files=library.confirm_gone(root))


router = Router(path="/roots", tags=["roots"], route_handlers=[list_roots, scan_root, confirm_gone])
