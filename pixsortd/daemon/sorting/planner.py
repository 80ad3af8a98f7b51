"""The plan of an inbox as it would be made now: its files, the rules, and what is at the destinations, put together."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec.structs import replace

from pixsortd.config import Settings
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.sorting.world import Look
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import Companion, Place, Plan, RootRecord, Subject, Unmoved
from pixsortd.sorting.planning.forward import plan
from pixsortd.sorting.planning.late import Late
from pixsortd.sorting.planning.world import Terms
from pixsortd.sorting.rules import Choice, Rules

UNSETTLED = "a file that belongs to it may still be growing"
"""Why a photo waits for the next look; the watchers let only photos settle."""


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...


class Subjects(Protocol):
    """Who tells what rules can ask of files."""

    def of_inbox(self, root: str) -> Iterator[Subject]: ...


class Stragglers(Protocol):
    """Who finds files whose photos are elsewhere already."""

    def of_inbox(self, root: str) -> Iterator[Late]: ...


class Memory(Protocol):
    """What was said and done before."""

    def approved(self, root: str) -> frozenset[str]: ...
    def refused(self) -> frozenset[tuple[bytes, str]]: ...
    def held(self) -> frozenset[tuple[bytes, str]]: ...
    def done(self) -> frozenset[tuple[bytes, str]]: ...


class Planner:
    """Makes plans; nothing is kept from one to the next. Callable from any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        roots: Roots,
        subjects: Subjects,
        stragglers: Stragglers,
        rules: Callable[[], Rules],
        memory: Memory,
        compare: Callable[[Iterable[Scored]], Comparison],
        unscored: Callable[[Sequence[bytes]], Collection[bytes]],
        photos: Collection[bytes],
    ) -> None:
        """``photos`` are extensions, lower-case with dot; ``compare`` tells what scores mean in the library.

        ``unscored`` are those among photos that will have more scores soon; rules that ask for them wait.
        """
        self._settings = settings
        self._store = store
        self._roots = roots
        self._subjects = subjects
        self._stragglers = stragglers
        self._rules = rules
        self._memory = memory
        self._compare = compare
        self._unscored = unscored
        self._photos = photos

    def plan(self, root: str, going: Collection[bytes]) -> Plan:
        """What sorting would do to an inbox now; ``going`` are absolute paths of files that are about to be moved.

        Raises ``PixsortdError`` where that cannot be told.
        """
        now, rules = time.time(), self._rules()
        terms = Terms(
            root=root,
            at=now,
            photos=self._photos,
            rules=rules.digest,
            floor=self._settings().sort.free_floor,
            approved=self._memory.approved(root),
            refused=self._memory.refused(),
            held=self._memory.held(),
            done=self._memory.done(),
        )
        untaken: dict[Place, str] = {}
        later: list[Unmoved] = []
        subjects = list(self._subjects.of_inbox(root))
        unscored = self._unscored([one.image for one in subjects]) if rules.weigh_scores else frozenset()
        young = now - self._settings().watch.quiet

        def is_young(one: Companion) -> bool:
            return young < one.stamp.ctime_ns / 1e9 <= now

        def late() -> Iterator[Late]:
            for one in self._stragglers.of_inbox(root):
                if is_young(one.file):
                    later.append(Unmoved(place=one.file.place, image=one.image, why=UNSETTLED))
                elif one.file.place.absolute not in going:
                    yield one

        def chosen() -> Iterator[tuple[Subject, tuple[Choice, ...]]]:
            for subject in subjects:
                if subject.place.absolute in going:
                    continue
                growing = any(map(is_young, subject.companions))
                if growing or subject.image in unscored:
                    why = UNSETTLED if growing else "its scores are still being computed"
                    later.append(Unmoved(place=subject.place, image=subject.image, why=why))
                    continue
                choices = rules.decide(subject, now)
                if not choices:
                    untaken[subject.place] = rules.untaken(subject, now)
                yield subject, choices

        made = plan(chosen(), Look(self._store, self._roots.records(), self._compare), terms, late())
        unmoved = [replace(one, why=untaken.get(one.place, one.why)) for one in made.unmoved]
        return replace(made, unmoved=tuple(sorted((*unmoved, *later), key=lambda one: one.place.absolute)))
