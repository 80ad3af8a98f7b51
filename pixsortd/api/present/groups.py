"""Groups."""

from pixsortd import records
from pixsortd.api import answers, ports


def group(given: records.Group) -> answers.Group:
    """One group."""
    return answers.Group(
        id=given.id,
        name=given.name,
        size=given.size,
        kind=given.kind,
        space=given.space,
        created=given.created,
        exemplars=[one.hex() for one in given.exemplars],
    )


def group_page(page: ports.Page[records.Group]) -> answers.GroupPage:
    """A page of groups."""
    return answers.GroupPage(items=[group(one) for one in page.items], next_cursor=page.next_cursor, total=page.total)
