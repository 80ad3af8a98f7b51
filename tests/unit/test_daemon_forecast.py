"""How long the rest will take: made libraries of mixed files go through a made line of known costs."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.api.ports import StageName
from pixsortd.daemon.pipeline.course import Course, alike
from pixsortd.daemon.pipeline.forecast import Costs, Done, Forecast, Speed
from pixsortd.records import Analysis, FileRow, FileState, Lot
from tests.unit.index_material import ROOT, content, stamp

FIXED = 0.03
"""Worker seconds that every file costs."""
BATCH = 32

# Suffix, typical bytes, their spread, megapixels, seconds a megapixel, seconds a byte.
PHOTO = (b".jpg", 4.2e6, 0.35, 12.0, 3e-3, 2e-9)
OLD = (b".jpg", 1.3e6, 0.3, 5.0, 3e-3, 2e-9)
HEIC = (b".heic", 2e6, 0.3, 12.0, 25e-3, 2e-9)
SHOT = (b".png", 3e5, 0.8, 2.5, 10e-3, 2e-9)
WEB = (b".webp", 1e5, 0.6, 1.0, 12e-3, 2e-9)
PANORAMA = (b".jpg", 6e7, 0.3, 200.0, 3e-3, 2e-9)

Kind = tuple[bytes, float, float, float, float, float]
File = tuple[bytes, int, float]
"""Suffix, bytes, worker seconds."""
Mix = Mapping[Kind, float]


def library(rng: random.Random, count: int, *phases: tuple[float, Mix]) -> list[File]:
    """Files in the order in which they are worked on; each phase has a share of them and a mix of its own."""
    files = []
    for share, mix in phases:
        for kind in rng.choices(list(mix), list(mix.values()), k=int(share * count)):
            suffix, typical, spread, megapixels, a_megapixel, a_byte = kind
            size = int(typical * rng.lognormvariate(0, spread))
            seconds = (FIXED + megapixels * a_megapixel + size * a_byte) * rng.lognormvariate(0, 0.15)
            files.append((suffix, size, seconds))
    return files


def on_cores(batch: Sequence[File]) -> float:
    """Two cores, a little time for each commit."""
    return sum(seconds for *_, seconds in batch) / 1.9 + 1e-3 * len(batch)


def beside_a_gpu(batch: Sequence[File]) -> float:
    """Sixteen cores decode while a GPU takes an even time for each file: the slower one counts."""
    decode = sum(seconds - 0.8 * FIXED for *_, seconds in batch) / 14
    return max(decode, 1.5e-3 * len(batch)) + 1.2e-3 * len(batch)


class Run:
    """A library on its way through a line."""

    def __init__(self, files: Sequence[File], wall: Callable[[Sequence[File]], float], rng: random.Random) -> None:
        self.files, self.wall, self.rng = files, wall, rng
        self.waiting: Counter[tuple[bytes, int]] = Counter()
        self.bytes: Counter[tuple[bytes, int]] = Counter()
        for suffix, size, _ in files:
            self.waiting[suffix, size.bit_length()] += 1
            self.bytes[suffix, size.bit_length()] += size
        self.forecast = Forecast()

    def lots(self) -> list[Lot]:
        return [
            Lot(suffix=suffix, magnitude=magnitude, files=count, bytes=self.bytes[suffix, magnitude])
            for (suffix, magnitude), count in self.waiting.items()
            if count
        ]

    def errors(self, at: Sequence[float], disturb: Callable[[int], float | None] = lambda _: 0.0) -> list[float]:
        """How far off the foretold time was when these shares of the files were done, as a share of the truth.

        ``disturb`` gives the seconds something else took before a batch; None stands for a worker that started.
        """
        told, clock, asked = [], 0.0, list(at)
        for start in range(0, len(self.files), BATCH):
            batch = self.files[start : start + BATCH]
            extra, wall = disturb(start // BATCH), self.wall(batch) * self.rng.lognormvariate(0, 0.1)
            clock += wall + (extra or 0.0)
            for suffix, size, _ in batch:
                self.waiting[suffix, size.bit_length()] -= 1
                self.bytes[suffix, size.bit_length()] -= size
            done = [Done(suffix=suffix, size=size, seconds=seconds) for suffix, size, seconds in batch]
            self.forecast.learn(done, None if extra is None or not start else wall + extra)
            while asked and start + len(batch) >= asked[0] * len(self.files):
                told.append((clock, self.forecast.seconds(self.lots())))
                asked.pop(0)
        return [float("inf") if eta is None else abs(eta / (clock - then) - 1) for then, eta in told]


SHARES = (0.1, 0.25, 0.5, 0.75)

LIBRARIES: dict[str, tuple[tuple[float, Mix], ...]] = {
    "one camera": ((1.0, {PHOTO: 1}),),
    "a mixed library": ((1.0, {PHOTO: 0.6, SHOT: 0.25, OLD: 0.1, WEB: 0.05, PANORAMA: 0.003}),),
    "phones, then screenshots": ((0.5, {PHOTO: 0.8, SHOT: 0.2}), (0.5, {PHOTO: 0.2, SHOT: 0.7, WEB: 0.1})),
    "heic, then ever more jpeg": ((0.3, {HEIC: 0.8, PHOTO: 0.2}), (0.7, {HEIC: 0.1, PHOTO: 0.9})),
    "an older camera": ((0.5, {PHOTO: 0.9, OLD: 0.1}), (0.5, {OLD: 0.9, SHOT: 0.1})),
    "panoramas": ((0.5, {PHOTO: 0.98, PANORAMA: 0.02}), (0.5, {PHOTO: 0.95, PANORAMA: 0.05})),
}


@pytest.mark.parametrize("wall", [on_cores, beside_a_gpu])
@pytest.mark.parametrize("mix", LIBRARIES)
def test_within_a_fifth_from_the_first_tenth_on(mix, wall):
    for seed in range(4):
        rng = random.Random(seed)
        run = Run(library(rng, 5000, *LIBRARIES[mix]), wall, rng)
        assert max(run.errors(SHARES)) < 0.2


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2000, 6000),
    first=st.tuples(*[st.floats(0.1, 1.0)] * 4),
    then=st.tuples(*[st.floats(0.1, 1.0)] * 4),
)
def test_any_two_mixes_of_known_kinds_in_sequence(seed, count, first, then):
    rng = random.Random(seed)
    kinds = (PHOTO, OLD, SHOT, HEIC)
    mixes = [dict(zip(kinds, weights, strict=True)) for weights in (first, then)]
    run = Run(library(rng, count, (0.5, mixes[0]), (0.5, mixes[1])), on_cores, rng)
    assert max(run.errors(SHARES)) < 0.25


def test_a_kind_never_seen_costs_about_what_its_bytes_would_have_cost_others():
    rng = random.Random(1)
    run = Run(library(rng, 4000, (0.5, {PHOTO: 1}), (0.5, {OLD: 1})), on_cores, rng)
    assert max(run.errors(SHARES)) < 0.35


def test_workers_that_start_and_moments_of_other_work_are_no_measure():
    def disturb(batch: int) -> float | None:
        if batch % 40 == 20:
            return None
        return 60.0 if batch in (5, 60) else 0.0

    rng = random.Random(2)
    run = Run(library(rng, 5000, (1.0, {PHOTO: 0.7, SHOT: 0.3})), on_cores, rng)
    told = run.errors((0.5, 0.75), disturb)
    assert max(told) < 0.2


def test_a_machine_that_becomes_slower_is_noticed():
    rng = random.Random(3)
    files = library(rng, 12_000, (1.0, {PHOTO: 1}))
    half = {id(file) for file in files[:6000]}
    run = Run(files, lambda batch: on_cores(batch) * (1.0 if id(batch[0]) in half else 3.0), rng)
    assert run.errors((0.9,))[0] < 0.2


def test_nothing_is_foretold_from_nothing():
    forecast = Forecast()
    lots = [Lot(suffix=b".jpg", magnitude=20, files=10, bytes=10 << 19)]
    assert forecast.seconds(lots) is None
    forecast.learn([Done(suffix=b".jpg", size=600_000, seconds=0.1)] * 32, None)
    assert forecast.seconds(lots) is None, "it took a time that nobody knows"
    forecast.learn([Done(suffix=b".jpg", size=600_000, seconds=0.1)] * 32, 1.6)
    assert forecast.seconds(lots) == pytest.approx(0.5, rel=0.1)
    assert forecast.seconds([]) == 0.0


def test_files_that_were_known_cost_what_passing_them_does():
    forecast = Forecast()
    for _ in range(10):
        forecast.learn([Done(suffix=b".jpg", size=600_000, seconds=0.0)] * 100, 0.5)
    assert forecast.seconds([Lot(suffix=b".jpg", magnitude=20, files=1000, bytes=10**9)]) == pytest.approx(5.0)


def test_after_a_rest_a_new_cost_soon_counts_for_more_than_the_old_one():
    costs = Costs()
    for _ in range(1000):
        costs.learn(Done(suffix=b".jpg", size=1000, seconds=1.0))
    costs.relax()
    for _ in range(32):
        costs.learn(Done(suffix=b".jpg", size=1000, seconds=0.1))
    lots = [Lot(suffix=b".jpg", magnitude=10, files=1, bytes=1000)]
    assert 0.1 < costs.of(lots) < 0.35


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(1, 500), st.floats(1e-4, 500)), min_size=1, max_size=30),
    st.floats(0, 1e4),
    st.integers(0, 10**5),
)
def test_speed_is_finite_never_negative_and_explains_what_was_seen(steps, work, files):
    speed = Speed()
    for step in steps:
        speed.learn(*step)
    assert 0.0 <= speed.of(work, files) < float("inf")
    if len(steps) == 1:
        assert speed.of(steps[0][0], steps[0][1]) == pytest.approx(steps[0][2], rel=1e-6)


# --- the course of the line ----------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def results(count: int, seconds: float = 0.1) -> list[tuple[FileRow, Analysis]]:
    row = FileRow(root=ROOT, path=b"a/b.JPG", state=FileState.PENDING, stamp=stamp(1, size=1000))
    return [(row, Analysis(id=0, sha256=content(b"x"), seconds={"read": seconds}))] * count


LOTS = [Lot(suffix=b".jpg", magnitude=10, files=60, bytes=60_000)]


@pytest.fixture
def line():
    clock = Clock()
    return Course(clock), clock


def step(course: Course, clock: Clock, count: int, seconds: float) -> None:
    clock.now += seconds
    course.done(results(count))


def test_the_start_of_a_worker_and_the_time_between_two_jobs_do_not_count(line):
    course, clock = line
    course.begin(StageName.ANALYZE, cold=True)
    step(course, clock, 10, 30.0)
    assert course.per_second(StageName.ANALYZE) == 0.0
    step(course, clock, 10, 5.0)
    course.halt()
    clock.now += 20.0
    course.begin(StageName.ANALYZE, cold=False)
    step(course, clock, 10, 5.0)
    assert course.per_second(StageName.ANALYZE) == 2.0
    assert course.seconds(StageName.ANALYZE, LOTS) == pytest.approx(30.0, rel=0.01)
    clock.now += 61.0
    assert course.per_second(StageName.ANALYZE) == 0.0


def test_the_next_batch_may_be_sent_before_the_first_is_committed(line):
    course, clock = line
    course.begin(StageName.ANALYZE, cold=True)
    clock.now += 30.0
    course.begin(StageName.ANALYZE, cold=False)
    step(course, clock, 10, 0.1)
    step(course, clock, 10, 5.0)
    assert course.per_second(StageName.ANALYZE) == 2.0


def test_what_is_committed_after_a_halt_begins_no_new_measure(line):
    course, clock = line
    course.begin(StageName.ANALYZE, cold=False)
    step(course, clock, 10, 5.0)
    course.halt()
    step(course, clock, 10, 1.0)
    clock.now += 100.0
    course.begin(StageName.ANALYZE, cold=False)
    step(course, clock, 10, 5.0)
    assert course.per_second(StageName.ANALYZE) == 2.0


def test_lanes_know_only_their_own_work(line):
    course, clock = line
    course.begin(StageName.ANALYZE, cold=False)
    step(course, clock, 20, 10.0)
    course.begin(StageName.SCORE, cold=False)
    step(course, clock, 5, 10.0)
    assert course.per_second(StageName.ANALYZE) == 2.0
    assert course.per_second(StageName.SCORE) == 0.5
    assert course.seconds(StageName.SCORE, alike(10)) == pytest.approx(20.0, rel=0.02)
    assert alike(0) == []
    course.rest()
    assert course.seconds(StageName.SCORE, alike(10)) == pytest.approx(20.0, rel=0.02), "it is remembered"
