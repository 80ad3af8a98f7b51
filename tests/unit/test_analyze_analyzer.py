"""Batches of files through the analysis, with models made for the test."""

import io
import math
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixsortd.analyze import fault_hook
from pixsortd.analyze.analyzer import Analyzer
from pixsortd.analyze.batches import Failed, Limit, in_batches, is_out_of_memory
from pixsortd.analyze.device import resolve_device
from pixsortd.analyze.ports import Array, Embedder, Floats, Metric, Picture
from pixsortd.analyze.view import ImageView
from pixsortd.config import DecodeSettings, EmbedSettings, ScoreSettings, Settings
from pixsortd.errors import ModelProblem, WeightsMissing
from pixsortd.records import AbilityState, Analysis, FileStamp, Fingerprint, MetricInfo, Space, Wants, WorkItem
from tests.conftest import MakePhoto, draw, write_photo

ALL = Wants(photo=True, spaces=("main",), metrics=("bright",))


@pytest.fixture(autouse=True)
def pillow_as_it_was() -> Iterator[None]:
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        yield
    Image.MAX_IMAGE_PIXELS = limit


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


class Colours:
    """An embedder: the mean colour. Takes ``most`` pictures at once and chokes on those of ``poison`` red."""

    device = "cpu"
    needs = 32

    def __init__(self, name: str = "main", most: int = 1000, poison: float = -100.0, broken: bool = False) -> None:
        self.space = Space(name=name, model="colours", revision="1", preprocessing="mean", dim=3)
        self.most, self.poison, self.broken = most, poison, broken
        self.batches: list[int] = []
        self.sizes: list[tuple[int, int]] = []

    def prepare(self, view: ImageView) -> Array:
        self.sizes.append((view.width, view.height))
        return np.asarray(view.resized((1, 1), Image.Resampling.BOX), np.float32).reshape(3)

    def embed(self, batch: Array) -> Floats:
        self.batches.append(len(batch))
        if len(batch) > self.most:
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if self.broken or (np.abs(batch[:, 0] - self.poison) < 1.5).any():
            raise ValueError("this picture breaks the model")
        vectors: Floats = batch / np.linalg.norm(batch, axis=1, keepdims=True)
        return vectors


class Brightness:
    """A metric: mean brightness; has no answer for pictures below 64 pixels."""

    device = "cpu"

    def __init__(self, most: int = 1000, broken: bool = False) -> None:
        self.info = MetricInfo(name="bright", lower_better=False, low=0.0, high=1.0)
        self.most, self.broken = most, broken
        self.shapes: list[tuple[int, ...]] = []

    def score(self, batch: Floats) -> Sequence[float]:
        assert batch.dtype == np.float32
        assert 0 <= batch.min() <= batch.max() <= 1
        self.shapes.append(batch.shape)
        if len(batch) > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 5 bytes")
        if self.broken or min(batch.shape[2:]) < 64:
            raise AssertionError("too small for this metric")
        return [float(value) for value in batch.mean((1, 2, 3))]


class Glance:
    """A metric that is computed while decoding: mean brightness, 0 to 255. Its first ``fails`` answers are errors."""

    device = "cpu"

    def __init__(self, fails: int = 0, error: Exception | None = None) -> None:
        self.info = MetricInfo(name="glance", lower_better=False, long_side=256)
        self.fails, self.error = fails, error or ValueError("odd")
        self.sizes: list[tuple[int, ...]] = []

    def measure(self, picture: Picture) -> float:
        self.sizes.append(picture.pixels.shape)
        # The first picture is the made one that every model is tried on.
        if 1 < len(self.sizes) <= 1 + self.fails:
            raise self.error
        return float(picture.pixels.mean())


