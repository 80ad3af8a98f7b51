"""open_clip models: strict loading, the tag's own preprocessing, the hub's cache."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.embedders import clip
from pixsortd.analyze.embedders.clip import family
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsDamaged, WeightsMissing
from tests.conftest import draw
from tests.unit.model_cache import put

MODELS = ModelSettings()
pytestmark = pytest.mark.usefixtures("exact")
TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}
PREPARED = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "interpolation": "bilinear", "resize_mode": "squash"}


@pytest.fixture(scope="module")
def open_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """open_clip with two small architectures; one stands for ViT-B-32, whose published tags it keeps."""
    torchvision_ops.make_importable()
    import open_clip
    from open_clip import factory

    directory = tmp_path_factory.mktemp("configs")
    for name in ("tiny-clip", "ViT-B-32"):
        (directory / f"{name}.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(directory)
    yield open_clip
    factory._MODEL_CONFIG_PATHS.remove(directory)
    factory._rescan_model_configs()


@pytest.fixture(scope="module")
def checkpoint(open_clip: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("clip") / "open_clip_model.safetensors"
    save_file(open_clip.create_model("tiny-clip").state_dict(), path)
    return path


def own(path: Path, model: str = "open_clip:tiny-clip", **args: Any) -> SpaceSettings:
    return SpaceSettings(model=model, weights=str(path), args={"force_preprocess_cfg": PREPARED, **args})


def test_vectors_equal_open_clips_own(open_clip: Any, checkpoint: Path) -> None:
    import torch

    model, _, transform = open_clip.create_model_and_transforms(
        "tiny-clip",
        pretrained=str(checkpoint),
        image_mean=tuple(PREPARED["mean"]),
        image_std=tuple(PREPARED["std"]),
        image_interpolation=PREPARED["interpolation"],
        image_resize_mode=PREPARED["resize_mode"],
    )
    images = [draw(seed, (300, 200)) for seed in range(3)]
    with torch.inference_mode():
        theirs = model.eval().encode_image(torch.stack([transform(i) for i in images]), normalize=True).numpy()
    embedder = family.load("open_clip:tiny-clip", own(checkpoint), MODELS, "cpu")
    found = embedder.embed(np.stack([embedder.prepare(ImageView.of(image)) for image in images]))
    np.testing.assert_allclose(found, theirs, atol=1e-5)
    assert embedder.space.dim == 24
    assert "resize=squash:32x32:bilinear" in embedder.space.preprocessing
    assert embedder.needs == 32


def test_torch_checkpoints_load_too(checkpoint: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save({"state_dict": load_file(checkpoint)}, tmp_path / "model.bin")
    batch = np.full((1, 32, 32, 3), 99, np.uint8)
    first = family.load("open_clip:tiny-clip", own(checkpoint), MODELS, "cpu")
    second = family.load("open_clip:tiny-clip", own(tmp_path / "model.bin"), MODELS, "cpu")
    np.testing.assert_array_equal(first.embed(batch), second.embed(batch))
    assert first.space.revision != second.space.revision


def test_a_bare_file_without_a_tag_is_refused(open_clip: Any, checkpoint: Path) -> None:
    settings = SpaceSettings(model="open_clip:tiny-clip", weights=str(checkpoint))
    with pytest.raises(ModelProblem, match="how photos are prepared") as problem:
        family.load("open_clip:tiny-clip", settings, MODELS, "cpu")
    assert "force_preprocess_cfg" in problem.value.next_step


def test_a_local_file_is_prepared_as_its_tag_says(open_clip: Any) -> None:
    """open_clip itself would use OpenAI's values for all of these."""
    for arch, tag in (
        ("ViT-B-16-SigLIP", "webli"),
        ("ViT-B-32", "datacomp_xl_s13b_b90k"),
        ("MobileCLIP-S1", "datacompdr"),
    ):
        config = clip._preprocess_config(arch, tag, {})
        expected = open_clip.get_pretrained_cfg(arch, tag)
        chain = clip._preprocessing(config, 224)
        assert chain.mean == tuple(expected["mean"])
        assert chain.std == tuple(expected["std"])
        assert (chain.interpolation, chain.resize) == (expected["interpolation"], expected["resize_mode"])


def test_clip_comes_from_the_hub_cache(checkpoint: Path, tmp_path: Path) -> None:
    models = ModelSettings(dir=str(tmp_path))
    with pytest.raises(WeightsMissing) as missing:
        family.load("clip", None, models, "cpu")
    assert "pixsortd models pull clip" in missing.value.next_step
    put(tmp_path, "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", {"open_clip_model.safetensors": checkpoint})
    space = family.load("clip", None, models, "cpu").space
    assert space.model == "open_clip:ViT-B-32/datacomp_xl_s13b_b90k"
    assert "resize=shortest:32x32:bicubic" in space.preprocessing
    assert "mean=0.481455,0.457827,0.408211" in space.preprocessing


def test_the_published_place_is_open_clips(open_clip: Any) -> None:
    """Our short cut for ``clip`` says what open_clip's registry says."""
    assert clip._published("ViT-B-32", "datacomp_xl_s13b_b90k") == clip._KNOWN[clip._ALIASES["clip"]].__class__(
        repo="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        weights=("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
    )
    named = clip._published("ViT-B-32", "laion400m_e32")
    assert named is None or named.weights[0].endswith(".safetensors")


def test_quick_gelu_follows_the_tag(open_clip: Any, checkpoint: Path) -> None:
    def load(quick: bool) -> Any:
        settings = own(checkpoint, force_quick_gelu=quick)
        return family.load("open_clip:tiny-clip", settings, MODELS, "cpu")

    batch = np.full((1, 32, 32, 3), 99, np.uint8)
    assert np.abs(load(True).embed(batch) - load(False).embed(batch)).max() > 0
    assert load(True).space.key != load(False).space.key
    assert clip._preprocess_config("ViT-B-32", "openai", {})["quick_gelu"] is True


def test_wrong_weights_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoint)
    state.pop("visual.proj")
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsDamaged, match=r"1 tensors missing \(visual\.proj\)"):
        family.load("open_clip:tiny-clip", own(tmp_path / "bad.safetensors"), MODELS, "cpu")
    (tmp_path / "cut.safetensors").write_bytes(checkpoint.read_bytes()[:5000])
    with pytest.raises(WeightsDamaged, match="cannot be read safely"):
        family.load("open_clip:tiny-clip", own(tmp_path / "cut.safetensors"), MODELS, "cpu")


def test_unknown_names_are_explained(checkpoint: Path) -> None:
    with pytest.raises(ModelProblem, match="no architecture 'ViT-B-33'"):
        family.load("open_clip:ViT-B-33/x", own(checkpoint, "open_clip:ViT-B-33/x"), MODELS, "cpu")
    with pytest.raises(WeightsMissing, match="no published weights"):
        family.load("open_clip:ViT-B-32/no_such_tag", None, MODELS, "cpu")
