"""What the user did to groups, and taking it back."""

from litestar import get, post
from litestar.params import FromPath

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, plain_id


@get("/edits", summary="History of edits", sync_to_thread=True)
def list_edits(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.PastEditPage:
    """Every edit of groups, newest first."""
    return present.past_edit_page(library.curation.edits(cursor, limit))


@post("/edits/{edit:str}/undo", summary="Undo an edit", status_code=200, sync_to_thread=True)
def undo_edit(library: Lib, edit: FromPath[str]) -> answers.GroupEdit:
    """As if it had never been made. `left` tells of photos that were edited since and stay where they are.

    It is an edit itself: undoing that brings the first one back.
    """
    undone = library.curation.undo(plain_id(edit, "edit"))
    return present.group_edit(undone, library.curation.waiting())


HANDLERS = (list_edits, undo_edit)
