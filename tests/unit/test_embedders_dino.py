"""transformers models: class tokens of DINOv2 and DINOv3 from files in their own layout."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.embedders import dino
from pixsortd.analyze.embedders.dino import family
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsDamaged, WeightsMissing
from tests.conftest import draw
from tests.unit.model_cache import put

MODELS = ModelSettings()
pytestmark = pytest.mark.usefixtures("exact")
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PROCESSORS = {
    "dinov2": {
        **IMAGENET,
        "do_resize": True,
        "do_center_crop": True,
        "crop_size": {"height": 56, "width": 56},
        "size": {"shortest_edge": 64},
        "resample": 3,
    },
    "dinov3": {**IMAGENET, "do_resize": True, "size": {"height": 64, "width": 64}, "resample": 2},
}


def _model(kind: str) -> Any:
    torchvision_ops.make_importable()
    import torch
    import transformers

    torch.manual_seed(4)
    makes = {
        "dinov2": lambda: transformers.Dinov2Model(transformers.Dinov2Config(**SMALL, patch_size=14)),
        "dinov3": lambda: transformers.DINOv3ViTModel(
            transformers.DINOv3ViTConfig(**SMALL, intermediate_size=64, patch_size=16, num_register_tokens=4)
        ),
    }
    return makes[kind]().eval()


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model of each kind, saved as published: config.json, preprocessor_config.json, weights."""
    made = {}
    for kind, processor in PROCESSORS.items():
        made[kind] = tmp_path_factory.mktemp(kind)
        _model(kind).save_pretrained(made[kind])
        (made[kind] / "preprocessor_config.json").write_text(json.dumps(processor))
    return made


def own(kind: str, path: Path, **more: Any) -> SpaceSettings:
    return SpaceSettings(model=kind, weights=str(path), **more)


@pytest.mark.parametrize("kind", ["dinov2", "dinov3"])
def test_vectors_are_the_models_class_tokens(kind: str, directories: dict[str, Path]) -> None:
    import torch

    images = [draw(seed, (200, 150)) for seed in range(3)]
    embedder = family.load(kind, own(kind, directories[kind]), MODELS, "cpu")
    batch = np.stack([embedder.prepare(ImageView.of(image)) for image in images])
    pixels = ((batch / 255 - IMAGENET["image_mean"]) / IMAGENET["image_std"]).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        theirs = _model(kind)(torch.tensor(pixels, dtype=torch.float32)).pooler_output.numpy()
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed(batch), theirs, atol=1e-5)
    assert embedder.space.dim == 32
    assert embedder.space.model.endswith("#cls")


@pytest.mark.parametrize("kind", ["dinov2", "dinov3"])
def test_pixels_are_what_transformers_makes_of_a_picture(kind: str, directories: dict[str, Path]) -> None:
    """Within rounding: their fast processors resize in torch, which differs from Pillow in the last bit."""
    from transformers import AutoImageProcessor

    config = {
        **PROCESSORS[kind],
        "image_processor_type": {"dinov2": "BitImageProcessor", "dinov3": "DINOv3ViTImageProcessor"}[kind],
    }
    path = directories[kind] / "preprocessor_config.json"
    before = path.read_text()
    path.write_text(json.dumps(config))
    try:
        processor = AutoImageProcessor.from_pretrained(directories[kind], local_files_only=True)
    finally:
        path.write_text(before)
    image = draw(5, (200, 150))
    theirs = np.asarray(processor(image, return_tensors="np")["pixel_values"][0])
    chain = dino._preprocessing(PROCESSORS[kind])
    ours = ((chain.apply(ImageView.of(image)) / 255 - chain.mean) / chain.std).transpose(2, 0, 1)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() < 0.02


@pytest.mark.parametrize("kind", ["dinov2", "dinov3"])
def test_the_hub_cache_is_used_without_network(kind: str, directories: dict[str, Path], tmp_path: Path) -> None:
    models = ModelSettings(dir=str(tmp_path))
    with pytest.raises(WeightsMissing) as missing:
        family.load(kind, None, models, "cpu")
    assert f"pixsortd models pull {kind}" in missing.value.next_step
    repo = family.origin(kind, None).repo
    put(tmp_path, repo, {path.name: path for path in directories[kind].iterdir()})
    hub = family.load(kind, None, models, "cpu").space
    assert hub.key == family.load(kind, own(kind, directories[kind]), MODELS, "cpu").space.key
    general = family.load(f"transformers:{repo}", None, models, "cpu").space
    assert general.key == hub.key


def test_a_file_and_its_directory_are_the_same(directories: dict[str, Path]) -> None:
    directory = directories["dinov2"]
    by_file = family.load("dinov2", own("dinov2", directory / "model.safetensors"), MODELS, "cpu")
    assert by_file.space.key == family.load("dinov2", own("dinov2", directory), MODELS, "cpu").space.key


def test_torch_checkpoints_load_too(directories: dict[str, Path], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    for path in directories["dinov3"].glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    torch.save(load_file(directories["dinov3"] / "model.safetensors"), tmp_path / "pytorch_model.bin")
    batch = np.full((1, 64, 64, 3), 50, np.uint8)
    first, second = (
        family.load("dinov3", own("dinov3", path), MODELS, "cpu").embed(batch)
        for path in (tmp_path, directories["dinov3"])
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("absent", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_each_absent_file_is_named(absent: str, directories: dict[str, Path], tmp_path: Path) -> None:
    for path in directories["dinov2"].iterdir():
        if path.name != absent:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(WeightsMissing) as missing:
        family.load("dinov2", own("dinov2", tmp_path), MODELS, "cpu")
    assert missing.value.path is not None
    assert missing.value.path.endswith(absent)


def test_missing_tensors_are_refused_and_a_classifier_is_not(directories: dict[str, Path], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    for path in directories["dinov2"].glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    state = load_file(directories["dinov2"] / "model.safetensors")
    save_file({**state, "classifier.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    family.load("dinov2", own("dinov2", tmp_path), MODELS, "cpu")
    state.pop("embeddings.cls_token")
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(WeightsDamaged, match=r"1 tensors missing \(embeddings\.cls_token\)"):
        family.load("dinov2", own("dinov2", tmp_path), MODELS, "cpu")


def test_a_damaged_description_is_said(directories: dict[str, Path], tmp_path: Path) -> None:
    for path in directories["dinov2"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsDamaged, match="description cannot be read"):
        family.load("dinov2", own("dinov2", tmp_path), MODELS, "cpu")
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(ModelProblem, match="cannot build this no-such-model"):
        family.load("dinov2", own("dinov2", tmp_path), MODELS, "cpu")


def test_dinov3_is_known_to_be_gated() -> None:
    origin = family.origin("dinov3", None)
    assert origin.gated
    assert origin.license == "DINOv3 License"
    assert family.origin("dinov2", SpaceSettings(model="dinov2", revision="v9")).revision == "v9"
