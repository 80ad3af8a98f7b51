"""Naming a group or batch on the command line: by its id, or by a name that only one has."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pixsortd.cli.source import Source
from pixsortd.errors import InvalidRequest, NotFound

Json = dict[str, Any]

_GROUP_ID = re.compile(r"g[0-9a-f]{10}")


class Kind(NamedTuple):
    """What is chosen from, in words."""

    one: str
    many: str


BATCH = Kind("batch", "batches")
GROUP = Kind("group", "groups")


def pick(known: Iterable[Json], wanted: str, kind: Kind) -> Json:
    """The one with that id, else the only one with that name. Raises NotFound, InvalidRequest."""
    alike = [one for one in known if wanted in (one["id"], one["name"])]
    found = [one for one in alike if one["id"] == wanted] or alike
    if not found:
        raise NotFound(f"there is no {kind.one} {wanted}", next_step=f"`pixsortd {kind.many} list` shows them.")
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        raise InvalidRequest(f"{len(found)} {kind.many} are called {wanted}", next_step=f"Use an id: {ids}.")
    return found[0]


def group_id(source: Source, wanted: str) -> str:
    """The id of the group that ``wanted`` names; the list is only asked for where it is no id."""
    return wanted if _GROUP_ID.fullmatch(wanted) else str(pick(source.groups(), wanted, GROUP)["id"])


def group_ids(source: Source, wanted: Sequence[str]) -> list[str]:
    """The same for several."""
    return [group_id(source, one) for one in wanted]