def analyzer(
    embedders: dict[str, Any] | None = None, metrics: dict[str, Any] | None = None, **settings: Any
) -> Analyzer:
    """An analyzer whose models are those given; an exception stands for a model that does not load."""
    found = {"main": Colours(), "builtin": Colours("builtin"), **(embedders or {})}
    scored = {"bright": Brightness(), **(metrics or {})}

    def load_embedder(name: str, _: Settings, device: str) -> Embedder:
        return _given(found, name)  # type: ignore[no-any-return]

    def load_metric(name: str, _: Settings, device: str) -> Metric:
        return _given(scored, name)  # type: ignore[no-any-return]

    merged = {"embed": EmbedSettings(space="main"), "score": ScoreSettings(metrics=("bright",)), **settings}
    return Analyzer(Settings(**merged), 2, "cpu", load_embedder=load_embedder, load_metric=load_metric)


def _given(models: dict[str, Any], name: str) -> Any:
    if isinstance(models[name], Exception):
        raise models[name]
    return models[name]


def items_of(root: Path) -> list[WorkItem]:
    items = []
    for number, path in enumerate(sorted(path for path in root.rglob("*") if path.is_file())):
        stamp = FileStamp.of(path.stat())
        name = os.fsencode(path.relative_to(root))
        items.append(WorkItem(id=number, root=os.fsencode(root), path=name, stamp=stamp))
    return items


def run(subject: Analyzer, root: Path, wish: Wants = ALL) -> tuple[list[Fingerprint], dict[int, Analysis]]:
    prints = list(subject.fingerprint(items_of(root)))
    answers = list(subject.analyze({p.id: wish for p in prints if p.sha256}))
    assert len({a.id for a in answers}) == len(answers)
    return prints, {a.id: a for a in answers}


def test_a_photo_gets_all_that_was_wanted(tmp_path: Path, make_photo: MakePhoto) -> None:
    make_photo(tmp_path / "a.jpg", 1, (1600, 1200), DateTimeOriginal="2020:01:02 03:04:05", Make="Maker")
    prints, answers = run(analyzer(), tmp_path)
    answer = answers[0]
    assert answer.sha256 == prints[0].sha256
    photo = answer.photo
    assert photo is not None
    assert (photo.width, photo.height, photo.format, photo.frames) == (1600, 1200, "JPEG", 1)
    assert photo.exif.camera_make == "Maker"
    assert photo.size == (tmp_path / "a.jpg").stat().st_size
    assert answer.thumbnail is not None
    assert photo.thumbnail_size == len(answer.thumbnail)
    assert Image.open(io.BytesIO(answer.thumbnail)).size == (512, 384)
    (embedding,) = answer.embeddings
    vector = np.frombuffer(embedding.vector, "<f2").astype(np.float32)
    assert embedding.space.name == "main"
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
    (score,) = answer.scores
    expected = np.asarray(draw(1, (1600, 1200)), np.float32).mean() / 255
    assert score.value == pytest.approx(expected, abs=0.02)
    stages = {"read", "hash", "decode", "thumbnail", "resize", "prepare:main", "embed:main", "score:bright"}
    assert stages == set(answer.seconds)


def test_time_taken_falls_back_to_the_files(tmp_path: Path, make_photo: MakePhoto) -> None:
    os.utime(make_photo(tmp_path / "a.jpg"), (1_000_000, 1_000_000.5))
    photo = run(analyzer(), tmp_path)[1][0].photo
    assert photo is not None
    assert (photo.taken, photo.taken_from) == (1_000_000.5, "mtime")


def test_only_what_is_wanted_is_made(tmp_path: Path, make_photo: MakePhoto) -> None:
    for number in range(3):
        make_photo(tmp_path / f"{number}.jpg", number)
    subject = analyzer()
    prints = list(subject.fingerprint(items_of(tmp_path)))
    assert all(p.sha256 for p in prints)
    wants = {0: Wants(photo=True), 1: Wants(metrics=("bright",)), 2: Wants()}
    answers = {a.id: a for a in subject.analyze(wants)}
    assert set(answers) == {0, 1}
    assert answers[0].photo
    assert not answers[0].scores
    assert not answers[0].embeddings
    assert answers[1].scores
    assert answers[1].photo is None
    # The bytes are gone: the same order again has nothing to work on.
    assert list(subject.analyze(wants)) == []


