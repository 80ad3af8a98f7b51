"""timm models: strict loading of real files, pooled features, pinned preprocessing."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.embedders.timm import family
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsDamaged, WeightsMissing
from tests.conftest import draw
from tests.unit.model_cache import put
from tests.unit.test_embedders_builtin import labelled, neighbours

NAME = "timm:test_resnet.r160_in1k"
MODELS = ModelSettings()
pytestmark = pytest.mark.usefixtures("exact")


@pytest.fixture(scope="module")
def timm() -> Any:
    torchvision_ops.make_importable()
    import timm

    return timm


@pytest.fixture(scope="module")
def checkpoint(timm: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded model with its classifier, as a training run leaves it."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    save_file(timm.create_model("test_resnet", pretrained=False).state_dict(), path)
    return path


def own(path: Path, **more: Any) -> SpaceSettings:
    return SpaceSettings(model=NAME, weights=str(path), **more)


def test_features_equal_timms_own(timm: Any, checkpoint: Path) -> None:
    import torch
    from timm.data import create_transform, resolve_model_data_config

    model = timm.create_model("test_resnet.r160_in1k", pretrained=False, checkpoint_path=str(checkpoint)).eval()
    model.reset_classifier(0)
    transform = create_transform(**resolve_model_data_config(model))
    images = [draw(seed) for seed in range(3)]
    with torch.inference_mode():
        theirs = model(torch.stack([transform(image) for image in images])).numpy()
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)

    embedder = family.load(NAME, own(checkpoint), MODELS, "cpu")
    found = embedder.embed(np.stack([embedder.prepare(ImageView.of(image)) for image in images]))
    np.testing.assert_allclose(found, theirs, atol=1e-5)
    assert embedder.space.dim == found.shape[1] == model.num_features
    assert embedder.space.model == NAME
    assert "resize=shortest:" in embedder.space.preprocessing
    assert not any("state_dict" in key for key in model.pretrained_cfg)


@pytest.mark.parametrize("form", ["pt", "wrapped", "data-parallel", "no-classifier"])
def test_the_forms_checkpoints_come_in(checkpoint: Path, tmp_path: Path, form: str) -> None:
    import torch
    from safetensors.torch import load_file

    state = load_file(checkpoint)
    forms: dict[str, Any] = {
        "pt": state,
        "wrapped": {"epoch": 3, "state_dict": state},
        "data-parallel": {f"module.{name}": value for name, value in state.items()},
        "no-classifier": {name: value for name, value in state.items() if not name.startswith("fc.")},
    }
    path = tmp_path / "model.pt"
    torch.save(forms[form], path)
    batch = np.zeros((1, 160, 160, 3), np.uint8) + 77
    expected = family.load(NAME, own(checkpoint), MODELS, "cpu").embed(batch)
    np.testing.assert_array_equal(family.load(NAME, own(path), MODELS, "cpu").embed(batch), expected)


def test_missing_and_unexpected_tensors_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoint)
    name = next(key for key in state if key.startswith("layer1"))
    state["other.weight"] = state.pop(name)
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsDamaged, match=r"1 tensors missing .*1 tensors unexpected \(other\.weight\)"):
        family.load(NAME, own(tmp_path / "bad.safetensors"), MODELS, "cpu")


def test_a_tensor_of_another_shape_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoint)
    name = next(key for key in state if key.startswith("layer1"))
    save_file({**state, name: torch.zeros(3)}, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsDamaged, match="do not fit"):
        family.load(NAME, own(tmp_path / "bad.safetensors"), MODELS, "cpu")


def test_a_truncated_file_is_damaged(checkpoint: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(WeightsDamaged, match="cannot be read safely"):
        family.load(NAME, own(cut), MODELS, "cpu")


class Evil:
    """What a hostile checkpoint holds."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.path),))

    path = ""


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    evil = Evil()
    Evil.path = str(tmp_path / "owned")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"fc.weight": evil}))
    with pytest.raises(WeightsDamaged):
        family.load(NAME, own(tmp_path / "evil.pt"), MODELS, "cpu")
    assert not (tmp_path / "owned").exists()


