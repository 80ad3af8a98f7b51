"""What the last clustering would change, line by line, for the user to accept or refuse."""

from typing import Annotated

from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from pixsortd.api import answers, ports, present
from pixsortd.api.parameters import Lib, photo_ids, plain_id
from pixsortd.errors import NotFound
from pixsortd.records import GroupChangeKind

Place = Annotated[
    str | None, QueryParameter(pattern=r"^[0-9]{1,9}$", description="how many lines are left out before, in decimal")
]
Kind = Annotated[GroupChangeKind | None, QueryParameter(description="lines of this kind alone")]
Lines = Annotated[int | None, QueryParameter(ge=1, le=500, description="lines on a page")]


def change_id(text: str) -> str:
    """The id of a waiting line. Raises NotFound when it cannot be one."""
    return plain_id(text, "waiting line")


@get("/proposal", summary="What a clustering would change", sync_to_thread=True)
def get_proposal(library: Lib, cursor: Place = None, limit: Lines = None, kind: Kind = None) -> answers.Proposal:
    """The lines that wait for the user, and those that applied themselves because no group of the user's is in them.

    Without a `limit` it has all of them; with one a page of those that wait, and behind the last of them of the others.
    """
    return present.proposal(library.curation.proposal(), 0 if cursor is None else int(cursor), limit, kind)


@get("/proposal/{change:str}", summary="One line of the proposal", sync_to_thread=True)
def get_change(library: Lib, change: FromPath[str]) -> answers.ProposedChange:
    """A waiting line with all its photos, so that a part of them can be chosen."""
    outlook = library.curation.proposal()
    wanted = change_id(change)
    found = next((one for one in outlook.proposal.changes if one.id == wanted), None)
    if found is None:
        raise NotFound(
            "There is no waiting line with that id",
            next_step="It was settled, or a newer clustering replaced it; look at the proposal again.",
        )
    return present.proposed_change(found, outlook.names, None)


@post("/proposal/accept", summary="Accept lines", status_code=200, sync_to_thread=True)
def accept_changes(library: Lib, data: JSONBody[answers.SettleManyBody]) -> answers.SettledChanges:
    """Have several lines done, in this order; each answers for itself."""
    return _settle_many(library, data, accepted=True)


@post("/proposal/refuse", summary="Refuse lines", status_code=200, sync_to_thread=True)
def refuse_changes(library: Lib, data: JSONBody[answers.SettleManyBody]) -> answers.SettledChanges:
    """Refuse several lines; each answers for itself."""
    return _settle_many(library, data, accepted=False)


@post("/proposal/{change:str}/accept", summary="Accept a line", status_code=200, sync_to_thread=True)
def accept_change(library: Lib, change: FromPath[str], data: JSONBody[answers.SettleBody]) -> answers.GroupEdit:
    """Have the line done, or a part of its photos; the rest goes on waiting."""
    return _settle(library, change, data, accepted=True)


@post("/proposal/{change:str}/refuse", summary="Refuse a line", status_code=200, sync_to_thread=True)
def refuse_change(library: Lib, change: FromPath[str], data: JSONBody[answers.SettleBody]) -> answers.GroupEdit:
    """The photos stay where they are, and the same is never proposed for them again."""
    return _settle(library, change, data, accepted=False)


def _settle(library: ports.Library, change: str, data: answers.SettleBody, *, accepted: bool) -> answers.GroupEdit:
    images = None if data.images is None else photo_ids(data.images)
    settled = library.curation.settle(change_id(change), accepted, images)
    return present.group_edit(settled, library.curation.waiting())


def _settle_many(library: ports.Library, data: answers.SettleManyBody, *, accepted: bool) -> answers.SettledChanges:
    changes = [change_id(one) for one in dict.fromkeys(data.ids)]
    settled = library.curation.settle_many(changes, accepted)
    return present.settled_changes(settled, library.curation.waiting())


HANDLERS = (get_proposal, get_change, accept_changes, refuse_changes, accept_change, refuse_change)
