"""Any edits and clusterings one after another: nothing the user decided is changed without being asked."""

import random
from collections.abc import Mapping

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pixsortd.decisions.curation import Curation
from pixsortd.grouping.constraints import partners, violations
from pixsortd.grouping.identity import match
from pixsortd.grouping.proposal import DECIDED, Outcome, breaks
from pixsortd.records import Relation
from tests.unit.curated_world import World

COUNT = 14
ALL = [number.to_bytes(3, "big") for number in range(COUNT)]
SUBJECTS = 4

chosen = st.lists(st.sampled_from(ALL), min_size=2, max_size=4, unique=True).map(sorted)
clusterings = st.lists(st.integers(-2, SUBJECTS - 1), min_size=COUNT, max_size=COUNT)
"""The cluster of each photo, below 0 for none."""


class Library(RuleBasedStateMachine):
    """Photos come and go, are grouped, named, moved, barred, locked, merged, split; lines are accepted and refused."""

    @initialize(labels=clusterings, most=st.sampled_from([COUNT, 4, 1]))
    def begin(self, labels: list[int], most: int) -> None:
        self.most = most
        self.world = World(ALL[:-3], most=lambda _, fresh: max(self.most, 2 * fresh))
        self.refused: set[tuple[bytes, str | None, str | None]] = set()
        self.recluster(labels, 0)

    def group(self, number: int) -> str:
        groups = self.world.groups()
        return groups[number % len(groups)]

    def some(self, photos: list[bytes]) -> list[bytes]:
        return [photo for photo in photos if photo in self.world.photos]

    some_groups = precondition(lambda self: self.world.groups())

    @some_groups
    @rule(number=st.integers(0, 9))
    def name(self, number: int) -> None:
        self.world.name(self.group(number), f"name {number}")

    @some_groups
    @rule(number=st.integers(0, 9), photos=chosen)
    def place(self, number: int, photos: list[bytes]) -> None:
        if self.some(photos):
            self.world.place(self.some(photos), self.group(number))

    @rule(photos=chosen)
    def place_nowhere(self, photos: list[bytes]) -> None:
        if self.some(photos):
            self.world.place(self.some(photos)[:1], None)

    @some_groups
    @rule(number=st.integers(0, 9), photos=chosen)
    def bar(self, number: int, photos: list[bytes]) -> None:
        if self.some(photos):
            self.world.bar(self.some(photos), self.group(number))

    @rule(photos=chosen, relation=st.sampled_from(list(Relation)))
    def relate(self, photos: list[bytes], relation: Relation) -> None:
        if len(self.some(photos)) > 1:
            self.world.relate(self.some(photos), relation)

    @some_groups
    @rule(number=st.integers(0, 9), locked=st.booleans())
    def lock(self, number: int, locked: bool) -> None:
        self.world.lock(self.group(number), locked)

    @some_groups
    @rule(one=st.integers(0, 9), other=st.integers(0, 9))
    def merge(self, one: int, other: int) -> None:
        if self.group(one) != self.group(other):
            self.world.merge(self.group(one), self.group(other))

    @some_groups
    @rule(number=st.integers(0, 9), size=st.integers(1, 4))
    def split(self, number: int, size: int) -> None:
        members = self.world.members(self.group(number))
        if len(members) > size:
            self.world.split(self.group(number), members[:size])

    @rule(photos=chosen)
    def come_and_go(self, photos: list[bytes]) -> None:
        gone = [photo for photo in photos[:2] if photo in self.world.photos]
        self.world.arrive([photo for photo in photos if photo not in self.world.photos])
        self.world.depart(gone)

    @precondition(lambda self: self.world.waiting)
    @rule(number=st.integers(0, 99), accepted=st.booleans())
    def settle(self, number: int, accepted: bool) -> None:
        line = self.world.waiting[number % len(self.world.waiting)]
        here = {self.world.now.get(photo) for photo in line.photos if photo in self.world.photos}
        broken = accepted and breaks(line, set(line.photos), self.world.now, self.world.constraints)
        if here == {line.group} and self.world.photos.issuperset(line.photos) and not broken:
            self.world.settle(line, accepted)
            if not accepted:
                self.refused.update((photo, line.group, line.to) for photo in line.photos)

    @rule(labels=clusterings, seed=st.integers(0, 9))
    def recluster(self, labels: list[int], seed: int) -> None:
        world, shuffle = self.world, random.Random(seed)
        before, seen, recent = dict(world.now), set(world.seen), world.recent
        constraints, touched = world.constraints, world.touched
        target = self.matched(labels, shuffle)
        asked = world.ask(dict(shuffle.sample(sorted(target.items()), len(target))), seen, recent)
        outcome = world.recluster(target)
        assert asked == outcome, "order does not matter"
        self.check_lines(outcome, before)

        merged, kept = constraints.merged, partners(constraints)
        decided = {photo for line in outcome.applied if line.why == DECIDED for photo in line.photos}
        together = {photo for unit in constraints.together for photo in unit}
        spoken = {*constraints.placed, *constraints.barred, *kept, *together}
        spoken |= {photo for members in constraints.locked.values() for photo in members}
        assert decided <= spoken | {photo for photo, group in before.items() if group in merged}
        for photo in world.photos:
            was, now = before.get(photo), world.now.get(photo)
            if photo in decided or was == now:
                continue
            assert was not in touched, "nobody leaves a group of the user's by himself"
            assert now not in touched or photo not in seen, "only arrivals join one"
            assert was not in constraints.locked
            assert now not in constraints.locked
            assert now not in merged
        state: Mapping[bytes, str | None] = dict.fromkeys(world.photos) | world.now
        assert violations(state, constraints) == outcome.conflicts
        assert constraints.locked or not outcome.conflicts, "only a lock may stand against another decision"
        for line in outcome.waiting:
            for photo in line.photos:
                assert (photo, line.group, line.to) not in self.refused

        again = world.ask(target, seen, recent, again=True)
        assert not again.applied, (
            "identical input changes nothing",
            again.applied,
            outcome,
            constraints,
            before,
            target,
        )
        assert again.waiting == outcome.waiting

    def matched(self, labels: list[int], shuffle: random.Random) -> dict[bytes, str | None]:
        """The clustering under lasting ids."""
        world = self.world
        clusters: dict[int, list[bytes]] = {}
        for photo, label in zip(ALL, labels, strict=True):
            if photo in world.photos and label >= 0:
                clusters.setdefault(label, []).append(photo)
        found = shuffle.sample(sorted(clusters.values()), len(clusters))
        ids = match(world.previous(), found, world.touched, merged=world.constraints.merged).ids
        target: dict[bytes, str | None] = dict.fromkeys(world.photos)
        for group, members in zip(ids, found, strict=True):
            target.update(dict.fromkeys(members, group))
        return target

    def check_lines(self, outcome: Outcome, before: Mapping[bytes, str]) -> None:
        """Each photo is in one line of either kind, which begins where the photo is."""
        for some, state in ((outcome.applied, before), (outcome.waiting, self.world.now)):
            photos = [photo for line in some for photo in line.photos]
            assert len(photos) == len(set(photos))
            assert all(state.get(photo) == line.group != line.to for line in some for photo in line.photos)
        ids = [line.id for line in (*outcome.applied, *outcome.waiting)]
        assert len(ids) == len(set(ids))
        assert all(line.waits and line.why for line in outcome.waiting)
        assert not any(line.waits for line in outcome.applied)

    def teardown(self) -> None:
        """Replay of the log gives the same constraints."""
        if hasattr(self, "world"):
            replayed = Curation()
            for past in self.world.log.since(0):
                replayed.take(past.decision)
            assert replayed.constraints() == self.world.constraints


Library.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLibrary = Library.TestCase
