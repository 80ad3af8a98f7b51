"""What the user does to groups: each edit checked, written into the log, and followed by the index."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from pixsortd.api.ports import Edited, Outlook, Page, PastEdit, Settled
from pixsortd.daemon.grouping import effects
from pixsortd.daemon.grouping.book import Book, Written
from pixsortd.daemon.grouping.waiting import partly
from pixsortd.daemon.grouping.words import so_many, told
from pixsortd.decisions import Decisions, Past
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.grouping.constraints import mentioned
from pixsortd.grouping.ids import fresh
from pixsortd.grouping.proposal import breaks
from pixsortd.index.store import Store
from pixsortd.records import (
    BarPhotos,
    Group,
    GroupChange,
    GroupEdit,
    LockGroup,
    MergeGroups,
    NameGroup,
    PlacePhotos,
    RelatePhotos,
    Relation,
    ReleasePhotos,
    SettleChange,
    SplitGroup,
    UndoEdit,
)

REMEMBERED = 500
"""Members written beside a name, so that the group can be found again without the index."""

Halves = Callable[[Sequence[bytes]], Sequence[bytes] | None]
"""The smaller of the two parts that the tree shows of a group with these members; None where it shows none."""


class Curator:
    """Implements ``pixsortd.api.ports.Curation``."""

    def __init__(self, store: Store, decisions: Decisions, book: Book, halves: Halves) -> None:
        self._store = store
        self._decisions = decisions
        self._book = book
        self._halves = halves

    # --- groups as wholes -----------------------------------------------------------------------

    def rename(self, group: str, name: str | None) -> Edited:
        """Record the name durably, then show it."""
        with self._book.lock:
            found = self._book.get(group)
            if found.name == name:
                return self._idle(
                    f"{self._book.title(group)} has that name already" if name else "It has no name", group
                )
            # The exemplars first: they are the likeliest to stay together.
            members = list(dict.fromkeys([*found.exemplars, *self._store.members(group)]))[:REMEMBERED]
            return self._write(NameGroup(group=group, name=name, members=tuple(members)), group)

    def lock(self, group: str, locked: bool) -> Edited:
        """Keep everybody but the user out, or open the group again."""
        with self._book.lock:
            if self._book.get(group).locked == locked:
                return self._idle(f"{self._book.title(group)} is {'locked' if locked else 'open'} already", group)
            members = tuple(self._store.members(group)) if locked else ()
            return self._write(LockGroup(group=group, locked=locked, members=members, edit=""), group)

    def merge(self, group: str, groups: Sequence[str]) -> Edited:
        """Make other groups part of this one."""
        with self._book.lock:
            others = tuple(dict.fromkeys(groups))
            if group in others or not others:
                raise InvalidRequest("a group cannot be merged with itself", next_step="Name at least one other group.")
            members = [photo for one in (group, *others) for photo in self._store.members(self._book.get(one).id)]
            rivals = frozenset(self._book.constraints().apart)
            inside = frozenset(members)
            torn = sum(one in inside and other in inside for one, other in rivals)
            done = self._write(MergeGroups(into=group, groups=others, members=tuple(sorted(members)), edit=""), group)
            words = f"{torn} pairs of photos that were to be kept apart are in one group now"
            return msgspec.structs.replace(done, left=(*done.left, words)) if torn else done

    def split(self, group: str, images: Sequence[bytes] | None) -> Edited:
        """Found a new group from some members, or from the smaller part that the tree shows."""
        with self._book.lock:
            found = self._book.get(group)
            members = self._store.members(group)
            if images is None:
                part = self._halves(members)
                if not part:
                    raise Conflict(
                        f"the clustering shows no two parts of {self._book.title(group)}",
                        next_step="Choose the photos of the new group yourself.",
                    )
                images = part
            chosen = self._among(images, members, group)
            rest = tuple(photo for photo in members if photo not in chosen)
            if not rest:
                raise InvalidRequest("no photo would stay in the group", next_step="Leave at least one photo out.")
            born = fresh(min(chosen), self._taken())
            edit = SplitGroup(group=group, born=born, photos=tuple(sorted(chosen)), rest=rest, edit="")
            return self._write(edit, found.id, born)

    def _taken(self) -> set[str]:
        """Ids that are or ever were those of groups: of present and proposed ones, and of every edit, undone or not."""
        proposed = {line.to for line in self._book.lines.now().proposal.changes if line.to is not None}
        edits = (past.decision for past in self._decisions.edits_since(0))
        spoken = (group for edit in edits if not isinstance(edit, UndoEdit) for group in effects.groups_of(edit))
        return {*(one.id for one in self._store.groups()), *mentioned(self._book.constraints()), *proposed, *spoken}

    def found(self, images: Sequence[bytes]) -> Edited:
        """Make a new group of photos, wherever they were."""
        with self._book.lock:
            chosen = sorted(self._known(images))
            born = fresh(chosen[0], self._taken())
            return self._write(PlacePhotos(photos=tuple(chosen), group=born, founds=True, edit=""), born)

    # --- photos --------------------------------------------------------------------------------

    def place(self, group: str, images: Sequence[bytes]) -> Edited:
        """Put photos into a group for good."""
        with self._book.lock:
            self._book.get(group)
            chosen = self._known(images)
            placed, now = self._book.constraints().placed, self._book.present(chosen)
            chosen = [photo for photo in chosen if placed.get(photo) != group or now[photo] != group]
            if not chosen:
                return self._idle(f"they are pinned in {self._book.title(group)} already", group)
            return self._write(PlacePhotos(photos=tuple(chosen), group=group, edit=""), group)

    def remove(self, group: str, images: Sequence[bytes]) -> Edited:
        """Take photos out of a group into no group, for good."""
        with self._book.lock:
            self._book.get(group)
            chosen = self._among(self._known(images), self._store.members(group), group)
            return self._write(PlacePhotos(photos=tuple(sorted(chosen)), group=None, edit=""), group)

    def bar(self, group: str, images: Sequence[bytes]) -> Edited:
        """These photos are never to be in this group."""
        with self._book.lock:
            self._book.get(group)
            barred = self._book.constraints().barred
            chosen = [photo for photo in self._known(images) if group not in barred.get(photo, ())]
            if not chosen:
                return self._idle(f"they are barred from {self._book.title(group)} already", group)
            return self._write(BarPhotos(photos=tuple(chosen), group=group, edit=""), group)

    def relate(self, images: Sequence[bytes], relation: Relation) -> Edited:
        """Say what photos are to one another."""
        with self._book.lock:
            chosen = self._known(images)
            if len(chosen) < 2:
                raise InvalidRequest("a relation is of two photos at least", next_step="Name another photo.")
            return self._write(RelatePhotos(photos=tuple(sorted(chosen)), relation=relation, edit=""))

    def release(self, images: Sequence[bytes]) -> Edited:
        """Take back pins, bars and relations of these photos."""
        with self._book.lock:
            bound = self._bound()
            chosen = [photo for photo in self._known(images) if photo in bound]
            if not chosen:
                return self._idle("nothing was said of these photos")
            return self._write(ReleasePhotos(photos=tuple(chosen), edit=""))

    def _bound(self) -> set[bytes]:
        constraints = self._book.constraints()
        return {
            *constraints.placed,
            *constraints.barred,
            *(photo for unit in constraints.together for photo in unit),
            *(photo for pair in (*constraints.apart, *constraints.distinct) for photo in pair),
        }

    # --- the history ---------------------------------------------------------------------------

    def edits(self, cursor: str | None, limit: int) -> Page[PastEdit]:
        """The history, newest first."""
        if cursor is not None and not cursor.isdecimal():
            raise InvalidRequest("this cursor is not one of this list", next_step="Begin again without a cursor.")
        total = self._decisions.edit_count()
        found = self._decisions.edits(None if cursor is None else int(cursor), limit)
        more = bool(found) and found[-1].position > 0
        return Page(
            items=[self._past(one) for one in found], next_cursor=str(found[-1].position) if more else None, total=total
        )

    def _past(self, past: Past) -> PastEdit:
        edit = self._book.about(past).edit
        return PastEdit(
            edit=past.edit,
            at=past.decision.at,
            what=self._words(past),
            groups=effects.groups_of(edit),
            photos=len(effects.mentioned(edit)),
            undone=past.undone,
            undoable=not past.undone,
            why_not="It was taken back already; undo that to bring it back." if past.undone else "",
        )

    def _words(self, past: Past) -> str:
        about = self._book.about(past)
        words = told(about.edit, self._book.constraints())
        return f"{'Undid' if about.undone else 'Did again'}: {words}" if about.undoings else words

    def undo(self, edit: str) -> Edited:
        """Take an edit back; an undoing taken back brings the edit back."""
        with self._book.lock:
            return self._done(self._book.write(UndoEdit(edit="", undoes=edit)), ())

    # --- proposals -----------------------------------------------------------------------------

    def proposal(self) -> Outlook:
        """What the last clustering would change and what it changed."""
        proposal = self._book.lines.now().proposal
        spoken = {group for line in (*proposal.changes, *proposal.applied) for group in (line.group, line.to)}
        names = self._book.constraints().names
        return Outlook(proposal=proposal, names={group: name for group, name in names.items() if group in spoken})

    def waiting(self) -> Mapping[str, int]:
        """How many waiting lines concern each group."""
        return self._book.lines.counts()

    def settle(self, change: str, accepted: bool, images: Sequence[bytes] | None = None) -> Edited:
        """Accept or refuse a waiting line, or some photos of it."""
        with self._book.lock:
            line = next((one for one in self._book.lines.now().proposal.changes if one.id == change), None)
            if line is None:
                raise NotFound(
                    f"there is no line {change} in the proposal any more",
                    next_step="GET /api/groups/proposal has those that wait.",
                )
            chosen = frozenset(line.photos if images is None else images)
            if not chosen or not chosen.issubset(line.photos):
                raise InvalidRequest("not all of these photos are in the line", next_step="Name photos of the line.")
            now = self._book.present(chosen)
            left: tuple[str, ...] = ()
            if accepted:
                still = frozenset(photo for photo, group in now.items() if group == line.group)
                if not still:
                    raise Conflict(
                        "none of these photos is where it was when this was proposed",
                        next_step="Form the groups anew to see what would change now.",
                    )
                if still != chosen:
                    left = (f"{so_many(len(chosen) - len(still))} went elsewhere since and stay there",)
                self._allowed(line, still)
                chosen = still
            edit = SettleChange(change=_part(line, chosen), accepted=accepted, edit="")
            groups = (group for group in (line.group, line.to) if group is not None)
            done = self._write(edit, *groups)
            return msgspec.structs.replace(done, left=(*left, *done.left))

    def _allowed(self, line: GroupChange, chosen: frozenset[bytes]) -> None:
        """Raise ``Conflict`` when the line would go against what the user decided."""
        constraints = self._book.constraints()
        around = self._book.present(effects.concerned(chosen, constraints))
        now = {photo: group for photo, group in around.items() if group is not None}
        broken = breaks(line, chosen, now, constraints)
        if broken:
            raise Conflict(
                f"this goes against what you decided: {'; '.join(broken)}", next_step="Change that first, or refuse."
            )

    def settle_many(self, changes: Sequence[str], accepted: bool) -> Sequence[Settled]:
        """The same for whole lines, in the order given."""
        return [self._settled(change, accepted) for change in changes]

    def _settled(self, change: str, accepted: bool) -> Settled:
        try:
            return Settled(change=change, edited=self.settle(change, accepted))
        except (NotFound, Conflict) as error:
            return Settled(change=change, reason=error.reason())

    # --- what they share -------------------------------------------------------------------------

    def _known(self, images: Sequence[bytes]) -> list[bytes]:
        """The photos, each once. Raises ``NotFound``, ``InvalidRequest``."""
        chosen = list(dict.fromkeys(images))
        if not chosen:
            raise InvalidRequest("no photo is named", next_step="Name at least one photo.")
        if len(self._store.known(chosen)) < len(chosen):
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        return chosen

    def _among(self, images: Sequence[bytes], members: Sequence[bytes], group: str) -> frozenset[bytes]:
        chosen = frozenset(images)
        if not chosen or not chosen.issubset(members):
            raise InvalidRequest(
                f"not all of these photos are in {self._book.title(group)}", next_step="Name members of the group."
            )
        return chosen

    def _write(self, edit: GroupEdit, *groups: str) -> Edited:
        return self._done(self._book.write(edit), groups)

    def _done(self, written: Written, groups: Sequence[str]) -> Edited:
        past = self._decisions.edit(written.edit)
        assert past is not None, "it has just been written"
        spoken = (*groups, *effects.groups_of(self._book.about(past).edit))
        return Edited(edit=written.edit, summary=self._words(past), groups=self._shown(spoken), left=written.left)

    def _idle(self, why: str, *groups: str) -> Edited:
        return Edited(edit=None, summary=why[:1].upper() + why[1:], groups=self._shown(groups))

    def _shown(self, groups: Sequence[str]) -> tuple[Group, ...]:
        found = (self._store.group(group) for group in dict.fromkeys(groups))
        return tuple(self._book.described(group) for group in found if group is not None)


def _part(line: GroupChange, chosen: frozenset[bytes]) -> GroupChange:
    """The line for these photos alone."""
    if len(chosen) == len(line.photos):
        return line
    kept = tuple(photo for photo in line.photos if photo in chosen)
    return msgspec.structs.replace(partly(line), photos=kept)
