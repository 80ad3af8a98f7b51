"""Groups: the list, one of them, its name, its ranking, and forming them anew."""

from litestar import get, patch, post
from litestar.params import FromPath, JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, RankBy, plain_id
from pixsortd.api.text import visible


@get("/", summary="List groups", sync_to_thread=True)
def list_groups(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.GroupPage:
    """Groups, largest first."""
    return present.group_page(library.groups(cursor, limit), library.curation.waiting())


@get("/{group_id:str}", summary="One group", sync_to_thread=True)
def get_group(library: Lib, group_id: FromPath[str]) -> answers.Group:
    """A group without its members; those are in the image list with `group`."""
    return present.group(library.group(plain_id(group_id, "group")), library.curation.waiting())


@patch("/{group_id:str}", summary="Name a group", sync_to_thread=True)
def patch_group(library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupPatch]) -> answers.NamedGroup:
    """Give a name, or take it back with null. It survives reclustering, and is an edit that can be undone."""
    name = None if data.name is None else visible(data.name, "A group's name")
    named = library.curation.rename(plain_id(group_id, "group"), name)
    return present.named_group(named, library.curation.waiting())


@post("/recluster", summary="Form groups anew", status_code=202, sync_to_thread=True)
def recluster(library: Lib) -> answers.Job:
    """Queue a clustering of the whole library; ids and names stay with the groups they belong to."""
    return present.job(library.recluster())


@post("/{group_id:str}/rank", summary="Rank a group", status_code=200, sync_to_thread=True)
def rank_group(library: Lib, group_id: FromPath[str], metric: RankBy) -> answers.Ranking:
    """Photos from best to worst in the metric's own direction; missing scores are computed by the job it names."""
    return present.ranking(library.quality.rank(plain_id(group_id, "group"), metric))


HANDLERS = (list_groups, get_group, patch_group, recluster, rank_group)