def test_the_revision_is_the_checksum_and_can_be_pinned(checkpoint: Path) -> None:
    import hashlib

    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    embedder = family.load(NAME, own(checkpoint, revision=digest[:12]), MODELS, "cpu")
    assert embedder.space.revision == digest[:16]
    with pytest.raises(WeightsDamaged, match="not with deadbeef"):
        family.load(NAME, own(checkpoint, revision="deadbeef"), MODELS, "cpu")


def test_arguments_make_another_space(checkpoint: Path) -> None:
    plain = family.load(NAME, own(checkpoint), MODELS, "cpu")
    averaged = family.load(NAME, own(checkpoint, args={"global_pool": "max"}), MODELS, "cpu")
    assert averaged.space.model == NAME + '{"global_pool":"max"}'
    assert averaged.space.key != plain.space.key
    with pytest.raises(ModelProblem, match="cannot build"):
        family.load(NAME, own(checkpoint, args={"no_such_thing": 1}), MODELS, "cpu")


def test_the_hub_cache_is_used_without_network(checkpoint: Path, tmp_path: Path) -> None:
    models = ModelSettings(dir=str(tmp_path))
    with pytest.raises(WeightsMissing) as missing:
        family.load(NAME, None, models, "cpu")
    assert missing.value.next_step.startswith(f"Run `pixsortd models pull {NAME}`")
    snapshot = put(tmp_path, "timm/test_resnet.r160_in1k", {"model.safetensors": checkpoint})
    hub = family.load(NAME, None, models, "cpu").space
    assert hub.key == family.load(NAME, own(checkpoint), MODELS, "cpu").space.key

    blob = (snapshot / "model.safetensors").resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"\x55")
    with pytest.raises(WeightsDamaged, match="checksum"):
        family.load(NAME, None, models, "cpu")


@pytest.mark.parametrize("name", ["timm:resnet5", "timm:resnet50.no_such_tag", "timm:"])
def test_unknown_names_are_explained(name: str, checkpoint: Path) -> None:
    with pytest.raises(ModelProblem, match="timm has no model"):
        family.load(name, None, MODELS, "cpu")


def test_resnet50_is_the_a1_model(timm: Any, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(2)
    path = tmp_path / "resnet50.safetensors"
    save_file(timm.create_model("resnet50", pretrained=False).state_dict(), path)
    models = ModelSettings(dir=str(tmp_path / "hub"))
    put(tmp_path / "hub", "timm/resnet50.a1_in1k", {"model.safetensors": path})
    space = family.load("resnet50", None, models, "cpu").space
    assert (space.name, space.model, space.dim) == ("resnet50", "timm:resnet50.a1_in1k", 2048)
    assert "resize=shortest:235x235:bicubic; crop=center:224x224" in space.preprocessing


def test_real_weights_tell_real_photos_apart(shared_data: Path) -> None:
    path = shared_data / "weights" / "mobilenetv2_100.tfhub_ptq_in1k.safetensors"
    settings = SpaceSettings(model="timm:mobilenetv2_100", weights=str(path), args={"pad_type": "same"})
    embedder = family.load("timm:mobilenetv2_100", settings, MODELS, "cpu")
    images, labels = (every[::6] for every in labelled(shared_data / "photos"))
    prepared = [embedder.prepare(ImageView.of(image)) for image in images]
    found = np.concatenate([embedder.embed(np.stack(prepared[i : i + 16])) for i in range(0, len(prepared), 16)])
    accuracy = neighbours(found, labels)
    print(f"MobileNetV2, leave-one-out 1-NN on {len(labels)} photos of 17 classes: {accuracy:.3f}")
    assert accuracy > 0.85  # 0.984 on all 436
