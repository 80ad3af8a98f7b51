"""Edits of groups in memory: the daemon's promises kept with as little as that takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from pixsortd import records
from pixsortd.api import ports
from pixsortd.errors import Conflict, InvalidRequest, NotFound, PixsortdError
from tests.api.fake_parts import Entries, known

Places = dict[bytes, str | None]


@dataclass
class FakeCuration:
    """Implements `ports.Curation`; photos without an entry of their own are in no group."""

    entries: Entries
    named: dict[str, records.Group]
    changes: dict[str, records.GroupChange] = field(default_factory=dict)
    past: list[ports.PastEdit] = field(default_factory=list)
    said: list[tuple[object, ...]] = field(default_factory=list)
    """What was said of photos that moves none: bars, relations, releases."""
    back: dict[str, Callable[[], None]] = field(default_factory=dict)

    # --- what is there -----------------------------------------------------------------------

    def _group(self, group: str) -> records.Group:
        if group not in self.named:
            raise NotFound("There is no group with that id")
        return self.named[group]

    def _in(self, image: bytes) -> str | None:
        place = known(self.entries, image).membership
        return place.group if place else None

    def members(self, group: str) -> list[bytes]:
        """Its photos."""
        return [one for one in self.entries if self._in(one) == group]

    def _member(self, group: str, images: Sequence[bytes]) -> None:
        if any(self._in(one) != group for one in images):
            raise InvalidRequest("A photo is not in this group")

    # --- doing -------------------------------------------------------------------------------

    def _put(self, places: Places) -> Callable[[], None]:
        before = {one: self._in(one) for one in places}
        for one, group in places.items():
            place = None if group is None else records.Membership(group=group, strength=1.0, how="decided")
            self.entries[one] = msgspec.structs.replace(self.entries[one], membership=place)
        return lambda: void(self._put(before))

    def _keep(self, what: str, groups: Sequence[str], photos: int, back: Callable[[], None]) -> ports.Edited:
        edit = f"e{len(self.past)}"
        self.past.insert(0, ports.PastEdit(edit=edit, at=1.0, what=what, groups=tuple(groups), photos=photos))
        self.back[edit] = back
        shown = tuple(self._sized(one) for one in groups if one in self.named)
        return ports.Edited(edit=edit, summary=what, groups=shown)

    def _sized(self, group: str) -> records.Group:
        sized = msgspec.structs.replace(self.named[group], size=len(self.members(group)), touched=True)
        self.named[group] = sized
        return sized

    def _change(self, group: str, **fields: object) -> Callable[[], None]:
        before = self._group(group)
        self.named[group] = msgspec.structs.replace(before, **fields)
        return lambda: self.named.update({group: before})

    # --- ports.Curation ----------------------------------------------------------------------

    def rename(self, group: str, name: str | None) -> ports.Edited:
        if self._group(group).name == name:
            return ports.Edited(edit=None, summary="It has that name", groups=(self.named[group],))
        return self._keep(f"Named {group} {name}", [group], 0, self._change(group, name=name))

    def found(self, images: Sequence[bytes]) -> ports.Edited:
        born = f"g{min(images).hex()[:10]}"
        self.named[born] = records.Group(id=born, size=0)
        return self._keep(f"Made a group of {len(images)}", [born], len(images), self._put(dict.fromkeys(images, born)))

    def place(self, group: str, images: Sequence[bytes]) -> ports.Edited:
        self._group(group)
        return self._keep(f"Put {len(images)} photos", [group], len(images), self._put(dict.fromkeys(images, group)))

    def remove(self, group: str, images: Sequence[bytes]) -> ports.Edited:
        self._group(group)
        self._member(group, images)
        return self._keep("Took photos out", [group], len(images), self._put(dict.fromkeys(images)))

    def bar(self, group: str, images: Sequence[bytes]) -> ports.Edited:
        self._group(group)
        self.said.append(("bar", group, tuple(images)))
        leaving: Places = {one: None for one in images if self._in(one) == group}
        return self._keep("Barred photos", [group], len(images), self._put(leaving))

    def merge(self, group: str, groups: Sequence[str]) -> ports.Edited:
        gone = [self._group(one) for one in (group, *groups)][1:]
        put_back = self._put({image: group for one in gone for image in self.members(one.id)})
        for one in gone:
            del self.named[one.id]

        def back() -> None:
            self.named.update({one.id: one for one in gone})
            put_back()

        return self._keep(f"Merged {len(groups) + 1} groups", [group, *groups], 0, back)

    def split(self, group: str, images: Sequence[bytes] | None) -> ports.Edited:
        self._group(group)
        if images is None:
            raise Conflict("This group has no two parts", next_step="Choose the photos yourself.")
        self._member(group, images)
        if len(images) == len(self.members(group)):
            raise InvalidRequest("No photo would stay")
        born = f"{group}s"
        self.named[born] = records.Group(id=born, size=0)
        return self._keep("Split", [group, born], len(images), self._put(dict.fromkeys(images, born)))

    def lock(self, group: str, locked: bool) -> ports.Edited:
        if self._group(group).locked == locked:
            return ports.Edited(edit=None, summary="It is so already", groups=(self.named[group],))
        return self._keep("Locked" if locked else "Opened", [group], 0, self._change(group, locked=locked))

    def relate(self, images: Sequence[bytes], relation: records.Relation) -> ports.Edited:
        return self._say("relate", images, relation)

    def release(self, images: Sequence[bytes]) -> ports.Edited:
        return self._say("release", images)

    def _say(self, what: str, images: Sequence[bytes], *more: object) -> ports.Edited:
        for one in images:
            known(self.entries, one)
        self.said.append((what, tuple(images), *more))
        return self._keep(what, [], len(images), lambda: void(self.said.pop()))

    def edits(self, cursor: str | None, limit: int) -> ports.Page[ports.PastEdit]:
        if cursor is not None and not cursor.isdigit():
            raise InvalidRequest("That cursor is not ours")
        start = int(cursor or 0)
        end = start + limit
        more = str(end) if end < len(self.past) else None
        return ports.Page(items=self.past[start:end], next_cursor=more, total=len(self.past))

    def undo(self, edit: str) -> ports.Edited:
        place = next((at for at, one in enumerate(self.past) if one.edit == edit), None)
        if place is None:
            raise NotFound("There is no edit with that id")
        if self.past[place].undone:
            raise Conflict("It is undone already", next_step="Undo the undoing to bring it back.")
        self.past[place] = msgspec.structs.replace(
            self.past[place], undone=True, undoable=False, why_not="It is undone already"
        )
        self.back[edit]()
        undone = self._keep(f"Undone: {self.past[place].what}", self.past[place].groups, 0, lambda: None)
        return msgspec.structs.replace(undone, left=("1 photo was moved since and stays",))

    def proposal(self) -> ports.Outlook:
        done = records.GroupChange(id="done", kind=records.GroupChangeKind.BIRTH, photos=(), unlisted=7, to="g9")
        asked = records.Proposal(
            run="r1" if self.changes else "",
            at=9.0,
            method="eom",
            changes=tuple(self.changes.values()),
            applied=(done,) if self.changes else (),
            conflicts=("Beach and Wood are together and apart",),
        )
        return ports.Outlook(proposal=asked, names={one.id: one.name for one in self.named.values() if one.name})

    def waiting(self) -> Mapping[str, int]:
        concerned = [group for one in self.changes.values() for group in {one.group, one.to} if group]
        return {group: concerned.count(group) for group in concerned}

    def settle(self, change: str, accepted: bool, images: Sequence[bytes] | None = None) -> ports.Edited:
        if change not in self.changes:
            raise NotFound("There is no waiting line with that id", next_step="Look at the proposal again.")
        line = self.changes[change]
        chosen = line.photos if images is None else images
        if not set(chosen) <= set(line.photos):
            raise InvalidRequest("A photo is not in this line")
        back = self._put(dict.fromkeys(chosen, line.to)) if accepted else void
        rest = tuple(one for one in line.photos if one not in chosen)
        if rest:
            self.changes[change] = msgspec.structs.replace(line, photos=rest)
        else:
            del self.changes[change]
        groups = [one for one in (line.group, line.to) if one]
        return self._keep("Accepted" if accepted else "Refused", groups, len(chosen), back)

    def settle_many(self, changes: Sequence[str], accepted: bool) -> list[ports.Settled]:
        settled = []
        for one in changes:
            try:
                settled.append(ports.Settled(change=one, edited=self.settle(one, accepted)))
            except PixsortdError as error:
                settled.append(ports.Settled(change=one, reason=error.reason()))
        return settled


def void(_: object = None) -> None:
    """Nothing more."""
