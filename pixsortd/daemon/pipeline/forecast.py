"""How long what waits will take, learned from what was done. Pure: knows no clock and reads nothing.

Files differ a hundredfold in what they cost, and the order of work sorts them by age, not by size, so
that a rate of files says little of the files to come. Two things are learned instead: what a file of
each kind and size costs a worker (``Costs``), and how fast the line gets through such costs
(``Speed``), which holds whatever the mix. ``Forecast`` puts them together.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from pixsortd.records import Lot, Record

RECENT_FILES = 400
"""A mean cost forgets files beyond these: models come and go, and machines get busy."""
FORMER_FILES = 8
"""What a mean cost from before a rest still counts for: another backlog may want other things of each file."""
TRUSTED_FILES = 2.0
"""Files of a kind that weigh as much as what kinds have in common."""
EVEN_SHARE = 0.5
"""Share of a cost that does not grow with the file, as long as all files seen were about the same size."""

PER_BYTE = {
    b".png": 5.0,
    b".webp": 12.0,
    b".heic": 12.0,
    b".heif": 12.0,
    b".avif": 12.0,
    b".tif": 0.5,
    b".tiff": 0.5,
    b".bmp": 0.2,
}
"""About how many times a JPEG's byte a byte of these costs, for as long as none of them was seen."""

RECENT_SECONDS = 300.0
"""Work this long ago counts a third in the speed."""
FORMER_SECONDS = 5.0
"""What the speed from before a rest still counts for."""
RELUCTANCE = 0.05
"""To lay time on the files where it could as well be the worker's: batches that are all alike tell neither."""
SURPRISE = 4.0
"""A step that took longer than this many times what was expected had another cause than its files."""
ENOUGH_SECONDS = 1.0
"""Less work than this tells nothing."""


class Done(Record, frozen=True, kw_only=True):
    """One file that was dealt with."""

    suffix: bytes
    size: int
    seconds: float
    """Worker time it took, summed over threads; 0 for one that was known already."""


class _Mean:
    """Files, and their mean seconds and burden."""

    __slots__ = ("burden", "files", "seconds")

    def __init__(self) -> None:
        self.files = self.seconds = self.burden = 0.0

    def add(self, seconds: float, burden: float) -> None:
        self.files = min(self.files + 1.0, RECENT_FILES)
        self.seconds += (seconds - self.seconds) / self.files
        self.burden += (burden - self.burden) / self.files


class Costs:
    """Worker seconds of a file, by its suffix and the power of two its size lies under.

    A lot that was seen has its own mean. One that was not is taken to cost what its burden, the bytes
    times ``PER_BYTE`` of its suffix, would have cost others (a straight line over all that was seen),
    times what its suffix is known to cost more or less than that.
    """

    def __init__(self) -> None:
        self._means: dict[tuple[bytes, int], _Mean] = {}

    def learn(self, done: Done) -> None:
        """One more file."""
        mean = self._means.setdefault((done.suffix, done.size.bit_length()), _Mean())
        mean.add(done.seconds, burden(done.suffix, done.size))

    def relax(self) -> None:
        """What follows may cost something else."""
        for mean in self._means.values():
            mean.files = min(mean.files, FORMER_FILES)

    def of(self, lots: Iterable[Lot]) -> float:
        """Worker seconds of all these files."""
        even, slope = self._line()
        factors = self._factors(even, slope)
        total = 0.0
        for lot in lots:
            line = even + slope * burden(lot.suffix, lot.bytes) / lot.files
            expected, own = line * factors.get(lot.suffix, 1.0), self._means.get((lot.suffix, lot.magnitude))
            files, seconds = (own.files, own.seconds) if own is not None else (0.0, 0.0)
            total += lot.files * (files * seconds + TRUSTED_FILES * expected) / (files + TRUSTED_FILES)
        return total

    def _line(self) -> tuple[float, float]:
        """Seconds that any file costs, and seconds for each unit of burden."""
        means = self._means.values()
        files = sum(mean.files for mean in means)
        if not files:
            return 0.0, 0.0
        seconds = sum(mean.files * mean.seconds for mean in means) / files
        middle = max(1.0, sum(mean.files * mean.burden for mean in means) / files)
        # Burdens that hardly differ say nothing of the slope: a guess counts for a few files of twice the mean.
        guessed = TRUSTED_FILES * middle * middle
        spread = sum(mean.files * (mean.burden - middle) ** 2 for mean in means)
        together = sum(mean.files * (mean.burden - middle) * (mean.seconds - seconds) for mean in means)
        steepest = seconds / middle
        slope = (together + guessed * (1.0 - EVEN_SHARE) * steepest) / (spread + guessed)
        slope = min(max(0.0, slope), steepest)
        return seconds - slope * middle, slope

    def _factors(self, even: float, slope: float) -> Mapping[bytes, float]:
        """By suffix: how many times the line its files cost."""
        sums: dict[bytes, tuple[float, float, float]] = {}
        for (suffix, _), mean in self._means.items():
            files, seconds, line = sums.get(suffix, (0.0, 0.0, 0.0))
            expected = mean.files * (even + slope * mean.burden)
            sums[suffix] = files + mean.files, seconds + mean.files * mean.seconds, line + expected
        factors = {}
        for suffix, (files, seconds, line) in sums.items():
            common = TRUSTED_FILES * line / files
            factors[suffix] = (seconds + common) / (line + common) if line else 1.0
        return factors


