"""pyiqa's metrics: equal to pyiqa's own, absent weights said at once, odd pictures survive."""

import math
import socket
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pixsortd.analyze import network, opencv, torchvision_ops
from pixsortd.analyze.metrics import iqa, pyiqa_registry
from pixsortd.analyze.metrics.iqa import IqaMetric, family
from pixsortd.errors import DependencyMissing, ModelProblem, WeightsDamaged, WeightsMissing
from tests.conftest import draw

Floats = npt.NDArray[np.float32]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and any look at a name server is a failure."""

    def refuse(*_args: Any, **_more: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def batch(*images: Image.Image) -> Floats:
    return np.stack([np.asarray(image, np.float32).transpose(2, 0, 1) / 255 for image in images])


def own_parameters(shared_data: Path, name: str) -> str:
    return str(
        shared_data / "weights" / {"niqe": "niqe_modelparameters.mat", "brisque": "brisque_svm_weights.pth"}[name]
    )


@pytest.mark.parametrize("name", ["niqe", "brisque", "piqe"])
def test_scores_equal_pyiqas_own(name: str, shared_data: Path) -> None:
    torchvision_ops.make_importable()
    import pyiqa
    import torch

    files = sorted((shared_data / "weights" / "calibration").glob("*.png"))[:3]
    pixels = batch(*(Image.open(file).convert("RGB").resize((512, 384)) for file in files))
    path = None if name == "piqe" else own_parameters(shared_data, name)
    theirs = pyiqa.create_metric(name, device="cpu", **({"pretrained_model_path": path} if path else {}))
    expected = [float(theirs(torch.from_numpy(pixels[i : i + 1]))) for i in range(len(pixels))]
    found = family.load(name, path, 512, "cpu").score(pixels)
    # BRISQUE sums 774 large terms of either sign in float32; batching changes the order of the sum.
    np.testing.assert_allclose(found, expected, atol=0.02 if name == "brisque" else 1e-6)
    print(name, found)


def test_reference_scores_of_the_official_code(shared_data: Path) -> None:
    """The published calibration: pyiqa's own figures at full size, through our adapter."""
    import csv

    with open(shared_data / "weights" / "calibration" / "reference_scores.csv", newline="") as file:
        rows = {row[0].strip().lower(): row[1:] for row in csv.reader(file) if row}
    name = next(key for key in rows if key.startswith("niqe") and "ours" in key)
    files = sorted((shared_data / "weights" / "calibration").glob("*.png"))[:2]
    metric = family.load("niqe", own_parameters(shared_data, "niqe"), 512, "cpu")
    found = [metric.score(batch(Image.open(file).convert("RGB")))[0] for file in files]
    np.testing.assert_allclose(found, [float(value) for value in rows[name][: len(files)]], rtol=0.02)


def test_direction_and_range_are_pyiqas() -> None:
    def info(name: str) -> tuple[bool, float | None, float | None]:
        described = pyiqa_registry.describe(name, long_side=512)
        return described.lower_better, described.low, described.high

    assert info("brisque") == (True, 0, 150)
    assert info("musiq") == (False, 0, 100)
    assert info("pi") == (True, 0, None)
    assert info("unique") == (False, -3, 3)
    assert info("clipiqa+") == (False, 0, 1)
    assert {"clipiqa+", "brisque", "niqe", "musiq", "cnniqa", "liqe", "piqe"} <= set(pyiqa_registry.registry())
    assert not {"fid", "clipscore", "ssim", "lpips"} & set(pyiqa_registry.registry())
    for name in pyiqa_registry.registry():
        assert info(name) is not None


def test_the_stored_metric_says_how_it_was_made(shared_data: Path) -> None:
    info = family.load("niqe", own_parameters(shared_data, "niqe"), 384, "cpu").info
    assert (info.name, info.lower_better, info.long_side) == ("niqe", True, 384)
    assert info.version.startswith(f"pyiqa {pyiqa_registry.version()} ")
    assert len(info.version.split()[-1]) == 16
    assert info.license.startswith("PolyForm-Noncommercial")


def test_an_odd_picture_is_its_own_failure_only() -> None:
    metric = family.load("piqe", None, 512, "cpu")
    good = batch(draw(1), draw(2))
    mixed = np.concatenate([good[:1], np.zeros_like(good[:1]), good[1:]])
    found = metric.score(mixed)
    assert math.isnan(found[1])
    assert [found[0], found[2]] == metric.score(good)
    assert all(math.isnan(value) for value in metric.score(np.zeros((2, 3, 5, 5), np.float32)))


class Fails:
    """A network that cannot stand one colour."""

    def __call__(self, pixels: Any) -> Any:
        if float(pixels.amin()) == 0:
            raise RuntimeError("cannot normalise")
        return pixels.mean((1, 2, 3))


