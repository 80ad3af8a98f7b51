"""Groups and who is in them."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

import msgspec

from pixsortd.index import history
from pixsortd.index.codec import encode
from pixsortd.index.engine import Edit, Engine, View
from pixsortd.index.schema import Table
from pixsortd.records import Group, Membership, Step


class _Place(msgspec.Struct, frozen=True, gc=False):
    group: str


EXEMPLARS = 5
"""Members that stand for a group."""

_group = msgspec.msgpack.Decoder(Group).decode
_membership = msgspec.msgpack.Decoder(Membership).decode
_place = msgspec.msgpack.Decoder(_Place).decode


def group_at(view: View, group: str) -> Group | None:
    """The group of that id."""
    payload = view.get(Table.GROUPS, group.encode())
    return None if payload is None else _group(payload)


def membership_at(view: View, sha256: bytes) -> Membership | None:
    """The group a photo is in."""
    payload = view.get(Table.MEMBERSHIPS, sha256)
    return None if payload is None else _membership(payload)


def group_of(view: View, sha256: bytes) -> str | None:
    """The id alone of the group a photo is in."""
    payload = view.get(Table.MEMBERSHIPS, sha256)
    return None if payload is None else _place(payload).group


def members_prefix(group: str) -> bytes:
    """Start of the keys that list a group's members."""
    return group.encode() + b"\0"


def members_of(view: View, group: str) -> list[bytes]:
    """Photos of a group by rising sha256."""
    prefix = members_prefix(group)
    return [key[len(prefix) :] for key in view.keys(Table.MEMBERS, prefix)]


def assign(edit: Edit, sha256: bytes, new: Membership | None) -> None:
    """Put a photo into one group, or with None into none; sizes are left to ``resize``."""
    old = membership_at(edit, sha256)
    if old == new:
        return
    if old is not None:
        edit.delete(Table.MEMBERS, members_prefix(old.group) + sha256)
        edit.delete(Table.MEMBERSHIPS, sha256)
    if new is not None:
        edit.put(Table.MEMBERS, members_prefix(new.group) + sha256)
        edit.put(Table.MEMBERSHIPS, sha256, encode(new))


def resize(edit: Edit, group: str, by: int) -> None:
    """Change the recorded size of a group, where it exists."""
    found = group_at(edit, group)
    if found is not None and by:
        edit.put(Table.GROUPS, group.encode(), encode(msgspec.structs.replace(found, size=found.size + by)))


class Groups:
    """The part of the store that knows groups."""

    _engine: Engine

    def groups(self) -> list[Group]:
        """All groups, the largest first."""
        with self._engine.read() as view:
            found = [_group(payload) for _, payload in view.items(Table.GROUPS)]
        return sorted(found, key=lambda group: (-group.size, group.id))

    def group(self, group: str) -> Group | None:
        """The group of that id."""
        with self._engine.read() as view:
            return group_at(view, group)

    def members(self, group: str) -> list[bytes]:
        """Photos of a group by rising sha256."""
        with self._engine.read() as view:
            return members_of(view, group)

    def some_members(self, group: str, most: int) -> list[bytes]:
        """The first of a group's photos by rising sha256."""
        prefix = members_prefix(group)
        with self._engine.read() as view:
            return [key[len(prefix) :] for key in islice(view.keys(Table.MEMBERS, prefix), most)]

    def membership(self, sha256: bytes) -> Membership | None:
        """The group a photo is in, and why."""
        with self._engine.read() as view:
            return membership_at(view, sha256)

    def group_ids(self, photos: Collection[bytes] | None = None) -> dict[bytes, str]:
        """The group alone of each of these photos (None: of all) that is in one."""
        with self._engine.read() as view:
            if photos is None:
                return {sha256: _place(payload).group for sha256, payload in view.items(Table.MEMBERSHIPS)}
            found = ((sha256, group_of(view, sha256)) for sha256 in photos)
            return {sha256: group for sha256, group in found if group is not None}

    def regroup(
        self,
        memberships: Iterable[tuple[bytes, Membership | None]],
        groups: Iterable[Group] = (),
        notes: Mapping[str, bytes] | None = None,
    ) -> Counter[str]:
        """Put photos into other groups, or with None into none, and write groups and notes, in one transaction.

        Each membership is looked at once and let go, so that any number of them may come. A photo that the
        index does not know, or a group that it does not and that is not among ``groups``, is passed over, and
        a membership that differs in nothing but its time is not written. Sizes are counted here; a group
        whose exemplars left gets others, and one that is left without a photo is removed unless it is
        ``touched``. Answers by how many photos each group grew (or shrank).
        """
        now = time.time()
        grown = Counter[str]()
        given = {group.id: group for group in groups}
        with self._engine.write() as edit:
            for sha256, new in memberships:
                if not edit.has(Table.PHOTOS, sha256):
                    continue
                if new is not None and new.group not in given and not edit.has(Table.GROUPS, new.group.encode()):
                    continue
                old = membership_at(edit, sha256)
                if old is not None and new is not None and msgspec.structs.replace(old, at=new.at) == new:
                    continue
                assign(edit, sha256, new)
                was = None if old is None else old.group
                now_in = None if new is None else new.group
                if was == now_in:
                    continue
                if was is not None:
                    grown[was] -= 1
                if now_in is not None:
                    grown[now_in] += 1
                detail = f"{new.how} into {new.group}" if new is not None else f"taken out of {was}"
                history.add(edit, history.photo_history(sha256), [Step(at=now, what="grouped", detail=detail)])
            for group in {*given, *grown}:
                self._settle(edit, group, given.get(group), grown[group])
            for name, note in (notes or {}).items():
                edit.put(Table.NOTES, name.encode(), note)
        return grown

    def _settle(self, edit: Edit, group: str, given: Group | None, grown: int) -> None:
        """Write a group whose members or description changed, or remove it when nothing is left of it."""
        known = group_at(edit, group)
        size = (known.size if known is not None else 0) + grown
        settled = given or known
        if settled is None:
            return
        if size <= 0 and not settled.touched:
            edit.delete(Table.GROUPS, group.encode())
            return
        own = tuple(photo for photo in settled.exemplars if group_of(edit, photo) == group)
        if not own or len(own) < min(len(settled.exemplars), size):
            prefix = members_prefix(group)
            others = (key[len(prefix) :] for key in edit.keys(Table.MEMBERS, prefix))
            own += tuple(islice((photo for photo in others if photo not in own), EXEMPLARS - len(own)))
        edit.put(Table.GROUPS, group.encode(), encode(msgspec.structs.replace(settled, size=size, exemplars=own)))
