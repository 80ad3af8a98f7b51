"""What a clustering is told of the groups there are, and what becomes of its answer."""

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.daemon.grouping.book import Book, mirrored
from pixsortd.daemon.grouping.waiting import Kept
from pixsortd.grouping.lines import departures, lineage
from pixsortd.grouping.packing import HASH, ROW, hashes, packed, rows_of
from pixsortd.grouping.proposal import RUNS, Outcome, allowance, pending, propose
from pixsortd.grouping.request import Reply
from pixsortd.index.store import Store
from pixsortd.records import Constraints, Group, GroupChange, GroupState, Lineage, Membership, Proposal, Space

_CLUSTERED, _CONSIDERED, _RECENT = "clustered", "considered", "departed"
_MOST_APPLIED = 20_000
"""Photos of applied lines that are kept beside a proposal; past them the lines are kept without."""

_runs = msgspec.msgpack.Decoder(list[tuple[str, dict[bytes, str]]])


class Earlier(NamedTuple):
    """The groups there are, by rows of the contents that are clustered."""

    members: Mapping[str, bytes]
    exemplars: Mapping[str, bytes]
    touched: tuple[str, ...]
    merged: Mapping[str, str]
    together: tuple[bytes, ...]


class Outcomes:
    """Applies what a clustering found as far as it may, and keeps the rest as a proposal."""

    def __init__(self, store: Store, book: Book) -> None:
        self._store = store
        self._book = book

    def last(self) -> tuple[int, str]:
        """(vectors then, key of the space in hex) of the last clustering."""
        note = self._store.meta_get(_CLUSTERED)
        return (0, "") if note is None else msgspec.json.decode(note, type=tuple[int, str])

    def earlier(self, contents: bytes) -> Earlier:
        """What the analyst is told of the groups there are."""
        with self._book.lock:
            constraints = self._book.constraints()
            present = self._store.group_ids()
            groups = self._store.groups()
            waiting = self._book.lines.now().proposal.changes
        row_of = rows_of(contents)
        members: defaultdict[str, list[bytes]] = defaultdict(list)
        for photo, group in present.items():
            members[group].append(photo)
        for group, known in constraints.known.items():
            members[group] += (photo for photo in known if present.get(photo) != group)
        existing = {*members, *(group.id for group in groups)}
        for group, photos in pending(waiting, existing).items():
            members[group] += photos
        return Earlier(
            members={group: packed(photos, row_of) for group, photos in members.items()},
            exemplars={group.id: packed(group.exemplars, row_of) for group in groups},
            touched=tuple(constraints.known),
            merged=constraints.merged,
            together=tuple(rows for unit in constraints.together if len(rows := packed(unit, row_of)) > ROW),
        )

    def apply(self, reply: Reply, contents: bytes, space: Space, count: int) -> dict[str, int]:
        """Do at once what touches no group of the user's, and let the rest wait; figures of it.

        ``contents`` are what was clustered, ``count`` the vectors there were when it began.
        """
        photos = hashes(contents)
        with self._book.lock:
            constraints = self._book.constraints()
            present = self._store.group_ids()
            target: dict[bytes, str | None] = dict.fromkeys(photos)
            for found in reply.groups:
                target.update((photos[row], found.id) for row in found.members())
            considered = _prefixes(contents)
            before = np.frombuffer(self._store.meta_get(_CONSIDERED) or b"", np.uint64)
            fresh = {photos[row] for row in np.flatnonzero(~np.isin(considered, before))}
            run = hashlib.blake2b(contents + reply.method.encode() + self._book.marked(), digest_size=8).hexdigest()
            runs = _runs.decode(self._store.meta_get(_RECENT) or msgspec.msgpack.encode([]))
            # The same run once more must see what the first saw, or the same input would change something.
            again = bool(runs) and runs[-1][0] == run
            left = runs.pop()[1] if again else {}
            recent = [departed for _, departed in runs]
            most = 0 if again else self._most(reply.method, space, len(photos), len(fresh))
            outcome = propose(present, target, constraints, constraints.known.keys(), fresh, recent, most)
            del target
            at = time.time()
            after = present | {photo: line.to for line in outcome.applied for photo in line.photos}
            records, born = self._groups(reply, outcome, after, constraints, space, at)
            changed = sum(len(line.photos) for line in outcome.applied)
            proposal = Proposal(
                run=run,
                at=at,
                method=reply.method,
                changes=outcome.waiting,
                applied=_kept(outcome.applied, changed),
                photos=len(photos),
                changed=changed,
                conflicts=(*constraints.conflicts, *outcome.conflicts),
            )
            notes = self._book.lines.note(Kept(proposal=proposal, born=born))
            notes[_CLUSTERED] = msgspec.json.encode((count, space.key.hex()))
            notes[_CONSIDERED] = np.union1d(considered, before).tobytes()
            runs.append((run, left | departures(outcome.applied)))
            notes[_RECENT] = msgspec.msgpack.encode(runs[-RUNS - 1 :])
            self._book.regroup(_memberships(reply, photos, after, present, constraints, at), records, notes)
        return {
            "groups": len({found.id for found in reply.groups}),
            "grouped": sum(found.size for found in reply.groups),
            "changed": changed,
            "waiting": len(outcome.waiting),
        }

    def _most(self, method: str, space: Space, photos: int, fresh: int) -> float:
        """How many photos may change by themselves: any number where it is another clustering that was asked for."""
        same = self._book.lines.now().proposal.method == method and self.last()[1] == space.key.hex()
        return allowance(photos, fresh) if same else math.inf

    def _groups(
        self,
        reply: Reply,
        outcome: Outcome,
        after: Mapping[bytes, str | None],
        constraints: Constraints,
        space: Space,
        at: float,
    ) -> tuple[list[Group], dict[str, Group]]:
        """(groups to write, groups that waiting lines would found)."""
        known = {group.id: group for group in self._store.groups()}
        steps = lineage(outcome.applied, at)
        seen: dict[str, Group] = {}
        for found in reply.groups:  # the largest first: of several parts of one group that speaks for it
            if found.id not in seen:
                old = known.get(found.id) or Group(id=found.id, size=0, created=at)
                seen[found.id] = msgspec.structs.replace(
                    old,
                    exemplars=found.exemplars,
                    space=space.name,
                    floor=found.floor,
                    cohesion=found.cohesion,
                    state=GroupState.ACTIVE,
                )
        here = {*after.values()}
        resting = {group: _resting(one) for group, one in known.items() if group not in seen}
        new = {group: Group(id=group, size=0, created=at, space=space.name) for group in here if group is not None}
        every = {**new, **resting, **seen}
        records = [
            mirrored(_told(one, steps), constraints) for one in every.values() if one.id in here or one.id in known
        ]
        wanted = {line.to for line in outcome.waiting}
        return records, {group: one for group, one in seen.items() if group in wanted and group not in here}


