"""What the user does to groups. Each call is one edit, durable before it is answered, and can be undone."""

from litestar import post, put
from litestar.params import FromPath, JSONBody

from pixsortd.api import answers, ports, present
from pixsortd.api.parameters import Lib, photo_ids, plain_id
from pixsortd.errors import InvalidRequest
from pixsortd.records import Relation

MOST_PAIRED = 100
"""Photos that may be said to be pairwise something at once: twice as many are four times the pairs."""


@post("/", summary="Make a group of photos", status_code=200, sync_to_thread=True)
def found_group(library: Lib, data: JSONBody[answers.FoundBody]) -> answers.GroupEdit:
    """The photos leave whatever groups they are in and form a new one."""
    return _answer(library, library.curation.found(photo_ids(data.images)))


@post("/{group_id:str}/members", summary="Move photos", status_code=200, sync_to_thread=True)
def change_members(
    library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupMembersBody]
) -> answers.GroupEdit:
    """Put photos into a group or pin members of it (`add`), take members out (`remove`), or keep photos out (`bar`).

    No clustering changes it afterwards.
    """
    asked = [
        (edit, given)
        for edit, given in (
            (library.curation.place, data.add),
            (library.curation.remove, data.remove),
            (library.curation.bar, data.bar),
        )
        if given
    ]
    if len(asked) != 1:
        raise InvalidRequest(
            "Give photos to add, to remove or to bar, and one of the three at a time",
            next_step="Make a call for each: every edit can then be undone by itself.",
        )
    [(edit, given)] = asked
    return _answer(library, edit(plain_id(group_id, "group"), photo_ids(given)))


@post("/{group_id:str}/merge", summary="Merge groups into one", status_code=200, sync_to_thread=True)
def merge_groups(library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupMergeBody]) -> answers.GroupEdit:
    """The given groups become part of this one, which keeps its id and name."""
    into = plain_id(group_id, "group")
    others = [plain_id(one, "group") for one in dict.fromkeys(data.groups)]
    if into in others:
        raise InvalidRequest("A group cannot be merged into itself", next_step="Leave it out of the list.")
    return _answer(library, library.curation.merge(into, others))


@post("/{group_id:str}/split", summary="Split a group", status_code=200, sync_to_thread=True)
def split_group(library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupSplitBody]) -> answers.GroupEdit:
    """The given members form a group of their own, or with null the smaller of the two parts likeness shows."""
    images = None if data.images is None else photo_ids(data.images)
    return _answer(library, library.curation.split(plain_id(group_id, "group"), images))


@put("/{group_id:str}/lock", summary="Lock a group", sync_to_thread=True)
def lock_group(library: Lib, group_id: FromPath[str], data: JSONBody[answers.GroupLockBody]) -> answers.GroupEdit:
    """Nobody but the user changes who is in a locked group, until it is opened again."""
    return _answer(library, library.curation.lock(plain_id(group_id, "group"), data.locked))


@post("/relations", summary="Say what photos are to one another", status_code=200, sync_to_thread=True)
def relate_images(library: Lib, data: JSONBody[answers.RelationBody]) -> answers.GroupEdit:
    """They belong together, no two of them belong together, or no two of them are duplicates."""
    images = photo_ids(data.images)
    if len(images) < 2:
        raise InvalidRequest("A relation is between two photos at least", next_step="Give another photo.")
    if data.relation is not Relation.TOGETHER and len(images) > MOST_PAIRED:
        raise InvalidRequest(
            f"At most {MOST_PAIRED} photos at a time can be {data.relation}: it holds for every two of them",
            next_step="Choose fewer photos.",
        )
    return _answer(library, library.curation.relate(images, data.relation))


@post("/release", summary="Take back pins, bars and relations", status_code=200, sync_to_thread=True)
def release_images(library: Lib, data: JSONBody[answers.ReleaseBody]) -> answers.GroupEdit:
    """The photos stay where they are; from now on a clustering may move them."""
    return _answer(library, library.curation.release(photo_ids(data.images)))


def _answer(library: ports.Library, edited: ports.Edited) -> answers.GroupEdit:
    return present.group_edit(edited, library.curation.waiting())


HANDLERS = (found_group, change_members, merge_groups, split_group, lock_group, relate_images, release_images)
