"""The groups of the index, kept in step with the log of decisions: the log says first, the index follows."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import structlog

from pixsortd.daemon.grouping import effects, waiting
from pixsortd.daemon.grouping.effects import Places
from pixsortd.daemon.grouping.words import so_many
from pixsortd.decisions import Decisions, Past
from pixsortd.errors import Conflict, IndexFull, NotFound
from pixsortd.grouping.constraints import title
from pixsortd.index.store import Store
from pixsortd.records import (
    Constraints,
    Edit,
    Group,
    GroupEdit,
    GroupState,
    Held,
    Membership,
    UndoEdit,
)

log = structlog.get_logger()

_NOTE = "edits"
_BESIDE = 12
"""Other members of a group that are kept beside an edit."""


class Mark(NamedTuple):
    """How far the index has followed the log."""

    edits: int
    last: str
    """Id of the last of them, which tells this log from another."""


class Written(NamedTuple):
    """An edit that is in the log."""

    edit: str
    left: tuple[str, ...]
    """What could not be done, in words."""


class About(NamedTuple):
    """An edit, and how often it was taken back and made again."""

    position: int
    edit: GroupEdit
    undoings: int

    @property
    def undone(self) -> bool:
        """Whether the last word is that it is taken back."""
        return self.undoings % 2 == 1


class Book:
    """Every change of who is in which group goes through here, one at a time. Callable from any thread."""

    def __init__(self, store: Store, decisions: Decisions, on_groups: Callable[[], None]) -> None:
        """``on_groups`` hears that groups changed."""
        self._store = store
        self._decisions = decisions
        self._on_groups = on_groups
        self._owners: tuple[Constraints, dict[bytes, str]] | None = None
        self.lock = threading.RLock()
        """Held while groups are read in order to be changed."""
        self.lines = waiting.Lines(store)
        """The stored proposal."""

    # --- asking --------------------------------------------------------------------------------

    def constraints(self) -> Constraints:
        """What the user decided."""
        return self._decisions.constraints()

    def get(self, group: str) -> Group:
        """One group with all that the decisions say of it; raises ``NotFound``."""
        found = self._store.group(group)
        if found is None:
            merged = self.constraints().merged.get(group)
            raise NotFound(
                f"there is no group {group}",
                next_step=f"It is part of {merged} now." if merged else "GET /api/groups lists the present ones.",
            )
        return self.described(found)

    def described(self, group: Group) -> Group:
        """The group with the user's merges and splits in its lineage."""
        decided = self._decisions.lineage().get(group.id, ())
        if not decided:
            return group
        lineage = sorted((*group.lineage, *decided), key=lambda step: step.at)
        return msgspec.structs.replace(group, lineage=tuple(lineage))

    def owners(self) -> Mapping[bytes, str]:
        """The group in which the decisions know each photo."""
        constraints = self.constraints()
        if self._owners is None or self._owners[0] is not constraints:
            found = {photo: group for group, photos in constraints.known.items() for photo in photos}
            self._owners = constraints, found
        return self._owners[1]

    def present(self, photos: Iterable[bytes]) -> Places:
        """The group of each of these photos that the index knows."""
        known = self._store.known(list(photos))
        return {**dict.fromkeys(known), **self._store.group_ids(known)}

    # --- editing -------------------------------------------------------------------------------

    def write(self, edit: GroupEdit | UndoEdit) -> Written:
        """Give an edit its id and time, keep it in the log, then let the index follow.

        Raises ``NotFound`` or ``Conflict`` for an edit that cannot be taken back, and as ``Decisions.append``.
        """
        edit = msgspec.structs.replace(edit, edit="e" + secrets.token_hex(6), at=time.time())
        with self.lock:
            self._follow()
            foreseen, left = self._undoing(edit) if isinstance(edit, UndoEdit) else (self._foreseen(edit), ())
            self._decisions.append(foreseen)
            try:
                self._follow()
            except IndexFull as error:
                log.warning("an edit is kept but not in the index yet", edit=edit.edit, error=str(error))
                left = (*left, f"{error.message}; it is done as soon as there is room")
        self._on_groups()
        return Written(edit.edit, left)

    def move(self, memberships: Mapping[bytes, Membership | None]) -> bool:
        """Put photos elsewhere that no edit is about; whether any of them moved. The lock is held."""
        groups = {one.group for one in memberships.values() if one is not None}
        known = (self._store.group(group) for group in groups)
        constraints = self.constraints()
        return bool(self.regroup(memberships.items(), [mirrored(one, constraints) for one in known if one is not None]))

    def regroup(
        self,
        memberships: Iterable[tuple[bytes, Membership | None]],
        groups: Iterable[Group],
        notes: Mapping[str, bytes] | None = None,
    ) -> Counter[str]:
        """As ``Store.regroup``. The lock is held."""
        grown = self._store.regroup(memberships, groups, notes)
        self.lines.changed()
        return grown

    def _foreseen(self, edit: GroupEdit) -> GroupEdit:
        """The edit with what it will do."""
        if not isinstance(edit, Edit):
            return edit
        constraints = self._decisions.preview(edit)
        photos = effects.mentioned(edit)
        ended = (group for group in effects.groups_of(edit) if group in constraints.merged)
        # Also who is in no line of a group that goes into another: nobody stays under an id that is merged.
        whole = {*photos, *(photo for group in ended for photo in self._store.members(group))}
        now = self.present(effects.concerned(whole, constraints))
        moves = effects.goal(effects.wanted(edit, now), now, constraints)
        before = {photo: now[photo] for photo in moves}
        edit = msgspec.structs.replace(edit, before=effects.held(before), after=effects.held(moves))
        spoken = dict.fromkeys((*effects.groups_of(edit), *(now[photo] for photo in photos if now.get(photo))))
        beside = effects.besides(
            (group for group in spoken if group is not None), photos, self._members_of_note, _BESIDE
        )
        unknown = [group for group in effects.groups_of(edit) if group not in constraints.known]
        return msgspec.structs.replace(edit, beside=beside, ended=self._emptied(edit, unknown))

    def _emptied(self, edit: Edit, groups: Iterable[str]) -> tuple[Group, ...]:
        """Those of the groups that an edit leaves without a photo, as they are."""
        gone = Counter(one.group for one in edit.before for _ in one.photos)
        gone.subtract(one.group for one in edit.after for _ in one.photos)
        found = map(self._store.group, groups)
        return tuple(group for group in found if group is not None and group.size == gone[group.id])

    def _members_of_note(self, group: str) -> Iterator[bytes]:
        """Members of a group, its exemplars first."""
        found = self._store.group(group)
        if found is not None:
            yield from found.exemplars
            yield from self._store.some_members(group, 2 * _BESIDE)

    def about(self, past: Past) -> About:
        """What an edit, or an undoing, is about in the end."""
        found, undoings = past, 0
        while isinstance(found.decision, UndoEdit):
            earlier = self._decisions.edit(found.decision.undoes)
            assert earlier is not None, "an undoing is only written of what is there"
            found, undoings = earlier, undoings + 1
        return About(found.position, found.decision, undoings)

    def title(self, group: str | None) -> str:
        """A group in words, with its name if it has one."""
        return title(group, self.constraints())

    # --- following -----------------------------------------------------------------------------

    def restore(self) -> None:
        """Bring an index that knows nothing of the decisions, or not the last of them, in step with them."""
        with self.lock:
            mark = self._mark()
            if mark is None:
                self._remember()
            self._follow()
            self._agree()

    def _mark(self) -> Mark | None:
        """How far the index has come; None when that is of another log."""
        note = self._store.meta_get(_NOTE)
        if note is None:
            return None
        mark = msgspec.msgpack.decode(note, type=Mark)
        if mark.edits == 0:
            return mark
        last = self._decisions.edits(mark.edits, 1) if mark.edits <= self._decisions.edit_count() else []
        return mark if last and last[0].edit == mark.last else None

    def marked(self) -> bytes:
        """Something that is the same as long as no edit is made."""
        return self._store.meta_get(_NOTE) or b""

    def _marked(self, past: Past | None) -> dict[str, bytes]:
        mark = Mark(0, "") if past is None else Mark(past.position + 1, past.edit)
        return {_NOTE: msgspec.msgpack.encode(mark)}

    def _remember(self) -> None:
        """Give the index the groups of the user that it lacks, with the members that the decisions know."""
        constraints = self.constraints()
        here = {group.id for group in self._store.groups()}
        lost = [group for group in constraints.known if group not in here]
        if lost:
            log.info("groups brought back from the decisions", groups=len(lost))
        photos = [photo for group in lost for photo in constraints.known[group]]
        now = self.present(photos)
        wishes = {photo: self.owners()[photo] for photo, group in now.items() if group is None}
        last = self._decisions.edits(None, 1)
        self._apply(wishes, now, lost, self._marked(last[0] if last else None))

    def _agree(self) -> None:
        """Make the index say of every group and photo what the decisions say, whatever it said before."""
        constraints = self.constraints()
        photos = {
            *constraints.placed,
            *constraints.barred,
            *(photo for unit in constraints.together for photo in unit),
            *(photo for pair in constraints.apart for photo in pair),
            *(photo for members in constraints.locked.values() for photo in members),
        }
        now = self.present(photos)
        changed = [
            group.id for group in self._store.groups() if mirrored(group, constraints) != group or not group.size
        ]
        wishes = effects.goal({}, now, constraints)
        if wishes or changed:
            self._apply(wishes, now, changed, {})

    def _follow(self) -> None:
        """Do in the index what the log has and it has not."""
        mark = self._mark() or Mark(0, "")
        for past in self._decisions.edits_since(mark.edits):
            about = self.about(past)
            said = past.decision.after if isinstance(past.decision, Edit | UndoEdit) else ()
            now = self.present({*effects.places(said), *effects.mentioned(about.edit)})
            moves = {photo: group for photo, group in effects.places(said).items() if now.get(photo, group) != group}
            lines = self.lines.after(about.edit, about.undone, {**now, **moves}, self.constraints())
            former = about.edit.ended if isinstance(about.edit, Edit) else ()
            self._apply(moves, now, effects.groups_of(about.edit), {**self._marked(past), **lines}, former)

    def _undoing(self, undoing: UndoEdit) -> tuple[UndoEdit, tuple[str, ...]]:
        """The undoing with what it will do, and what it cannot, in words.

        An edit that is undone is taken back; if it is an undoing itself, what it had taken back is done again.
        """
        found = self._decisions.edit(undoing.undoes)
        if found is None:
            raise NotFound(f"there is no edit {undoing.undoes}", next_step="GET /api/groups/edits lists them.")
        if found.undone:
            raise Conflict("this edit was taken back already", next_step="Undo its undoing to bring it back.")
        about = self.about(found)
        edit = about.edit
        constraints = self._decisions.preview(undoing)
        ways = (edit.before, edit.after) if isinstance(edit, Edit) else ((), ())
        came_from, went_to = reversed(ways) if about.undone else ways
        asked = effects.places(came_from)
        now = self.present(effects.concerned((*effects.mentioned(edit), *asked), constraints))
        wishes = effects.taken_back(came_from, went_to, now, self._since(about.position))
        moves = effects.goal(wishes, now, constraints)
        left = sum(moves.get(photo, now[photo]) != group for photo, group in asked.items() if photo in now)
        before = effects.held({photo: now[photo] for photo in moves})
        return (
            msgspec.structs.replace(undoing, before=before, after=effects.held(moves)),
            (f"edited since and left where they are: {so_many(left)}",) if left else (),
        )

    def _since(self, position: int) -> list[Held]:
        """What edits after the one there did that still holds."""
        later = (past for past in self._decisions.edits_since(position + 1) if not past.undone)
        return [one for past in later if isinstance(past.decision, Edit) for one in past.decision.after]

    def _apply(
        self,
        moves: Mapping[bytes, str | None],
        now: Places,
        groups: Iterable[str],
        notes: Mapping[str, bytes],
        former: Iterable[Group] = (),
    ) -> None:
        """Move photos and write all groups that this concerns, in one transaction.

        ``former`` are groups as they were, for those that come back.
        """
        at = time.time()
        constraints = self.constraints()
        concerned = dict.fromkeys((*groups, *(now[photo] for photo in moves), *moves.values()))
        known = {group: self._store.group(group) for group in concerned if group is not None}
        pattern = next((group for group in known.values() if group is not None), None)
        remembered = {**self.lines.now().born, **{group.id: group for group in former}}
        records = [
            mirrored(found or remembered.get(group) or _new(group, at, pattern), constraints)
            for group, found in known.items()
            if found is not None or group in constraints.known or group in moves.values()
        ]
        memberships = (
            (photo, None if group is None else Membership(group=group, strength=1.0, how="decided", at=at))
            for photo, group in moves.items()
        )
        self.regroup(memberships, records, notes)


def mirrored(group: Group, constraints: Constraints) -> Group:
    """The group with what the decisions say of it."""
    touched = group.id in constraints.known
    return msgspec.structs.replace(
        group,
        name=constraints.names.get(group.id),
        locked=group.id in constraints.locked,
        touched=touched,
        state=group.state if touched else GroupState.ACTIVE,
    )


def _new(group: str, at: float, pattern: Group | None) -> Group:
    """A group that the index does not know; it is judged like the one its photos come from."""
    if pattern is None:
        return Group(id=group, size=0, created=at)
    return Group(id=group, size=0, created=at, space=pattern.space, floor=pattern.floor, cohesion=pattern.cohesion)
