"""Who has the name that a file is to get, and what that comes to: each question in turn, the first answer counts."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pixsortd.config import SortRule
from pixsortd.records import Action, OnSame, Place, Subject
from pixsortd.sorting import names
from pixsortd.sorting.planning.conflicts import (
    Rival,
    Ruling,
    Way,
    against,
    against_incoming,
    against_other,
    against_same,
)
from pixsortd.sorting.planning.scene import Scene, Search, Shelf
from pixsortd.sorting.planning.world import Entry


class Meeting(NamedTuple):
    """A file and the place that it is to get."""

    subject: Subject
    rule: SortRule
    place: Place
    """Of the photo's file."""
    wanted: Sequence[bytes]
    """The names of the unit in the directory of the place, the photo's first."""
    found: Search
    """Who has them, or them with a number."""
    scene: Scene

    @property
    def shelf(self) -> Shelf:
        """The directory."""
        return self.scene.shelf(self.place.base, self.place.directory)

    @property
    def present(self) -> Sequence[Entry]:
        """What has the photo's name."""
        return self.shelf.entries.get(names.folded(self.wanted[0]), ())

    @property
    def only_anew(self) -> bool:
        """Whether a copy or link is made, which need not be made twice."""
        return self.rule.action is not Action.MOVE

    @property
    def by_content(self) -> bool:
        """Whether it matters that the same content is there."""
        return self.only_anew or self.rule.same is not OnSame.CONFLICT

    def rival(self, entry: Entry) -> Rival | None:
        """A regular file of the directory."""
        if entry.stamp is None:
            return None
        place = self.place.beside(entry.name)
        return Rival(place, entry.stamp, self.scene.known(place, entry.stamp))


_Answer = tuple[Ruling, Rival | None]


def ruled(meeting: Meeting) -> _Answer:
    """What is done with a file, and on account of which other. Raises ``Stays`` where that cannot be told."""
    answers = (question(meeting) for question in _QUESTIONS)
    return next(answer for answer in answers if answer is not None)


def _free(meeting: Meeting) -> _Answer | None:
    return (Ruling(Way.NUMBER, ""), None) if meeting.found.number == 1 else None


def _linked(meeting: Meeting) -> _Answer | None:
    link = meeting.found.links.get(meeting.subject.place.absolute)
    if link is None or meeting.rule.action is not Action.SYMLINK:
        return None
    return Ruling(Way.STAY, f"{names.shown(link.name)} leads to it already"), None


def _undecided(meeting: Meeting) -> _Answer | None:
    entry = meeting.found.unknown.get(meeting.subject.stamp.size)
    if entry is None or not meeting.by_content:
        return None
    return Ruling(Way.STAY, f"nobody knows yet whether {names.shown(entry.name)} holds the very same photo"), None


def _same(meeting: Meeting) -> _Answer | None:
    entry = meeting.found.entries.get(meeting.subject.image)
    rival = meeting.rival(entry) if entry is not None and entry.name not in meeting.shelf.leaving else None
    if rival is None or not meeting.by_content:
        return None
    if meeting.only_anew:
        return Ruling(Way.STAY, f"{names.shown(rival.place.name)} holds the very same photo already"), None
    extra = _extra(meeting, rival)
    if extra is not None:
        what = f"there already, with the very same photo but without {names.shown(extra)}"
        return against_other(rival.place.name, meeting.rule.conflict, what), None
    return against_same(rival, meeting.rule.same), rival


def _same_to_come(meeting: Meeting) -> _Answer | None:
    name = meeting.found.claims.get(meeting.subject.image)
    if name is None or not meeting.by_content:
        return None
    words = f"another file of this plan, which holds the very same photo, becomes {names.shown(name)}"
    return Ruling(Way.STAY, words), None


def _to_come(meeting: Meeting) -> _Answer | None:
    folded = names.folded(meeting.wanted[0])
    if folded not in meeting.shelf.claims:
        return None
    return against_incoming(meeting.wanted[0], meeting.rule.conflict), None


def _incomparable(meeting: Meeting) -> _Answer | None:
    """Only a companion's name is taken, or what has the photo's name is no single file."""
    present, rule = meeting.present, meeting.rule
    if len(present) == 1 and present[0].stamp is not None:
        return None
    taken = next(name for name in meeting.wanted if meeting.shelf.taken(names.folded(name)))
    return against_other(taken, rule.conflict, "there already"), None


def _other(meeting: Meeting) -> _Answer | None:
    rival = meeting.rival(meeting.present[0])
    assert rival is not None, "an earlier question was for anything but files"
    ruling = against(meeting.subject, rival, meeting.rule.conflict)
    if ruling.way is Way.YIELD and meeting.only_anew:
        return Ruling(Way.STAY, ruling.words), None
    going = {rival.place.name, *(place.name for place, _ in meeting.scene.companions(rival.place))}
    shelf = meeting.shelf
    if (ruling.way is Way.YIELD and rival.place.name in shelf.leaving) or (
        ruling.way is Way.REPLACE and going & (shelf.leaving | shelf.relied)
    ):
        return Ruling(Way.STAY, f"{ruling.words}, but another file of this plan has to do with that one"), None
    blocked = _blocked(meeting, going) if ruling.way is Way.REPLACE else None
    if blocked is not None:
        return against_other(blocked, meeting.rule.conflict, "there already and belongs to something else"), None
    return ruling, rival


_QUESTIONS: tuple[Callable[[Meeting], _Answer | None], ...] = (
    _free,
    _linked,
    _undecided,
    _same,
    _same_to_come,
    _to_come,
    _incomparable,
    _other,
)


def _extra(meeting: Meeting, rival: Rival) -> bytes | None:
    """A companion that is not beside the rival as well, alike in size and time."""
    there = {(stamp.size, stamp.mtime_ns) for _, stamp in meeting.scene.companions(rival.place)}
    extras = (one for one in meeting.subject.companions if (one.stamp.size, one.stamp.mtime_ns) not in there)
    return next((one.place.name for one in extras), None)


def _blocked(meeting: Meeting, going: Collection[bytes]) -> bytes | None:
    """A name that stays taken when others have made room."""
    shelf = meeting.shelf
    for name in meeting.wanted:
        folded = names.folded(name)
        staying = [one for one in shelf.entries.get(folded, ()) if one.name not in going]
        if staying or folded in shelf.claims or folded in shelf.made:
            return name
    return None