class Draws:
    """A network that looks at random places."""

    def __call__(self, pixels: Any) -> Any:
        return pixels.mean((1, 2, 3)) + float(np.random.rand())


def test_one_failing_picture_does_not_take_the_batch_with_it() -> None:
    metric = IqaMetric(Fails(), pyiqa_registry.describe("piqe", long_side=512), "cpu")
    pixels = np.stack([np.full((3, 8, 8), value, np.float32) for value in (0.25, 0, 0.5)])
    found = metric.score(pixels)
    assert [found[0], found[2]] == [0.25, 0.5]
    assert math.isnan(found[1])


def test_random_metrics_give_the_same_score_whatever_the_batch() -> None:
    metric = IqaMetric(Draws(), pyiqa_registry.describe("piqe", long_side=512), "cpu")
    pixels = np.random.RandomState(0).rand(6, 3, 8, 8).astype(np.float32)
    before = np.random.get_state()[2]
    together = metric.score(pixels)
    assert together == [metric.score(pixels[i : i + 1])[0] for i in range(6)]
    assert np.random.get_state()[2] == before


def test_a_device_that_cannot_do_it_is_left_for_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_name: str, device: str, _own: Any) -> Any:
        return Draws() if device == "cpu" else None

    monkeypatch.setattr("pixsortd.analyze.metrics.iqa.build", build)
    assert family.load("piqe", None, 512, "mps").device == "cpu"


@pytest.mark.parametrize("name", ["niqe", "brisque", "ilniqe", "musiq", "clipiqa+", "liqe", "arniqa", "dbcnn"])
def test_absent_weights_are_said_without_asking_the_network(name: str) -> None:
    with pytest.raises(WeightsMissing) as missing:
        family.load(name, None, 512, "cpu")
    assert f"pixsortd models pull {name}" in missing.value.next_step


def test_a_file_in_pyiqas_own_cache_is_found(shared_data: Path) -> None:
    path = Path(pyiqa_registry.place(pyiqa_registry.FILES["niqe"][0]))
    path.parent.mkdir(parents=True)
    path.write_bytes(Path(own_parameters(shared_data, "niqe")).read_bytes())
    cached = family.load("niqe", None, 512, "cpu").info
    assert cached == family.load("niqe", own_parameters(shared_data, "niqe"), 512, "cpu").info


def test_pyiqa_takes_the_files_we_answer_with(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torchvision_ops.make_importable()
    opencv.make_importable()
    # pyiqa settles its directory when it is imported, which a test before this one may have done.
    monkeypatch.setattr("pyiqa.utils.download_util.DEFAULT_CACHE_DIR", str(tmp_path / "empty"))
    asked: list[str] = []

    def answer(url: str) -> str:
        asked.append(url)
        return own_parameters(shared_data, "brisque")

    with network.answered_by(answer):
        iqa.build("brisque", "cpu", {})
    assert [url.rpartition("/")[2] for url in asked] == ["brisque_svm_weights.pth"]
    cached = Path(pyiqa_registry.torch_cache()).parts[-3:]
    assert cached == ("torch", "hub", "pyiqa")


def test_files_of_ones_own_are_checked(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="not there"):
        family.load("niqe", str(tmp_path / "absent.mat"), 512, "cpu")
    (tmp_path / "bad.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(WeightsDamaged, match="does not fit niqe"):
        family.load("niqe", str(tmp_path / "bad.mat"), 512, "cpu")
    (tmp_path / "bad.pth").write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(WeightsDamaged, match="cannot be read safely"):
        family.load("brisque", str(tmp_path / "bad.pth"), 512, "cpu")


def test_unknown_metrics_and_metrics_of_sets_are_explained() -> None:
    with pytest.raises(ModelProblem, match="near: brisque"):
        family.load("brisk", None, 512, "cpu")
    with pytest.raises(ModelProblem, match="no metric 'fid'"):
        family.load("fid", None, 512, "cpu")


def test_without_pyiqa_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    pyiqa_registry.registry.cache_clear()
    with pytest.raises(DependencyMissing, match="pyiqa is not installed"):
        family.load("niqe", None, 512, "cpu")


def test_the_switch_answers_and_is_put_back(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with network.answered_by(lambda url: str(tmp_path / url.rpartition("/")[2])):
        assert urllib.request.urlopen("https://nowhere.invalid/file").read() == b"content"
    with network.refused(), pytest.raises(network.Refused, match="models pull"):
        urllib.request.urlopen("https://nowhere.invalid/file")
    assert urllib.request.urlopen((tmp_path / "file").as_uri()).read() == b"content"
