"""The weight-free descriptor: a fixed, discriminative function of the pixels."""

import csv
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageEnhance

from pixsortd.analyze.embedders.builtin import Descriptor, family
from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings
from tests.conftest import draw


@pytest.fixture(scope="module")
def builtin() -> Descriptor:
    return family.load("builtin", None, ModelSettings(), "cpu")


def vectors(embedder: Descriptor, images: list[Image.Image]) -> npt.NDArray[np.float32]:
    return embedder.embed(np.stack([embedder.prepare(ImageView.of(image)) for image in images]))


def neighbours(found: npt.NDArray[np.float32], labels: list[str]) -> float:
    """Leave-one-out accuracy of the nearest neighbour."""
    cosines = found @ found.T
    np.fill_diagonal(cosines, -2)
    return float(np.mean([labels[near] == label for near, label in zip(cosines.argmax(1), labels, strict=True)]))


def labelled(folder: Path) -> tuple[list[Image.Image], list[str]]:
    with open(folder / "labels.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "misc"]
    return [Image.open(folder / row["file"]).convert("RGB") for row in rows], [row["label"] for row in rows]


def test_vectors_are_unit_float32_of_the_declared_dimension(builtin: Descriptor) -> None:
    found = vectors(builtin, [draw(seed) for seed in range(5)])
    assert found.dtype == np.float32
    assert found.shape == (5, builtin.space.dim)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_photo_has_one_vector_whatever_it_is_batched_with(builtin: Descriptor) -> None:
    images = [draw(seed) for seed in range(4)]
    together = vectors(builtin, images)
    alone = np.concatenate([vectors(builtin, [image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    again = vectors(family.load("builtin", None, ModelSettings(), "cpu"), images)
    np.testing.assert_array_equal(together, again)


def test_prepare_is_thread_safe_and_of_one_shape(builtin: Descriptor) -> None:
    images = [draw(seed, (64 + 40 * seed, 480 - 30 * seed)) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(builtin.prepare, map(ImageView.of, images)))
    for image, prepared in zip(images, threaded, strict=True):
        assert (prepared.shape, prepared.dtype) == ((builtin.space.dim,), np.float32)
        np.testing.assert_array_equal(prepared, builtin.prepare(ImageView.of(image)))


def test_the_same_picture_again_is_nearer_than_any_other(builtin: Descriptor) -> None:
    originals = [draw(seed) for seed in range(12)]
    copies = []
    for image in originals:
        encoded = io.BytesIO()
        ImageEnhance.Brightness(image.resize((400, 300))).enhance(1.1).save(encoded, "JPEG", quality=70)
        copies.append(Image.open(encoded).convert("RGB"))
    cosines = vectors(builtin, originals) @ vectors(builtin, copies).T
    assert (cosines.argmax(1) == np.arange(12)).all()
    assert np.diag(cosines).min() > 0.8
    assert np.diag(cosines).min() > cosines[~np.eye(12, dtype=bool)].max()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 10, 200)])
def test_even_surfaces_have_finite_vectors(builtin: Descriptor, colour: tuple[int, int, int]) -> None:
    found = vectors(builtin, [Image.new("RGB", (50, 3000), colour)])
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_it_says_what_it_is(builtin: Descriptor) -> None:
    assert builtin.space.name == builtin.space.model == "builtin"
    assert builtin.space.dim == 768
    assert builtin.space.preprocessing == "v1; rgb; resize=squash:96x96:bilinear; scale=1/255"


def test_it_tells_real_photos_apart(builtin: Descriptor, shared_data: Path) -> None:
    images, labels = labelled(shared_data / "photos")
    accuracy = neighbours(vectors(builtin, images), labels)
    print(f"builtin, leave-one-out 1-NN on {len(labels)} photos of 17 classes: {accuracy:.3f}")
    assert accuracy > 0.70  # chance is 0.06, a randomly initialised MobileNetV2 reaches 0.20


def test_shots_of_one_burst_are_each_others_nearest(builtin: Descriptor, shared_data: Path) -> None:
    images, labels = labelled(shared_data / "bursts")
    cosines = (found := vectors(builtin, images)) @ found.T
    np.fill_diagonal(cosines, -2)
    near = cosines.argmax(1)
    bursts = [i for i, label in enumerate(labels) if label in ("et", "hdr_canon", "sacre_coeur")]
    assert np.mean([labels[near[i]] == labels[i] for i in bursts]) >= 0.9


def test_it_needs_no_model_library() -> None:
    code = (
        "import sys; from pixsortd.analyze import plugins, models;"
        "from pixsortd.analyze.embedders.builtin import family;"
        "from pixsortd.config import ModelSettings; family.load('builtin', None, ModelSettings(), 'cpu');"
        "loaded = {'torch', 'open_clip', 'transformers', 'timm', 'pyiqa', 'torchvision'} & set(sys.modules);"
        "sys.exit(','.join(loaded) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
