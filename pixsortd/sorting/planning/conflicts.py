"""What is done where a name is taken: one strategy for each policy, all of them pure."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from pixsortd.records import FileStamp, OnConflict, OnSame, Place, Subject
from pixsortd.sorting.names import shown
from pixsortd.sorting.planning.world import Known


class Way(Enum):
    """How a taken name is dealt with."""

    NUMBER = "number"
    """The file gets a number, where its name is not free."""
    STAY = "stay"
    """It stays where it is."""
    YIELD = "yield"
    """It goes to the trash."""
    REPLACE = "replace"
    """The one that is there goes to the trash."""
    LINK = "link"
    """It goes to the trash, and the one that is there gets its name as well, with a number."""


class Ruling(NamedTuple):
    """A way, and why, in words."""

    way: Way
    words: str


class Rival(NamedTuple):
    """A regular file that has the name already."""

    place: Place
    stamp: FileStamp
    known: Known


Policy = Callable[[Subject, Rival], Ruling]


def against(subject: Subject, rival: Rival, policy: OnConflict) -> Ruling:
    """How a file gets along with one that has its name."""
    return _POLICIES[policy](subject, rival)


def against_same(rival: Rival, policy: OnSame) -> Ruling:
    """How a file gets along with one of the very same content that has its name, or that name with a number."""
    return Ruling(_SAME[policy], f"{shown(rival.place.name)} holds the very same photo")


def against_other(name: bytes, policy: OnConflict, what: str) -> Ruling:
    """How a file gets along with something of its name that it cannot be compared with."""
    words = f"{shown(name)} is {what}"
    return Ruling(Way.STAY, words) if policy is OnConflict.SKIP else Ruling(Way.NUMBER, words)


def against_incoming(name: bytes, policy: OnConflict) -> Ruling:
    """How a file gets along with another one that the same plan gives its name."""
    if policy in (OnConflict.SKIP, OnConflict.NUMBER):
        return against_other(name, policy, "taken by another file of this plan")
    return Ruling(Way.STAY, f"another file of this plan becomes {shown(name)}; the two are compared when it is there")


def _skip(_: Subject, rival: Rival) -> Ruling:
    return Ruling(Way.STAY, f"there is another {shown(rival.place.name)} already")


def _number(_: Subject, rival: Rival) -> Ruling:
    return Ruling(Way.NUMBER, f"there is another {shown(rival.place.name)} already")


def _comparing(word: str, measure: Callable[[Subject, Rival], tuple[float | None, float | None]]) -> Policy:
    """Keep the one of the higher measure; ``word`` says what it is then."""

    def compare(subject: Subject, rival: Rival) -> Ruling:
        name = shown(rival.place.name)
        ours, theirs = measure(subject, rival)
        if ours is None or theirs is None:
            return Ruling(Way.STAY, f"nobody knows yet whether it or the {name} that is there is {word}")
        if ours == theirs:
            return Ruling(Way.NUMBER, f"neither it nor the {name} that is there is {word}")
        if ours < theirs:
            return Ruling(Way.YIELD, f"the {name} that is there is {word}")
        if rival.known.sha256 is None or rival.known.kept:
            why = rival.known.kept or "it is no photo that the library knows"
            return Ruling(Way.STAY, f"it is {word} than the {name} that is there, which cannot make room: {why}")
        return Ruling(Way.REPLACE, f"it is {word} than the {name} that is there")

    return compare


_POLICIES: Mapping[OnConflict, Policy] = {
    OnConflict.SKIP: _skip,
    OnConflict.NUMBER: _number,
    OnConflict.NEWER: _comparing("newer", lambda ours, theirs: (ours.stamp.mtime_ns, theirs.stamp.mtime_ns)),
    OnConflict.LARGER: _comparing("larger", lambda ours, theirs: (ours.stamp.size, theirs.stamp.size)),
    OnConflict.BEST: _comparing("better", lambda ours, theirs: (ours.composite, theirs.known.composite)),
}


_SAME: Mapping[OnSame, Way] = {OnSame.TRASH: Way.YIELD, OnSame.LINK: Way.LINK}
