"""Fixtures for every test: real material where it is present, made material everywhere else."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image, ImageDraw

# A busy machine is no defect: no example has a deadline.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(os.environ.get("PIXSORTD_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

MakePhoto = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def _own_model_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test, and no daemon of one, reads or fills the user's cache of model files."""
    os.environ["TORCH_HOME"] = str(tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real photos, bursts, odd formats, hostile files and small weights."""
    if not (SHARED / "SOURCES.md").is_file():
        pytest.skip("no real material beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    return SHARED


def draw(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture with camera-like structure: a gradient, shapes and a little sensor noise."""
    random = np.random.default_rng(seed)
    width, height = size
    top, bottom = random.integers(0, 256, (2, 3))
    ramp = np.linspace(0, 1, height)[:, None, None]
    pixels = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (height, width, 3))
    image = Image.fromarray(pixels.astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(width // 16, width // 3), random.integers(height // 16, height // 3)
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((int(x), int(y), int(x + w), int(y + h)), fill=tuple(int(c) for c in random.integers(0, 256, 3)))
    noisy = np.asarray(image, np.float32) + random.normal(0, 4, (height, width, 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def write_photo(path: Path, seed: int = 0, size: tuple[int, int] = (640, 480), **exif: object) -> Path:
    """Write ``draw(seed, size)`` to ``path``; keyword arguments are EXIF tags by Pillow's names."""
    from PIL.ExifTags import Base

    image = draw(seed, size)
    tags = image.getexif()
    for name, value in exif.items():
        tags[Base[name].value] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=tags)
    return path


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding models compute in float32, also where the processor has bfloat16."""
    monkeypatch.setattr("pixsortd.analyze.embedders.engine.cpu_has_bfloat16", lambda: False)


@pytest.fixture
def make_photo() -> MakePhoto:
    """``make_photo(path, seed=0, size=(640, 480), **exif)`` writes a photo and returns its path."""
    return write_photo