def _resting(group: Group) -> Group:
    return msgspec.structs.replace(group, state=GroupState.RESTING)


def _told(group: Group, steps: Mapping[str, Sequence[Lineage]]) -> Group:
    """The group with what was just done added to where it comes from."""
    own = steps.get(group.id)
    return group if not own else msgspec.structs.replace(group, lineage=(*group.lineage, *own))


def _memberships(
    reply: Reply,
    photos: list[bytes],
    after: Mapping[bytes, str | None],
    present: Mapping[bytes, str],
    constraints: Constraints,
    at: float,
) -> Iterator[tuple[bytes, Membership | None]]:
    """Every membership as it is now: the clustering's where it is of one mind with it, one at a time."""
    said = set[bytes]()
    for found in reply.groups:
        for photo, membership in found.memberships(photos, at):
            if after.get(photo) == found.id:
                said.add(photo)
                placed = constraints.placed.get(photo) == found.id
                yield photo, msgspec.structs.replace(membership, how="decided") if placed else membership
    for photo, group in after.items():
        if photo not in said and group != present.get(photo):
            yield photo, None if group is None else Membership(group=group, strength=1.0, how="decided", at=at)


def _kept(applied: Collection[GroupChange], changed: int) -> tuple[GroupChange, ...]:
    """The lines as the proposal keeps them."""
    if changed <= _MOST_APPLIED:
        return tuple(applied)
    return tuple(msgspec.structs.replace(line, photos=(), unlisted=len(line.photos)) for line in applied)


def _prefixes(contents: bytes) -> npt.NDArray[np.uint64]:
    """The first 8 bytes of each hash: enough to tell who was looked at."""
    return np.frombuffer(contents, np.uint8).reshape(-1, HASH)[:, :8].copy().view(np.uint64).ravel()
