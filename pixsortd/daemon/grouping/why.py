"""Why a photo is in its group, or in none: what speaks for it, what the user said, and what another group needs."""

from collections.abc import Callable, Sequence

import msgspec

from pixsortd.api.ports import Grouping, Passport, Rival
from pixsortd.daemon.search import Searcher
from pixsortd.grouping.constraints import title
from pixsortd.grouping.join import NEAREST, NEIGHBOURS, Candidate, Verdict, judged
from pixsortd.index.store import Store
from pixsortd.records import Constraints, Membership, Relation

_RIVALS = 3


class GroupingReasons:
    """Tells of single photos, from the index and the decisions; a search each."""

    def __init__(self, store: Store, searcher: Searcher, constraints: Callable[[], Constraints]) -> None:
        self._store = store
        self._searcher = searcher
        self._constraints = constraints

    def told(self, passport: Passport) -> Passport:
        """The passport with why the photo is in its group."""
        entry = passport.image
        if entry is None or entry.photo is None or entry.sha256 is None:
            return passport
        return msgspec.structs.replace(passport, grouping=self.of(entry.sha256))

    def of(self, sha256: bytes) -> Grouping:
        """The place of one photo."""
        constraints = self._constraints()
        membership = self._store.membership(sha256)
        verdict = self._judged(sha256, constraints)
        own = None if membership is None else membership.group
        mine = next((one for one in verdict.candidates if one.group == own), None)
        rivals = [one for one in verdict.candidates if one.group != own][:_RIVALS]
        constraint = decided(sha256, own, constraints)
        return Grouping(
            group=own,
            name=constraints.names.get(own or ""),
            how=membership.how if membership else "decided" if sha256 in constraints.placed else "none",
            strength=None if membership is None else membership.strength,
            similarity=_similarity(membership, mine),
            nearest=_nearest(membership, mine),
            constraint=constraint,
            unsure=_unsure(membership, verdict, constraints) if constraint is None else None,
            rivals=tuple(self._rival(one, sha256, constraints) for one in rivals),
        )

    def _judged(self, sha256: bytes, constraints: Constraints) -> Verdict:
        space = self._searcher.active()
        vector = self._store.embedding(space.key, sha256) if space is not None else None
        if space is None or vector is None:
            return Verdict(None, ())
        near = self._searcher.near(space, vector, NEIGHBOURS, exclude=(sha256,))
        barred = constraints.barred.get(sha256, frozenset())
        return judged(near, self._store.membership, self._store.group, barred)

    def _rival(self, one: Candidate, sha256: bytes, constraints: Constraints) -> Rival:
        return Rival(
            group=one.group,
            name=constraints.names.get(one.group),
            similarity=one.similarity,
            needs=needs(one, sha256, constraints),
        )


def decided(sha256: bytes, group: str | None, constraints: Constraints) -> str | None:
    """What of the user's words decides where a photo is, in words."""
    if sha256 in constraints.placed:
        home = constraints.placed[sha256]
        return "You took it out of all groups." if home is None else f"You put it into {title(home, constraints)}."
    if sha256 in constraints.locked.get(group or "", frozenset()):
        return "Its group is locked: no clustering takes photos out or puts any in."
    kept = next((unit for unit in constraints.together if sha256 in unit), ())
    if kept:
        return f"You keep it {Relation.TOGETHER} with {len(kept) - 1} other photo{'s' * (len(kept) > 2)}."
    return None


def needs(one: Candidate, sha256: bytes, constraints: Constraints) -> str:
    """What a group would need to take a photo in, in words."""
    if one.group in constraints.barred.get(sha256, frozenset()):
        return "You said that it never belongs there."
    if one.group in constraints.locked:
        return "The group is locked: only you can put it there."
    if sha256 in constraints.placed:
        return "You decided where it is: only you can move it there."
    if one.fits:
        return "It is near enough, but the last clustering found it elsewhere or alone."
    return f"A mean likeness of {one.needs:.2f} to its nearest members; it is {one.similarity:.2f}."


def _similarity(membership: Membership | None, mine: Candidate | None) -> float | None:
    if membership is not None and membership.similarity is not None:
        return membership.similarity
    return None if mine is None else mine.similarity


def _nearest(membership: Membership | None, mine: Candidate | None) -> tuple[bytes, ...]:
    if membership is not None and membership.nearest:
        return membership.nearest
    return () if mine is None else mine.nearest[:NEAREST]


def _unsure(membership: Membership | None, verdict: Verdict, constraints: Constraints) -> str | None:
    """Why a photo is in no group, or only just in its own, in words."""
    if membership is None:
        best: Sequence[Candidate] = verdict.candidates[:1]
        if not best:
            return "None of the photos most like it is in a group."
        name = title(best[0].group, constraints)
        if best[0].fits:
            return f"It is near enough to {name}, but was not put there."
        return (
            f"It is nearest to {name}, with a mean likeness of {best[0].similarity:.2f} to its nearest members: "
            f"too little, for their density and for how near other photos are. {best[0].needs:.2f} would do."
        )
    outdone = [one for one in verdict.candidates if one.group != membership.group and one.fits]
    if outdone:
        return f"By its nearest photos it would rather be in {title(outdone[0].group, constraints)}."
    return None
