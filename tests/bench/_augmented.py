"""Real embeddings in any number: the labelled photos of the test material, cropped and recoloured, by MobileNetV2."""

import csv
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from pixsortd.analyze.analyzer import Analyzer
from pixsortd.config import EmbedSettings, ScoreSettings, Settings, SpaceSettings
from pixsortd.grouping.rows import Array
from pixsortd.records import FileStamp, Wants, WorkItem
from tests.bench.corpus import home
from tests.conftest import SHARED

WEIGHTS = SHARED / "weights" / "mobilenetv2_100.tfhub_ptq_in1k.safetensors"
PHOTOS = SHARED / "photos"
SPACE = "mobilenet"
BATCH = 32
SIDE = 320
"""Pixels of the shorter side of a variant, more than the model takes."""


def embeddings(count: int) -> Array:
    """[count, 1280] float16: the photos as they are, then one variant of each after another. Kept between runs.

    A first run takes some 20 ms a variant. Raises ``SystemExit`` where the material is missing.
    """
    if not WEIGHTS.is_file() or not (PHOTOS / "labels.csv").is_file():
        raise SystemExit("no photos or no weights beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    place = home() / "augmented.npy"
    kept = np.load(place) if place.is_file() else np.empty((0, 0), np.float16)
    if len(kept) < count:
        made = _embedded(range(len(kept), count))
        kept = np.concatenate([kept, made]) if len(kept) else made
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, kept)
    return kept[:count]


def _embedded(numbers: range) -> Array:
    with (PHOTOS / "labels.csv").open() as table:
        files = [row["file"] for row in csv.DictReader(table)]
    space = SpaceSettings(model="timm:mobilenetv2_100", weights=str(WEIGHTS), args={"pad_type": "same"})
    settings = Settings(embed=EmbedSettings(space=SPACE), spaces={SPACE: space}, score=ScoreSettings(metrics=()))
    analyzer = Analyzer(settings, os.cpu_count() or 1, "cpu")
    found: dict[int, Array] = {}
    for start in range(numbers.start, numbers.stop, BATCH):
        some = range(start, min(start + BATCH, numbers.stop))
        with tempfile.TemporaryDirectory() as place:
            items = [_item(Path(place), number, PHOTOS / files[number % len(files)], len(files)) for number in some]
            wants = {one.id: Wants(spaces=(SPACE,)) for one in analyzer.fingerprint(items) if one.sha256 is not None}
            for analysis in analyzer.analyze(wants):
                assert analysis.embeddings, analysis.failure
                found[analysis.id] = np.frombuffer(analysis.embeddings[0].vector, "<f2")
    return np.stack([found[number] for number in numbers])


def _item(place: Path, number: int, source: Path, photos: int) -> WorkItem:
    """A variant as a file; the same number makes the same one."""
    generator = np.random.default_rng(number)
    with Image.open(source) as opened:
        image = opened.convert("RGB")
    if number >= photos:
        share = generator.uniform(0.55, 0.95)
        width, height = (int(side * share) for side in image.size)
        left, top = generator.integers(0, image.width - width + 1), generator.integers(0, image.height - height + 1)
        image = image.crop((int(left), int(top), int(left) + width, int(top) + height))
        for change in (ImageEnhance.Brightness, ImageEnhance.Color, ImageEnhance.Contrast):
            image = change(image).enhance(generator.uniform(0.6, 1.5))
        if generator.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = SIDE / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    name = f"{number}.jpg"
    image.save(place / name, quality=92)
    stamp = FileStamp.of((place / name).stat())
    return WorkItem(id=number, root=os.fsencode(place), path=os.fsencode(name), stamp=stamp)
