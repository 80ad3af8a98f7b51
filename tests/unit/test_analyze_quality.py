"""Our NIQE, BRISQUE and PIQE: equal to pyiqa's, shared maps made once, odd pictures without an answer."""

import csv
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.metrics import brisque, contrast, distributions, filters, niqe, piqe
from pixsortd.analyze.ports import Array, MetricFamily, Picture, PictureMetric
from pixsortd.errors import WeightsDamaged, WeightsMissing
from tests.conftest import draw

FAMILIES: dict[str, MetricFamily] = {"niqe": niqe.family, "brisque": brisque.family, "piqe": piqe.family}
FILES = {"niqe": "niqe_modelparameters.mat", "brisque": "brisque_svm_weights.pth", "piqe": None}
TOLERANCE = {"niqe": 0.02, "brisque": 0.05, "piqe": 0.5}
"""On photos, absolute. PIQE decides of each block whether it counts: one of some hundred may tip over."""

Load = Callable[[str], PictureMetric]


def pixels(image: Image.Image, long_side: int = 512) -> Array:
    image = image.convert("RGB")
    image.thumbnail((long_side, long_side))
    return np.asarray(image)


def made(name: str, parameters: Path | None) -> PictureMetric:
    """The metric with the real parameters, or for want of them with some of the right shape."""
    file = FILES[name]
    return FAMILIES[name].load(name, str(parameters / file) if parameters and file else None, 512, "cpu")  # type: ignore[return-value]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Metrics with parameters made for the test."""
    import torch
    from scipy.io import savemat

    random = np.random.default_rng(0)
    root = random.normal(0, 0.3, (36, 36))
    savemat(
        tmp_path / "niqe_modelparameters.mat", {"mu_prisparam": random.random((1, 36)), "cov_prisparam": root @ root.T}
    )
    vectors = torch.from_numpy(random.uniform(-1, 1, (50, 36))).float()
    torch.save((torch.from_numpy(random.normal(0, 100, 50)).float(), vectors), tmp_path / "brisque_svm_weights.pth")
    return lambda name: made(name, tmp_path)


@pytest.fixture
def real(shared_data: Path) -> Load:
    """Metrics with the published parameters."""
    return lambda name: made(name, shared_data / "weights")


def theirs(name: str, parameters: Path) -> Callable[[Array], float]:
    """pyiqa's own metric, NaN where it fails."""
    torchvision_ops.make_importable()
    import pyiqa
    import torch

    file = FILES[name]
    own = {"pretrained_model_path": str(parameters / file)} if file else {}
    metric = pyiqa.create_metric(name, device="cpu", **own)

    def score(picture: Array) -> float:
        batch = torch.from_numpy(np.moveaxis(picture, 2, 0)[None] / np.float32(255))
        try:
            return float(metric(batch))
        except (AssertionError, RuntimeError, IndexError):
            return math.nan

    return score


def photos(shared_data: Path) -> list[Array]:
    files = [*sorted(shared_data.glob("photos/*/*.jpg"))[::40], *sorted(shared_data.glob("bursts/*/*.jpg"))[::5]]
    found = [Image.open(file) for file in files]
    worse = found[-1].convert("RGB")
    found += [worse.filter(ImageFilter.GaussianBlur(sigma)) for sigma in (1, 3)]
    return [pixels(image) for image in found]


