"""What the start found out that a person should know, in words."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pixsortd.index.startup import Opened
from pixsortd.records import Reason

_OPENED = {
    "restored": "The index was damaged or gone and was restored from a backup; what came since is read again.",
    "fresh": "The index was damaged and no backup could be used; it is being made anew from the photos.",
    "migrated": "The index was brought to this version's format; a backup of the old one was kept.",
}


def index_opened(opened: Opened) -> Iterator[Reason]:
    """How the index was found."""
    if opened.origin in _OPENED and opened.reason:
        yield Reason(code=f"index-{opened.origin}", message=_OPENED[opened.origin], next_step=opened.reason)


def torn(code: str, what: str, aside: Path | None) -> Iterator[Reason]:
    """Where a cut-off last line was put, if a log had one."""
    if aside is not None:
        text = f"The last line of the {what} was cut off by a crash before it was complete; it was set aside"
        yield Reason(code=f"{code}-torn", message=text, next_step=f"See {aside}.")


def searches_rebuilt(rebuilt: Iterable[tuple[str, str]]) -> Iterator[Reason]:
    """The vector searches, by (space, why), that did not fit the index."""
    for space, why in rebuilt:
        text = f"The vector search of the space {space} was rebuilt from the index"
        yield Reason(code="search-rebuilt", message=f"{text}: {why}.")