def test_every_file_has_its_own_failure(tmp_path: Path, make_photo: MakePhoto) -> None:
    make_photo(tmp_path / "0.jpg")
    (tmp_path / "1.jpg").write_bytes(b"nothing")
    Image.new("RGB", (2000, 1100)).save(tmp_path / "2.png")
    make_photo(tmp_path / "3.jpg", 3)
    (tmp_path / "4.jpg").write_bytes(b"x" * 1_000_001)
    settings = {"decode": DecodeSettings(max_megapixels=2, max_bytes=type(DecodeSettings().max_bytes)(10**6))}
    prints, answers = run(analyzer(**settings), tmp_path)
    failed = {number: a.failure.code for number, a in answers.items() if a.failure}
    assert failed == {1: "decode-failed", 2: "too-large"}
    assert [p.failure.code for p in prints if p.failure] == ["too-large"]
    assert answers[0].embeddings
    assert answers[3].scores


def test_a_changed_file_is_no_failure(tmp_path: Path, make_photo: MakePhoto) -> None:
    for number in range(3):
        make_photo(tmp_path / f"{number}.jpg", number)
    items = items_of(tmp_path)
    (tmp_path / "0.jpg").write_bytes(b"new")
    (tmp_path / "1.jpg").unlink()
    prints = {p.id: p for p in analyzer().fingerprint(items)}
    assert [prints[n].changed for n in range(3)] == [True, True, False]
    assert all(p.failure is None for p in prints.values())


def test_memory_running_out_halves_the_batch_and_goes_on(tmp_path: Path) -> None:
    for number in range(21):
        write_photo(tmp_path / f"{number:02}.jpg", number, (320, 240))
    embedder, metric = Colours(most=5), Brightness(most=3)
    subject = analyzer({"main": embedder}, {"bright": metric})
    _, answers = run(subject, tmp_path)
    assert len(answers) == 21
    assert all(a.embeddings and a.scores and not a.failure for a in answers.values())
    # One for the trial at loading, then halves until it fits, and never too much again.
    assert embedder.batches == [1, 21, 10, 5, 5, 5, 5, 1]
    embedder.batches.clear()
    run(subject, tmp_path)
    assert embedder.batches == [5, 5, 5, 5, 1]


def test_a_picture_that_breaks_a_model_fails_alone(tmp_path: Path) -> None:
    for number in range(6):
        Image.new("RGB", (200, 150), (20 * number + 50, 30, 40)).save(tmp_path / f"{number}.png")
    _, answers = run(analyzer({"main": Colours(poison=90.0)}), tmp_path)
    assert [number for number, a in answers.items() if a.failure] == [2]
    assert answers[2].failure is not None
    assert "breaks the model" in answers[2].failure.message
    assert not answers[2].thumbnail


def test_a_model_that_broke_is_put_away_and_no_file_is_blamed(tmp_path: Path) -> None:
    for number in range(4):
        write_photo(tmp_path / f"{number}.jpg", number, (320, 240))
    embedder, metric = Colours(), Brightness()
    subject = analyzer({"main": embedder}, {"bright": metric})
    assert all(a.state is AbilityState.READY for a in subject.abilities())
    embedder.broken = metric.broken = True
    _, answers = run(subject, tmp_path)
    assert all(a.photo and not a.failure and not a.embeddings and not a.scores for a in answers.values())
    states = {a.name: a for a in subject.states()}
    assert states["main"].state is AbilityState.UNAVAILABLE
    assert states["main"].reason is not None
    assert states["builtin"].state is AbilityState.READY
    assert states["bright"].state is AbilityState.UNAVAILABLE
    embedder.broken = metric.broken = False
    assert {a.name: a.state for a in subject.abilities()} == {"main": "ready", "bright": "ready"}


