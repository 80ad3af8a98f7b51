"""What the models see of a photo decoded small is what they would see of all of it.

The full path decodes every pixel; from there on both paths are prepared by the same code. The labelled
photos are some 300 pixels wide, so they are enlarged here to what a camera gives, by sizes at which the
decoder goes as low as it ever does: resampled with Lanczos, with the finest detail of other photos (what
a blur of 4 pixels takes off them, at their own resolution) and sensor grain laid over them, stored as
JPEG of several qualities and subsamplings. The few large real photos are taken as they are and, where
they are no JPEGs, stored as such.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixsortd.analyze import plugins
from pixsortd.analyze.decode import Decoder, Need
from pixsortd.analyze.describe import MARGIN, SHORT_SIDE
from pixsortd.analyze.ports import Embedder, Floats
from pixsortd.config import DecodeSettings, Settings, SpaceSettings

PHOTOS = 64
SHORTEST = (1920, 1931, 1920, 2203, 1920, 1931, 1920, 3840)
"""Short sides: at 1920 and 3840 a JPEG is decoded at a quarter and an eighth, to just 480; the others fit nothing."""
ENCODED = ({"quality": 92}, {"quality": 80, "progressive": True}, {"quality": 95, "subsampling": 0})
LARGE = (
    "formats/exif/empty_gps.jpg",
    "formats/exif/67-0_length_string.jpg",
    "formats/exif/45-gps_ifd.jpg",
    "formats/containers/8bit-sRGB.avif",
    "formats/containers/IMG_2682.heic",
    "formats/containers/IMG_5195.HEIC",
    "formats/containers/arrow.heic",
)


@pytest.fixture(scope="module")
def embedders(shared_data: Path) -> dict[str, Embedder]:
    """The weight-free descriptor and two networks with the weights they were trained to."""
    weights = shared_data / "weights"
    files = {"v1": "mobilenetv1_100.coral_embed", "v2": "mobilenetv2_100.tfhub_ptq_in1k"}
    spaces = {
        name: SpaceSettings(
            model=f"timm:{file.partition('.')[0]}",
            weights=str(weights / f"{file}.safetensors"),
            args={"pad_type": "same"},
        )
        for name, file in files.items()
    }
    settings = Settings(spaces=spaces)
    return {name: plugins.embedder(name, settings, "cpu") for name in ("builtin", *files)}


def need(embedders: dict[str, Embedder]) -> Need:
    """What is asked of a decode for these models and the usual thumbnail."""
    return Need(512, max(SHORT_SIDE, *(round(MARGIN * embedder.needs) for embedder in embedders.values())))


def photos(shared_data: Path) -> list[Path]:
    """Labelled photos of all classes."""
    files = sorted((shared_data / "photos").rglob("*.jpg"))
    return files[:: len(files) // PHOTOS][:PHOTOS]


def enlarged(files: list[Path], number: int) -> Image.Image:
    """A photo with the pixels of a camera and detail in every one of them."""
    random = np.random.default_rng(number)
    with Image.open(files[number]) as opened:
        image = opened.convert("RGB")
    scale = SHORTEST[number % len(SHORTEST)] / min(image.size)
    width, height = round(image.width * scale), round(image.height * scale)
    tile = Image.new("RGB", (900, 600))
    for place, other in enumerate(random.integers(0, len(files), 6)):
        with Image.open(files[other]) as opened:
            tile.paste(opened.convert("RGB").resize((300, 300)), (place % 3 * 300, place // 3 * 300))
    fine = np.asarray(tile, np.int16) - np.asarray(tile.filter(ImageFilter.GaussianBlur(4)), np.int16)
    overlay = fine * 2 // 5 + random.normal(0, 4, fine.shape).astype(np.int16)
    overlay = np.tile(overlay, (height // 600 + 1, width // 900 + 1, 1))[:height, :width]
    pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS), np.int16) + overlay
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, number: int) -> bytes:
    """As one of several programs would store it."""
    file = io.BytesIO()
    image.save(file, "JPEG", icc_profile=image.info.get("icc_profile"), **ENCODED[number % len(ENCODED)])
    return file.getvalue()


def both(data: bytes, embedders: dict[str, Embedder]) -> Iterator[tuple[str, Floats, Floats]]:
    """Each space's vector of the full decode and of ours."""
    decoder = Decoder(DecodeSettings())
    small = decoder.decode(data, need(embedders)).view
    full = decoder.decode(data, Need(10**6, 10**6)).view
    assert small.source.width < full.source.width or max(small.width, small.height) < 1920
    for name, embedder in embedders.items():
        pair = np.stack([embedder.prepare(full), embedder.prepare(small)])
        vectors = embedder.embed(pair)
        yield name, vectors[0], vectors[1]


def neighbours(vectors: Floats) -> list[set[int]]:
    """The ten nearest of each."""
    near = vectors @ vectors.T
    np.fill_diagonal(near, -2)
    return [set(row) for row in np.argsort(-near, axis=1)[:, :10]]


def test_vectors_and_neighbours_are_those_of_a_full_decode(shared_data: Path, embedders: dict[str, Embedder]) -> None:
    files = photos(shared_data)
    found: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in embedders}
    for number in range(len(files)):
        for name, full, small in both(jpeg(enlarged(files, number), number), embedders):
            found[name].append((full, small))
    for name, pairs in found.items():
        full, small = (np.stack(side) for side in zip(*pairs, strict=True))
        cosines = (full * small).sum(axis=1)
        overlap = np.mean([len(a & b) / 10 for a, b in zip(neighbours(full), neighbours(small), strict=True)])
        print(f"{name}: cosine {cosines.min():.4f} least, {np.median(cosines):.4f} median; overlap@10 {overlap:.3f}")
        assert cosines.min() >= 0.99, (name, files[int(cosines.argmin())])
        assert overlap >= 0.95, name


@pytest.mark.parametrize("name", LARGE)
def test_large_real_photos(shared_data: Path, embedders: dict[str, Embedder], name: str) -> None:
    if name.lower().endswith(".heic"):
        pytest.importorskip("pillow_heif").register_heif_opener()
    stored = [(shared_data / name).read_bytes()]
    if not name.endswith(".jpg"):
        with Image.open(io.BytesIO(stored[0])) as image:
            stored.append(jpeg(image.convert("RGB"), LARGE.index(name)))
    for data in stored:
        for space, full, small in both(data, embedders):
            print(f"{space}: {float(full @ small):.4f}")
            assert full @ small >= 0.99, (name, space)