# --- equal to the reference ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_scores_of_real_photos_are_the_references(name: str, shared_data: Path, real: Load) -> None:
    from scipy.stats import spearmanr

    ours, reference = real(name), theirs(name, shared_data / "weights")
    pairs = np.array([(ours.measure(Picture(photo)), reference(photo)) for photo in photos(shared_data)])
    assert np.isfinite(pairs).all()
    assert spearmanr(pairs[:, 0], pairs[:, 1]).statistic > 0.98
    apart = np.abs(pairs[:, 0] - pairs[:, 1])
    assert np.median(apart) < TOLERANCE[name] / 5
    # Areas of one colour are rounding noise in the reference; a cut-out on white is further off than any photo.
    assert np.quantile(apart, 0.8) < TOLERANCE[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_scores_of_made_pictures_are_the_references(name: str, tmp_path: Path, load: Load) -> None:
    ours, reference = load(name), theirs(name, tmp_path)
    for seed, size in enumerate([(512, 384), (384, 512), (333, 251), (200, 150), (97, 96)]):
        picture = pixels(draw(seed, size))
        assert ours.measure(Picture(picture)) == pytest.approx(reference(picture), rel=2e-3, abs=TOLERANCE[name]), size


@pytest.mark.parametrize(("name", "most"), [("niqe", 0.6), ("brisque", 3.5), ("piqe", 0.01)])
def test_the_published_calibration(name: str, most: float, shared_data: Path, real: Load) -> None:
    """Scores of five pictures at full size by pyiqa's authors and by the papers' own code, which differ as much."""
    with open(shared_data / "weights" / "calibration" / "reference_scores.csv", newline="") as file:
        names, *rows = csv.reader(file)
    published = {row[0]: [float(value) for value in row[1:]] for row in rows}
    metric = real(name)
    for at, picture in enumerate(names[1:]):
        path = shared_data / "weights" / "calibration" / picture.replace(".bmp", ".png")
        found = metric.measure(Picture(np.asarray(Image.open(path).convert("RGB"))))
        nearest = min((published[name][at], published[f"{name}(ours)"][at]), key=lambda value: abs(value - found))
        assert found == pytest.approx(nearest, abs=most), picture


# --- pictures without an answer ------------------------------------------------------------------


def odd_pictures() -> dict[str, Array]:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    half = noise.copy()
    half[:, :150] = 255
    return {
        "black": np.zeros((128, 192, 3), np.uint8),
        "white": np.full((128, 192, 3), 255, np.uint8),
        "grey": np.full((300, 200, 3), 77, np.uint8),
        "one dot": np.pad(np.full((1, 1, 3), 200, np.uint8), ((99, 100), (99, 100), (0, 0))),
        "half of it white": half,
        "two colours": np.repeat([[[0, 0, 0]] * 96 + [[9, 80, 200]] * 96], 192, axis=0).astype(np.uint8),
        **{f"{h} x {w}": noise[:h, :w] for h, w in [(1, 1), (3, 200), (6, 6), (7, 7), (8, 8), (15, 90), (95, 300)]},
    }


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("odd", odd_pictures())
def test_odd_pictures_have_a_number_or_none(name: str, odd: str, tmp_path: Path, load: Load) -> None:
    picture = odd_pictures()[odd]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load(name).measure(Picture(picture))
    reference = theirs(name, tmp_path)(picture)
    # Of an even surface the reference scores its own rounding errors; whether there is a number agrees elsewhere.
    if odd not in ("white", "grey"):
        assert math.isnan(found) == math.isnan(reference)


def test_where_there_is_no_answer(load: Load) -> None:
    none = {
        name: {odd for odd, picture in odd_pictures().items() if math.isnan(load(name).measure(Picture(picture)))}
        for name in FAMILIES
    }
    tiny = {"1 x 1", "3 x 200", "6 x 6"}
    assert none["piqe"] == {"black"} | tiny | {"7 x 7"}
    assert none["niqe"] >= {"black", "white", "grey", "7 x 7", "8 x 8", "15 x 90", "95 x 300"} | tiny
    assert none["brisque"] >= {"black"} | tiny


# --- what is shared ------------------------------------------------------------------------------


def test_maps_are_made_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    filtered: list[tuple[int, ...]] = []

    def counting(stack: Any, by: Any) -> Any:
        filtered.append(stack.shape)
        return filters.filtered(stack, by)

    monkeypatch.setattr(contrast, "filtered", counting)
    photo = np.asarray(draw(1, (512, 384))).copy()
    photo[0, 0] = 255
    shared = Picture(photo)
    together = [load(name).measure(shared) for name in FAMILIES]
    whole = [shape for shape in filtered if min(shape[1:]) > 300]
    assert len(whole) == 3, "local contrast once, half the size once of the picture and once of its whole blocks"
    assert together == [load(name).measure(Picture(photo)) for name in FAMILIES]


def test_a_picture_keeps_what_was_derived() -> None:
    picture, asked = Picture(np.zeros((2, 2, 3), np.uint8)), []

    def derive(of: Picture) -> int:
        asked.append(of)
        return len(asked)

    assert [picture.once(derive), picture.once(derive)] == [1, 1]
    assert asked == [picture]


# --- parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (22, 23), (40, 61), (7, 100), (130, 9)])
@pytest.mark.parametrize("step", [1, 2])
def test_filters_equal_their_sums(size: tuple[int, int], step: int) -> None:
    random = np.random.default_rng(1)
    stack, weights = random.random((2, *size)).astype(np.float32), random.random(5).astype(np.float32)
    plane = np.outer(weights, weights)
    windows = np.lib.stride_tricks.sliding_window_view(stack, (5, 5), axis=(1, 2))[:, ::step, ::step]
    expected = (windows * plane).sum(axis=(-1, -2))
    np.testing.assert_allclose(filters.filtered(stack, filters.band(weights, step)), expected, rtol=1e-5)


@pytest.mark.parametrize("border", ["edge", "constant"])
@pytest.mark.parametrize("size", [(7, 7), (40, 61), (96, 96)])
def test_contrast_from_its_inner_part_is_the_same(border: contrast.Border, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    picture = Picture(noise)
    levels = picture.once(contrast.luma)
    whole = contrast.contrast(levels, border)
    assert whole.shape == size
    np.testing.assert_allclose(
        contrast.contrast(levels, border, picture.once(contrast.inner_contrast)), whole, atol=1e-5
    )


def test_distributions_are_found_again() -> None:
    random = np.random.default_rng(3)
    for shape in (0.5, 1.0, 2.0, 4.0):
        size = random.gamma(1 / shape, size=(1, 400, 500)) ** (1 / shape)
        # The density is continuous: twice as wide a side holds twice as many.
        values = np.where(random.random(size.shape) < 2 / 3, -2 * size, size).astype(np.float32)
        fit = distributions.asymmetric(distributions.moments(values))
        assert distributions.SHAPES[fit.shape[0]] == pytest.approx(shape, rel=0.05)
        assert fit.left[0] == pytest.approx(2 * fit.right[0], rel=0.05)
        mirrored = distributions.moments(np.where(random.random(size.shape) < 0.5, -size, size).astype(np.float32))
        assert distributions.SHAPES[distributions.symmetric(mirrored)[0]] == pytest.approx(shape, rel=0.05)


# --- parameter files -----------------------------------------------------------------------------


def test_the_metric_says_how_it_was_made(load: Load) -> None:
    infos = [load(name).info for name in FAMILIES]
    assert [info.name for info in infos] == list(FAMILIES)
    assert [(info.lower_better, info.low, info.high) for info in infos] == [
        (True, 0, 100),
        (True, 0, 150),
        (True, 0, 100),
    ]
    assert {info.license for info in infos} == {"MIT"}
    assert [info.version.split()[0] for info in infos] == ["own", "own", "own"]
    assert len(infos[0].version.split()[-1]) == 16


@pytest.mark.parametrize("name", ["niqe", "brisque"])
def test_absent_files_are_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing) as missing:
        FAMILIES[name].load(name, None, 512, "cpu")
    assert f"pixsortd models pull {name}" in missing.value.next_step
    with pytest.raises(WeightsMissing, match="not there"):
        FAMILIES[name].load(name, str(tmp_path / "absent"), 512, "cpu")


def unfit_files(directory: Path) -> dict[str, Sequence[Path]]:
    import torch
    from scipy.io import savemat

    cut, other, endless = (directory / f"{name}.mat" for name in ("cut", "other", "endless"))
    cut.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    savemat(other, {"something": np.ones(3)})
    savemat(endless, {"mu_prisparam": np.full(36, np.nan), "cov_prisparam": np.eye(36)})
    code, uneven = directory / "code.pth", directory / "uneven.pth"
    code.write_bytes(b"\x80\x04cos\nsystem\n.")
    torch.save((torch.ones(3), torch.ones(4, 36)), uneven)
    return {"niqe": (cut, other, endless), "brisque": (code, uneven)}


@pytest.mark.parametrize("name", ["niqe", "brisque"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_files_that_are_not_the_metrics_are_refused(name: str, tmp_path: Path) -> None:
    for path in unfit_files(tmp_path)[name]:
        with pytest.raises(WeightsDamaged) as damaged:
            FAMILIES[name].load(name, str(path), 512, "cpu")
        assert damaged.value.path == str(path)
