"""The law that sorting is held to: no content loses a file but into the trash, and nothing that was moved stays.

The files of every content that a plan concerns are counted before it and after it, each looked at on disk.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from pixsortd.records import Action, FileRow, Place, PlanStep, Reason, Record
from pixsortd.sorting.disk import Directories, alike, is_file_of, look

_MAKES = frozenset((Action.COPY, Action.HARDLINK, Action.REFLINK))
"""What leaves one more file of a content behind."""


class Index(Protocol):
    """What is asked of the index."""

    def locations(self, sha256: bytes) -> list[FileRow]: ...


class Wrong(Record, frozen=True, kw_only=True):
    """A content whose files do not add up after a plan."""

    image: bytes
    expected: int
    found: int


class Audit:
    """Counts files. Callable from any thread."""

    def __init__(
        self, index: Index, online: Callable[[], Mapping[str, bytes]], discarded: Callable[[bytes], int]
    ) -> None:
        """``online`` gives the paths of the roots that can be read, ``discarded`` says how many files of a content
        are in the trash."""
        self._index = index
        self._online = online
        self._discarded = discarded
        self.plans = 0
        """Plans that were looked at."""
        self.failures = 0
        """Contents whose files did not add up."""
        self._last: tuple[str, Sequence[Wrong]] = ("", ())

    def counted(self, images: Collection[bytes]) -> Counter[bytes]:
        """Files by content: those that are really there, and those in the trash."""
        online, found = self._online(), Counter[bytes]()
        for image in images:
            there = (_is_there(online, row) for row in self._index.locations(image))
            found[image] = self._discarded(image) + sum(there)
        return found

    def judge(self, plan: str, before: Mapping[bytes, int], done: Sequence[PlanStep]) -> Sequence[Wrong]:
        """Compare with what was counted before these steps were done; the contents that do not add up."""
        expected = Counter(before)
        for step in done:
            if step.action in _MAKES:
                expected[step.image] += -1 if step.back else 1
        after = self.counted(before.keys())
        wrong = [
            Wrong(image=image, expected=expected[image], found=after[image])
            for image in before
            if after[image] < expected[image]
        ]
        wrong += self._doubled(done, after)
        self.plans += 1
        if wrong:
            self.failures += len(wrong)
            self._last = plan, wrong
        return wrong

    def _doubled(self, done: Sequence[PlanStep], after: Mapping[bytes, int]) -> Iterator[Wrong]:
        """What was moved, and is still where it was."""
        for step in done:
            first = step.files[0]
            if step.action is Action.MOVE and is_file_of(_seen(first.source), first.stamp):
                yield Wrong(image=step.image, expected=after[step.image] - 1, found=after[step.image])

    def notices(self) -> Iterator[Reason]:
        """What a person has to know."""
        plan, wrong = self._last
        if wrong:
            shown = ", ".join(one.image.hex()[:12] for one in wrong[:3])
            yield Reason(
                code="sort-audit",
                message=f"after the plan {plan} the files of {len(wrong)} photos did not add up, such as {shown}",
                next_step=f"`pixsortd sort log {plan}` says what was done with each file; if you changed them yourself"
                " meanwhile, nothing is wrong.",
            )


def concerned(steps: Sequence[PlanStep]) -> frozenset[bytes]:
    """Every content that steps do something with."""
    files = (file.sha256 for step in steps for file in (*step.displaced, *step.returned))
    return frozenset((*(step.image for step in steps), *(sha256 for sha256 in files if sha256 is not None)))


def _is_there(online: Mapping[str, bytes], row: FileRow) -> bool:
    if row.root not in online or row.stamp is None:
        return False
    return alike(_seen(Place(base=online[row.root], path=row.path)), row.stamp)


def _seen(place: Place) -> os.stat_result | None:
    try:
        with Directories() as directories:
            return look(directories, place)
    except OSError:
        return None