def test_a_model_too_large_for_a_single_picture_is_put_away(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    embedder = Colours()
    subject = analyzer({"main": embedder})
    subject.abilities()
    embedder.most = 0
    answer = run(subject, tmp_path)[1][0]
    assert answer.failure is None
    assert {a.name: a.state for a in subject.states()}["main"] is AbilityState.UNAVAILABLE


def test_a_metric_without_an_answer_says_not_a_number(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "0.png")
    write_photo(tmp_path / "1.jpg")
    _, answers = run(analyzer(), tmp_path)
    assert math.isnan(answers[0].scores[0].value)
    assert math.isfinite(answers[1].scores[0].value)
    assert answers[0].failure is None


def test_scores_are_made_at_one_size_and_never_from_a_blown_up_picture(tmp_path: Path) -> None:
    sizes = [(1600, 1200), (800, 600), (1200, 1600), (300, 200), (2100, 900)]
    for number, size in enumerate(sizes):
        write_photo(tmp_path / f"{number}.jpg", number, size)
    metric = Brightness()
    run(analyzer(metrics={"bright": metric}), tmp_path)
    assert set(metric.shapes[1:]) == {(2, 3, 384, 512), (1, 3, 512, 384), (1, 3, 200, 300), (1, 3, 219, 512)}


def glancing(metric: Glance) -> Analyzer:
    return analyzer(metrics={"glance": metric}, score=ScoreSettings(metrics=("bright", "glance")))


GLANCE = Wants(photo=True, metrics=("bright", "glance"))


def test_quick_metrics_are_computed_where_a_photo_is_decoded(tmp_path: Path) -> None:
    for number in range(3):
        write_photo(tmp_path / f"{number}.jpg", number, (800, 600))
    metric, heard = Glance(), []
    subject = glancing(metric)
    subject._describer._busy = lambda stage, ids: heard.append((stage, tuple(ids)))
    assert {a.name: a.inline for a in subject.abilities()} == {"main": False, "bright": False, "glance": True}
    answers = run(subject, tmp_path, GLANCE)[1]
    for number, answer in answers.items():
        by_name = {score.metric.name: score for score in answer.scores}
        assert by_name["glance"].value == pytest.approx(by_name["bright"].value * 255, abs=1)
        assert {"score:glance", "score:bright"} <= set(answer.seconds)
        assert [stage for stage, ids in heard if ids == (number,)] == ["decode", "score:glance", ""]
    assert metric.sizes[1:] == [(192, 256, 3)] * 3


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError()])
def test_a_quick_metric_that_fails_is_tried_again_later(tmp_path: Path, error: Exception) -> None:
    write_photo(tmp_path / "a.jpg")
    (answer,) = run(glancing(Glance(1, error)), tmp_path, GLANCE)[1].values()
    assert answer.failure is None
    assert all(math.isfinite(score.value) for score in answer.scores)
    assert len(answer.scores) == 2