def burden(suffix: bytes, size: int) -> float:
    """What ``size`` bytes of that kind are in bytes of JPEG."""
    return size * PER_BYTE.get(suffix, 1.0)


class Speed:
    """How time passes: so much for each worker second, and so much for each file whatever it holds.

    The two are fitted to the steps of the last minutes by least squares, none below zero, and scaled so
    that together they explain all the time that passed. What took far longer than expected is cut.
    """

    def __init__(self) -> None:
        self._work = self._files = self._wall = 0.0
        self._moments = [0.0] * 5
        self.seen = 0.0
        """Seconds of work this rests on."""

    def learn(self, work: float, files: int, wall: float) -> None:
        """``files`` that cost ``work`` worker seconds took ``wall`` seconds."""
        if self.seen >= ENOUGH_SECONDS and work > 0.0:
            wall = min(wall, max(1.0, SURPRISE * self.of(work, files)))
        self._scale(math.exp(-wall / RECENT_SECONDS))
        self._work += work
        self._files += files
        self._wall += wall
        # Steps count by the time they took, not by its square.
        weight = 1.0 / max(wall, 1e-3)
        fresh = (work * work, work * files, files * files, work * wall, files * wall)
        self._moments = [old + weight * new for old, new in zip(self._moments, fresh, strict=True)]
        self.seen += wall

    def relax(self) -> None:
        """What follows may go at another speed."""
        if self._wall > FORMER_SECONDS:
            self._scale(FORMER_SECONDS / self._wall)

    def of(self, work: float, files: int) -> float:
        """Seconds until ``files`` of ``work`` worker seconds are done."""
        a_second, a_file = self._fit()
        explained = a_second * self._work + a_file * self._files
        return (a_second * work + a_file * files) * self._wall / explained if explained else 0.0

    def _fit(self) -> tuple[float, float]:
        """Seconds for a worker second and for a file."""
        work2, both, files2, work_wall, files_wall = self._moments
        files2 *= 1.0 + RELUCTANCE
        if not work2:
            return 0.0, files_wall / files2 if files2 else 0.0
        bound = work2 * files2 - both * both
        a_second, a_file = work_wall * files2 - files_wall * both, files_wall * work2 - work_wall * both
        if bound <= 0.0 or a_file < 0.0:
            return work_wall / work2, 0.0
        return (0.0, files_wall / files2) if a_second < 0.0 else (a_second / bound, a_file / bound)

    def _scale(self, share: float) -> None:
        self._work, self._files, self._wall = self._work * share, self._files * share, self._wall * share
        self._moments = [moment * share for moment in self._moments]


class Forecast:
    """What was done, and how long the rest of it will take."""

    def __init__(self) -> None:
        self._costs = Costs()
        self._speed = Speed()

    def learn(self, done: Iterable[Done], wall: float | None) -> None:
        """These files are dealt with; ``wall`` seconds passed meanwhile, None where that is not known."""
        work, files = 0.0, 0
        for one in done:
            self._costs.learn(one)
            work += one.seconds
            files += 1
        if wall is not None:
            self._speed.learn(work, files, wall)

    def relax(self) -> None:
        """There was nothing to do; what comes next may be another kind of work."""
        self._costs.relax()
        self._speed.relax()

    def seconds(self, lots: Sequence[Lot]) -> float | None:
        """Seconds until all of these are done; None before enough was seen."""
        if self._speed.seen < ENOUGH_SECONDS:
            return None
        return self._speed.of(self._costs.of(lots), sum(lot.files for lot in lots))
