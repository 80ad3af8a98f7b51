"""``/api/trash``: deleted photos, bringing them back, and deleting them for good."""

from litestar import Router, get, post
from litestar.params import JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, photo_ids, plain_id


@get("/", summary="List the trash", sync_to_thread=True)
def list_trash(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.TrashPage:
    """Newest first, with the size of all of it."""
    return present.trash_page(library.trash.list(cursor, limit))


@post("/", summary="Delete many photos", status_code=200, sync_to_thread=True)
def discard_images(library: Lib, data: JSONBody[answers.IdsBody]) -> answers.TrashedList:
    """Move photos to the trash; each answers for itself, with the reason where it stays."""
    return present.trashed_list(library.trash.discard_many(photo_ids(data.ids)))


@post("/restore", summary="Bring files back", status_code=200, sync_to_thread=True)
def restore_files(library: Lib, data: JSONBody[answers.RestoreBody]) -> answers.RestoredList:
    """To where they were; under another name where that one is taken."""
    return present.restored_list(library.trash.restore([plain_id(one, "file in the trash") for one in data.ids]))


@post("/purge", summary="Delete for good", status_code=200, sync_to_thread=True)
def purge_files(library: Lib, data: JSONBody[answers.PurgeBody]) -> answers.Purged:
    """Delete what is in the trash, or with null all of it. This cannot be undone."""
    chosen = None if data.ids is None else [plain_id(one, "file in the trash") for one in data.ids]
    return answers.Purged(bytes=library.trash.purge(chosen))


router = Router(path="/trash", tags=["trash"], route_handlers=[list_trash, discard_images, restore_files, purge_files])