def test_a_quick_metric_that_broke_blames_no_file(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    subject = glancing(Glance(fails=9))
    (answer,) = run(subject, tmp_path, GLANCE)[1].values()
    assert (answer.failure, [score.metric.name for score in answer.scores]) == (None, ["bright"])
    assert {a.name: a.state for a in subject.states()}["glance"] is AbilityState.UNAVAILABLE
    odd = glancing(Glance(fails=2))
    (answer,) = run(odd, tmp_path, GLANCE)[1].values()
    assert math.isnan(next(score.value for score in answer.scores if score.metric.name == "glance"))


def test_strips_are_shown_to_models_by_their_middle(tmp_path: Path) -> None:
    Image.new("RGB", (9000, 30), "teal").save(tmp_path / "0.png")
    Image.new("RGB", (30, 9000), "teal").save(tmp_path / "1.png")
    embedder = Colours()
    run(analyzer({"main": embedder}), tmp_path)
    assert sorted(embedder.sizes[1:]) == [(30, 480), (480, 30)]


def test_a_missing_model_is_a_reason_and_builtin_stands_in() -> None:
    missing = WeightsMissing("no weights for main", next_step="pixsortd models pull main")
    abilities = {a.name: a for a in analyzer({"main": missing}).abilities()}
    assert abilities["main"].state is AbilityState.UNAVAILABLE
    assert abilities["main"].reason == missing.reason()
    assert abilities["builtin"].state is AbilityState.READY
    assert abilities["builtin"].space is not None
    assert abilities["bright"].metric is not None
    assert "builtin" not in {a.name for a in analyzer().abilities()}


@pytest.mark.parametrize(
    "error", [ImportError("no module"), ValueError("odd checkpoint"), MemoryError(), ModelProblem("no")]
)
def test_whatever_loading_raises_disables_one_model_only(error: Exception) -> None:
    abilities = {a.name: a for a in analyzer(metrics={"bright": error}).abilities()}
    assert abilities["bright"].state is AbilityState.UNAVAILABLE
    assert abilities["bright"].reason is not None
    assert abilities["bright"].reason.message
    assert abilities["main"].state is AbilityState.READY


def test_a_model_the_gpu_refuses_runs_on_the_cpu(tmp_path: Path) -> None:
    def load(name: str, _: Settings, device: str) -> Embedder:
        if device == "cuda":
            raise RuntimeError("CUDA error: device-side assert triggered")
        return Colours(name)

    settings = Settings(embed=EmbedSettings(space="main"), score=ScoreSettings(metrics=()))
    subject = Analyzer(settings, 1, "cuda", load_embedder=load, load_metric=lambda *_: Brightness())
    (ability,) = subject.abilities()
    assert (ability.state, ability.device) == (AbilityState.READY, "cpu")
    assert ability.reason is not None
    assert "device-side assert" in ability.reason.message
    # Batches are decoded ahead in parts on a GPU; every file still has its answer.
    for number in range(20):
        write_photo(tmp_path / f"{number:02}.jpg", number, (64, 48))
    assert len(run(subject, tmp_path, Wants(photo=True, spaces=("main",)))[1]) == 20


def test_on_a_gpu_full_batches_are_answered_while_others_are_still_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(11):
        write_photo(tmp_path / f"{number:02}.jpg", number, (64, 48))
    settings = Settings(embed=EmbedSettings(space="main"), score=ScoreSettings(metrics=()))
    embedder = Colours()
    subject = Analyzer(settings, 2, "cuda", load_embedder=lambda *_: embedder, load_metric=lambda *_: Brightness())
    subject.abilities()
    subject._shelf.limit("embed:main").size = 4
    embedder.batches.clear()
    items = items_of(tmp_path)
    late, go_on = items[3].id, threading.Event()
    describe = subject._describer.describe

    def slow(held: Any, *rest: Any, **more: Any) -> Any:
        assert held.item.id != late or go_on.wait(20)
        return describe(held, *rest, **more)

    monkeypatch.setattr(subject._describer, "describe", slow)
    prints = list(subject.fingerprint(items))
    answers = subject.analyze(dict.fromkeys((p.id for p in prints), Wants(photo=True, spaces=("main",))))
    first = [next(answers) for _ in range(8)]
    assert late not in {answer.id for answer in first}
    assert embedder.batches == [4, 4]
    go_on.set()
    rest = list(answers)
    assert embedder.batches == [4, 4, 3]
    assert {answer.id for answer in [*first, *rest]} == {item.id for item in items}


def test_decoding_begins_with_the_largest(tmp_path: Path) -> None:
    sizes = [(64, 48), (1600, 1200), (320, 240), (800, 600)]
    for number, size in enumerate(sizes):
        write_photo(tmp_path / f"{number}.jpg", number, size)
    heard: list[int] = []
    subject = Analyzer(
        Settings(embed=EmbedSettings(space="main"), score=ScoreSettings(metrics=())),
        1,
        "cpu",
        load_embedder=lambda *_: Colours(),
        load_metric=lambda *_: Brightness(),
        busy=lambda stage, ids: heard.extend(ids) if stage == "decode" else None,
    )
    run(subject, tmp_path, Wants(photo=True))
    assert heard == [1, 3, 2, 0]


def test_files_named_ahead_change_no_answer(tmp_path: Path) -> None:
    for number in range(6):
        write_photo(tmp_path / f"{number}.jpg", number, (320, 240))
    items = items_of(tmp_path)
    plain, hinted = analyzer(), analyzer()
    answers: list[list[Analysis]] = []
    for subject, ahead in ((plain, []), (hinted, items)):
        subject.abilities()
        found = []
        for start in (0, 3):
            part = items[start : start + 3]
            wants = {p.id: ALL for p in subject.fingerprint(part)}
            found += list(subject.analyze(wants, [item for item in ahead if item not in part]))
        answers.append([msgspec.structs.replace(one, seconds={}, scores=()) for one in found])
    assert answers[0] == answers[1]


def test_who_listens_hears_every_file_begin_and_end(tmp_path: Path) -> None:
    for number in range(3):
        write_photo(tmp_path / f"{number}.jpg", number)
    heard: list[tuple[str, tuple[int, ...]]] = []
    subject = Analyzer(
        Settings(embed=EmbedSettings(space="main"), score=ScoreSettings(metrics=("bright",))),
        2,
        "cpu",
        load_embedder=lambda *_: Colours(),
        load_metric=lambda *_: Brightness(),
        busy=lambda stage, ids: heard.append((stage, tuple(ids))),
    )
    run(subject, tmp_path)
    for ids in ((0,), (1,), (2,)):
        assert [stage for stage, of in heard if of == ids] == ["read", "", "decode", ""]
    assert ("embed:main", (0, 1, 2)) in heard
    assert ("load:main", ()) in heard
    assert heard[-1] == ("", (0, 1, 2))


def test_memory_running_out_beside_others_is_tried_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write_photo(tmp_path / f"{number}.jpg", number)
    subject = analyzer()
    decode, seen = subject._describer._decoder.decode, set()

    def crowded(data: bytes, need: Any) -> Any:
        if data not in seen:
            seen.add(data)
            raise MemoryError
        return decode(data, need)

    monkeypatch.setattr(subject._describer._decoder, "decode", crowded)
    assert all(a.photo for a in run(subject, tmp_path)[1].values())


# --- batches -------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 40), st.integers(1, 40), st.sets(st.integers(0, 59)))
def test_every_item_comes_out_once_in_order(count: int, limit: int, most: int, poison: set[int]) -> None:
    def forward(batch: Sequence[int]) -> Sequence[int]:
        if len(batch) > most:
            raise OutOfMemoryError("out of memory")
        if poison & set(batch):
            raise ValueError("bad")
        return [number * 2 for number in batch]

    seen: list[tuple[int, int | None]] = []
    size = Limit(limit)
    for batch, result in in_batches(range(count), forward, size):
        doubled = [None] if isinstance(result, Failed) else result
        seen += zip(batch, doubled, strict=True)
    assert seen == [(number, None if number in poison else number * 2) for number in range(count)]
    assert size.size <= limit


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_device_is_the_asked_one_and_auto_is_one_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_device("cuda") == "cuda"
    assert resolve_device("auto") in ("cpu", "cuda", "mps")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.path.exists", lambda _: False)
    assert resolve_device("auto") == "cpu"


def test_fault_hooks_do_nothing_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[bool] = []
    monkeypatch.setattr("os.abort", lambda: died.append(True))
    fault_hook.obey(b"poison.jpg")
    assert not died
    monkeypatch.setenv("PIXSORTD_TEST_CRASH", "poison")
    fault_hook.obey(b"fine.jpg")
    assert not died
    fault_hook.obey(b"a/poison.jpg")
    assert died
