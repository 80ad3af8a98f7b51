"""``/api/groups``: look-alike photos, their names, and forming them anew. Members: ``/api/images?group=ID``."""

from litestar import Router, get, patch, post
from litestar.params import FromPath, JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, plain_id
from pixsortd.errors import InvalidRequest


@get("/", summary="List groups", sync_to_thread=True)
def list_groups(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.GroupPage:
    """Groups, largest first."""
    return present.group_page(library.groups(cursor, limit))


@get("/{group_id:str}", summary="One group", sync_to_thread=True)
def get_group(library: Lib, group_id: FromPath[str]) -> answers.Group:
    """A group without its members; those are in the image list with `group`."""
    return present.group(library.group(plain_id(group_id, "group")))


@patch("/{group_id:str}", summary="Name a group", sync_to_thread=True)
def patch_group(library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupPatch]) -> answers.Group:
    """Give a name, or take it back with null. Kept in the decisions log; it survives reclustering."""
    name = None if data.name is None else " ".join(data.name.split())
    if name is not None and not (name and name.isprintable()):
        raise InvalidRequest("A group's name needs at least one visible character, and no control characters")
    return present.group(library.rename_group(plain_id(group_id, "group"), name))


@post("/recluster", summary="Form groups anew", status_code=202, sync_to_thread=True)
def recluster(library: Lib) -> answers.Job:
    """Queue a clustering of the whole library; ids and names stay with the groups they belong to."""
    return present.job(library.recluster())


router = Router(path="/groups", tags=["groups"], route_handlers=[list_groups, get_group, patch_group, recluster])
