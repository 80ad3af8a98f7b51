"""The form in which nets run: folded, in half the bits where the processor has them, in parts on a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.embedders import engine as engines
from pixsortd.analyze.embedders.engine import CPU_BATCH, CudaLane, Engine, fitting
from pixsortd.analyze.embedders.folding import fold
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.embedders.timm import family
from pixsortd.analyze.embedders.torch_model import call
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from tests.unit.test_embedders_builtin import labelled

torchvision_ops.make_importable()

Floats = npt.NDArray[np.float32]
PREPROCESSING = Preprocessing(size=(64, 64), crop=(64, 64), mean=(0.48, 0.45, 0.4), std=(0.27, 0.26, 0.25))
REAL = {
    "mobilenetv2_100": "mobilenetv2_100.tfhub_ptq_in1k.safetensors",
    "mobilenetv1_100": "mobilenetv1_100.coral_embed.safetensors",
}


def net(name: str = "test_resnet", **args: Any) -> Any:
    """A seeded model whose batch normalisations have something to do."""
    import timm
    import torch

    torch.manual_seed(5)
    made = timm.create_model(name, num_classes=0, **args).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return made.requires_grad_(False)


def pictures(count: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 64, 64, 3), np.uint8)


def plainly(model: Any, batch: npt.NDArray[np.uint8]) -> Floats:
    import torch

    pixels = ((batch / 255 - PREPROCESSING.mean) / PREPROCESSING.std).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        features: Floats = model(torch.tensor(pixels, dtype=torch.float32)).numpy()
    return features


def cosines(one: Floats, other: Floats) -> Floats:
    found: Floats = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return found


def overlap(one: Floats, other: Floats, count: int = 10) -> float:
    """The mean share of the ``count`` nearest neighbours that two sets of vectors have in common."""

    def nearest(vectors: Floats) -> npt.NDArray[np.intp]:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        similar = unit @ unit.T
        np.fill_diagonal(similar, -2)
        return np.argsort(-similar, axis=1)[:, :count]

    pairs = zip(nearest(one), nearest(other), strict=True)
    return float(np.mean([len(set(a) & set(b)) / count for a, b in pairs]))


@pytest.mark.parametrize(("name", "args"), [("test_resnet", {}), ("mobilenetv2_100", {"pad_type": "same"})])
def test_folding_changes_no_feature(name: str, args: dict[str, Any]) -> None:
    import torch

    model, example = net(name, **args), torch.rand(1, 3, 64, 64)
    before = plainly(model, pictures(3))
    norms = sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert fold(model, lambda: model(example)) == norms
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    np.testing.assert_allclose(plainly(model, pictures(3)), before, atol=1e-4 * np.abs(before).max())


def test_what_is_used_twice_is_not_folded() -> None:
    import torch

    class Forked(torch.nn.Module):
        """The convolution's result is needed beside its normalised form."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
            self.norm.running_mean = torch.full((4,), 0.5)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            made = self.conv(pixels)
            return (made + self.norm(made)).mean((2, 3))

    model, example = Forked().eval(), torch.rand(2, 3, 9, 9)
    with torch.inference_mode():
        before = model(example)
        assert fold(model, lambda: model(example)) == 0
        torch.testing.assert_close(model(example), before, rtol=0, atol=0)


def test_a_layer_of_two_uses_is_not_folded() -> None:
    import torch

    conv, norm = torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3)
    model = torch.nn.Sequential(conv, norm, conv, norm).eval()
    assert fold(model, lambda: model(torch.rand(1, 3, 4, 4))) == 0


def test_features_in_float32_are_the_nets_own(exact: None) -> None:
    expected = plainly(net(), pictures(5))
    running = Engine(net(), call, PREPROCESSING, "cpu")
    assert running.batch == CPU_BATCH
    np.testing.assert_allclose(running(pictures(5)).numpy(), expected, atol=1e-4 * np.abs(expected).max())


def test_features_in_bfloat16_point_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(engines, "cpu_has_bfloat16", lambda: True)
    found = Engine(net(), call, PREPROCESSING, "cpu")(pictures(5))
    assert found.dtype == torch.float32
    assert cosines(found.numpy(), plainly(net(), pictures(5))).min() > 0.999


@pytest.mark.parametrize("name", REAL)
def test_both_precisions_share_a_space(name: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = labelled(shared_data / "photos")[0][::3]
    weights = str(shared_data / "weights" / REAL[name])
    settings = SpaceSettings(model=f"timm:{name}", weights=weights, args={"pad_type": "same"})

    def vectors(bits: int) -> Floats:
        monkeypatch.setattr(engines, "cpu_has_bfloat16", lambda: bits == 16)
        embedder = family.load(f"timm:{name}", settings, ModelSettings(), "cpu")
        prepared = np.stack([embedder.prepare(ImageView.of(image)) for image in images])
        return np.concatenate([embedder.embed(prepared[i : i + 16]) for i in range(0, len(prepared), 16)])

    full, half = vectors(32), vectors(16)
    similar, shared = cosines(full, half), overlap(full, half)
    print(f"{name}, bfloat16 and float32: cosine at least {similar.min():.5f}, overlap@10 {shared:.4f}")
    assert similar.min() > 0.995
    assert shared >= 0.95


@pytest.mark.parametrize(
    ("free", "each", "size"),
    [(80 << 30, 20 << 20, 256), (4 << 30, 40 << 20, 32), (1 << 20, 40 << 20, 1), (8 << 30, 0, 256)],
)
def test_a_gpus_batch_is_what_half_its_memory_holds(free: int, each: int, size: int) -> None:
    assert fitting(free, each) == size


class Card:
    """A pretended GPU that writes down what it is told, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        self.told: list[str] = []
        copying, computing = Stream("copying", self.told), Stream("computing", self.told)
        monkeypatch.setattr(torch.cuda, "Stream", lambda _: copying)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda _: computing)
        monkeypatch.setattr(torch.cuda, "stream", self._on)
        monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
        monkeypatch.setattr(torch.Tensor, "record_stream", lambda _, stream: self.told.append(f"keep for {stream}"))

    @contextmanager
    def _on(self, stream: "Stream") -> Iterator[None]:
        self.told.append(f"copy on {stream}")
        yield


class Stream:
    def __init__(self, name: str, told: list[str]) -> None:
        self._name, self._told = name, told

    def __str__(self) -> str:
        return self._name

    def wait_stream(self, other: "Stream") -> None:
        self._told.append(f"{self} waits for {other}")


def test_pictures_travel_to_a_gpu_in_parts_while_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch)
    monkeypatch.setattr(engines, "_PART", 4)
    batch = pictures(10)
    arrived = []
    for part in CudaLane("cpu")(batch):
        card.told.append("computed")
        arrived.append(part.numpy())
    np.testing.assert_array_equal(np.concatenate(arrived), batch)
    assert [len(part) for part in arrived] == [4, 4, 2]
    assert card.told == ["copy on copying", "computing waits for copying", "keep for computing", "computed"] * 3


def test_features_in_parts_are_the_features(monkeypatch: pytest.MonkeyPatch, exact: None) -> None:
    Card(monkeypatch)
    monkeypatch.setattr(engines, "_PART", 4)
    running = Engine(net(), call, PREPROCESSING, "cpu")
    whole = running(pictures(10)).numpy()
    running._lane = CudaLane("cpu")
    np.testing.assert_allclose(running(pictures(10)).numpy(), whole, atol=1e-5)
