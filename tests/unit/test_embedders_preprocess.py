"""Our preprocessing is pixel for pixel what the models were trained with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.view import ImageView
from pixsortd.errors import ModelProblem
from tests.conftest import draw

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
sizes = st.tuples(st.integers(20, 400), st.integers(20, 400)).filter(lambda s: max(s) <= 4 * min(s))


def made(**changes: object) -> Preprocessing:
    return Preprocessing(**{"size": (72, 72), "crop": (64, 64), "mean": MEAN, "std": STD, **changes})


def tensor(chain: Preprocessing, image: Image.Image) -> np.ndarray:
    return ((chain.apply(ImageView.of(image)) / 255 - chain.mean) / chain.std).transpose(2, 0, 1)


@settings(max_examples=25, deadline=None)
@given(
    size=sizes,
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    mode=st.sampled_from(["center", "squash", "border"]),
)
def test_equal_to_timm(size: tuple[int, int], interpolation: str, mode: str) -> None:
    torchvision_ops.make_importable()
    from timm.data import create_transform

    image = draw(size[0], size)
    theirs = create_transform(
        input_size=(3, 64, 64), interpolation=interpolation, crop_pct=64 / 72, crop_mode=mode, mean=MEAN, std=STD
    )
    ours = made(
        resize={"center": "shortest", "squash": "squash", "border": "longest"}[mode],
        interpolation=interpolation,
        fill=tuple(round(255 * value) for value in MEAN) if mode == "border" else (0, 0, 0),
    )
    np.testing.assert_allclose(tensor(ours, image), theirs(image).numpy(), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(size=sizes, mode=st.sampled_from(["shortest", "longest", "squash"]))
def test_equal_to_open_clip(size: tuple[int, int], mode: str) -> None:
    torchvision_ops.make_importable()
    from open_clip.transform import PreprocessCfg, image_transform_v2

    image = draw(size[1], size)
    config = PreprocessCfg(size=64, mean=MEAN, std=STD, interpolation="bicubic", resize_mode=mode, fill_color=7)
    ours = made(resize=mode, size=(64, 64), interpolation="bicubic", fill=(7, 7, 7))
    np.testing.assert_allclose(
        tensor(ours, image), image_transform_v2(config, is_train=False)(image).numpy(), atol=1e-5
    )


def test_the_text_is_pinned() -> None:
    assert made().text == (
        "v1; rgb; resize=shortest:72x72:bicubic; crop=center:64x64:0.0.0; scale=1/255; "
        "mean=0.485,0.456,0.406; std=0.229,0.224,0.225"
    )


@pytest.mark.parametrize("size", [(20000, 3), (3, 20000), (1, 1)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash", "cover"])
def test_odd_shapes_cost_little_and_work(size: tuple[int, int], mode: str) -> None:
    assert made(resize=mode).apply(ImageView.of(Image.new("RGB", size, (9, 9, 9)))).shape == (64, 64, 3)


def test_what_is_not_supported_is_said() -> None:
    with pytest.raises(ModelProblem, match="'fractal'"):
        made(interpolation="fractal")
