"""The pipeline most people would write first, and PIXSORT's does: one photo at a time, from the file for each stage.

Each stage opens the file and decodes all of it with Pillow: the thumbnail, the description, the
embedding (batch of one), and each of pyiqa's metrics on the picture in full size. What was found is
committed durably, photo by photo. Torch has all cores.
"""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import msgspec
import numpy as np
from PIL import Image, ImageOps
from PIL.ExifTags import IFD

from pixsortd.analyze import plugins
from pixsortd.analyze.metrics.iqa import build
from pixsortd.analyze.view import ImageView
from pixsortd.config import Settings

THUMBNAIL = 512


class Naive:
    """The pipeline with its models loaded; ``seconds`` is the time by stage since the last ``clear``."""

    def __init__(self, home: Path, settings: Settings, device: str) -> None:
        self._thumbnails = home / "thumbnails"
        self._thumbnails.mkdir(parents=True)
        self._store = lmdb.open(str(home / "index"), map_size=2**30)
        self._device = device
        self._embedder = plugins.embedder(settings.embed.space, settings, device)
        weights = settings.score.weights
        self._metrics = {
            name: build(name, device, {"pretrained_model_path": weights[name]} if name in weights else {})
            for name in settings.score.metrics
        }
        self.seconds: dict[str, float] = {}

    def take(self, file: Path) -> None:
        """Take one photo in."""
        with self._stage("hash"):
            sha256 = hashlib.sha256(file.read_bytes()).digest()
        with self._stage("thumbnail"):
            image = _decoded(file)
            image.thumbnail((THUMBNAIL, THUMBNAIL))
            image.save(self._thumbnails / f"{sha256.hex()}.jpg", quality=85)
        with self._stage("describe"), Image.open(file) as opened:
            opened.load()
            inner = opened.getexif().get_ifd(IFD.Exif)
            known = {"size": opened.size, "exif": {str(tag): str(value) for tag, value in inner.items()}}
        with self._stage("embed"):
            vector = self._embedder.embed(self._embedder.prepare(ImageView.of(_decoded(file)))[None])[0]
        scores = {}
        for name in self._metrics:
            with self._stage(f"score:{name}"):
                scores[name] = self._score(name, _decoded(file))
        with self._stage("commit"), self._store.begin(write=True) as transaction:
            row = {**known, "vector": vector.astype("<f4").tobytes(), "scores": scores}
            transaction.put(sha256, msgspec.msgpack.encode(row))

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _score(self, name: str, image: Image.Image) -> float:
        import torch

        pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
        with torch.inference_mode():
            return float(self._metrics[name](torch.from_numpy(pixels).to(self._device)))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def _decoded(file: Path) -> Image.Image:
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        return ImageOps.exif_transpose(image).convert("RGB")
