"""A made library of any size, filled straight into the index, to measure lists and the page on.

``python -m tests.bench library --photos 100000 --out DIR`` writes ``DIR/photos`` (small real pictures, one
file a photo, dated as they were taken), ``DIR/state`` (the index with thumbnails, vectors, scores and groups as if
all had been analysed) and ``DIR/pixsortd.toml``. ``python -m pixsortd run --config DIR/pixsortd.toml``
then finds everything as it knows it and reads no file again. The records claim the sizes of real
cameras; the pictures are some forty distinct ones, drawn, or those of ``--pictures DIR``.
"""

import argparse
import hashlib
import io
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image, ImageOps

from pixsortd.analyze.embedders.builtin import Descriptor
from pixsortd.analyze.metrics import iqa, pyiqa_registry
from pixsortd.analyze.thumbnail import resized, thumbnail
from pixsortd.analyze.view import ImageView
from pixsortd.config import Settings
from pixsortd.decisions import Decisions
from pixsortd.index.store import Store
from pixsortd.index.thumbs import Thumbnails
from pixsortd.index.vectors import Vectors
from pixsortd.records import (
    Ability,
    AbilityState,
    Analysis,
    ColourLabel,
    Decision,
    Embedding,
    Exif,
    FileStamp,
    Found,
    Group,
    LabelPhoto,
    Membership,
    Photo,
    RatePhoto,
    Score,
    root_id,
)
from tests.bench._shots import CAMERAS, FRAMES, Shot, shots
from tests.bench.common import result
from tests.conftest import draw
from tests.harness import Daemon

PICTURES = 40
THUMBNAIL, ORIGINAL = 512, 160
"""Long sides in pixels: thumbnails as the daemon makes them, originals as small as will do."""
AT_ONCE = 500
GROUPED = 5
"""Scenes of at least this many shots are groups."""
MARKED = 0.03
"""Share of the photos that have stars, and of those that have a colour."""
SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
METRICS = {"brisque": (28.0, 0.45), "niqe": (4.4, 0.25), "piqe": (34.0, 0.35)}
"""Median and spread of the logarithm."""
SETTINGS = {"score": {"metrics": list(METRICS)}, "cluster": {"every": "365d"}}


class Shelf(Thumbnails):
    """Thumbnails of which equal ones are one file on disk."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._first: dict[bytes, Path] = {}

    def write(self, sha256: bytes, data: bytes) -> tuple[int, int]:
        """Store one, as a link to an equal one where there is one."""
        path = self.directory / sha256.hex()[:2] / f"{sha256.hex()}.jpg"
        first = self._first.get(data)
        if first is None:
            super().write(sha256, data)
            self._first[data] = path
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            os.link(first, path)
        return zlib.crc32(data), len(data)


class Gallery:
    """The distinct pictures in every frame: thumbnails, small originals and vectors."""

    def __init__(self, source: Path | None) -> None:
        self._pictures = list(_pictures(source))
        self.count = len(self._pictures)
        descriptor = Descriptor("builtin")
        self.space = descriptor.space
        inputs = [descriptor.prepare(ImageView.of(picture)) for picture in self._pictures]
        self.vectors = descriptor.embed(np.stack(inputs))
        self._thumbnails: dict[tuple[int, int], bytes] = {}
        self._originals: dict[tuple[int, int, str], bytes] = {}

    def thumbnail(self, shot: Shot) -> bytes:
        """JPEG as the daemon would make it."""
        key = shot.picture, shot.frame
        if key not in self._thumbnails:
            self._thumbnails[key] = thumbnail(ImageView.of(self._framed(shot, THUMBNAIL)), THUMBNAIL)
        return self._thumbnails[key]

    def original(self, shot: Shot) -> bytes:
        """A whole picture in the shot's format, much smaller than its record says."""
        key = shot.picture, shot.frame, shot.format
        if key not in self._originals:
            out = io.BytesIO()
            picture = self._framed(shot, ORIGINAL)
            picture = picture.quantize(16) if shot.format == "PNG" else picture
            picture.save(out, shot.format, quality=60)
            self._originals[key] = out.getvalue()
        return self._originals[key]

    def _framed(self, shot: Shot, long_side: int) -> Image.Image:
        width, height = FRAMES[shot.frame][0]
        scale = long_side / max(width, height)
        size = round(width * scale), round(height * scale)
        return ImageOps.fit(self._pictures[shot.picture], size)


def _pictures(source: Path | None) -> Iterator[Image.Image]:
    if source is None:
        yield from (draw(seed, (768, 768)) for seed in range(PICTURES))
        return
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    for path in files[:: max(1, len(files) // PICTURES)][:PICTURES]:
        with Image.open(path) as image:
            yield resized(ImageView.of(ImageOps.exif_transpose(image).convert("RGB")), 1024)


class Filling:
    """One library being made."""

    def __init__(self, out: Path, gallery: Gallery, store: Store, seed: int) -> None:
        self._photos = out / "photos"
        self._root = root_id(os.fsencode(os.path.realpath(self._photos)))
        self._gallery = gallery
        self._store = store
        self._random = np.random.default_rng(seed + 1)
        self._metrics = {name: pyiqa_registry.describe(name, long_side=iqa.family.long_side) for name in METRICS}
        self._scenes: dict[int, np.ndarray] = {}

    def abilities(self) -> None:
        """Say what a worker would say, so that none is started to be asked."""
        ready, now = AbilityState.READY, time.time()
        space = self._gallery.space
        self._store.save_ability(Ability(kind="space", name=space.name, state=ready, space=space, device="cpu", at=now))
        for name, info in self._metrics.items():
            self._store.save_ability(Ability(kind="metric", name=name, state=ready, metric=info, device="cpu", at=now))

    def add(self, numbered: Sequence[tuple[int, Shot]]) -> list[bytes]:
        """Write these photos and take them in, in one transaction each for files and analyses; their contents."""
        paths, contents = [], []
        for number, shot in numbered:
            path, data = self._path(number, shot), self._gallery.original(shot) + number.to_bytes(8, "big")
            (self._photos / path).parent.mkdir(parents=True, exist_ok=True)
            (self._photos / path).write_bytes(data)
            os.utime(self._photos / path, ns=(int(shot.taken * 1e9),) * 2)
            paths.append(os.fsencode(path))
            contents.append(hashlib.sha256(data).digest())
        stamps = [FileStamp.of(os.stat(self._photos / os.fsdecode(path))) for path in paths]
        changes = [Found(path=path, stamp=stamp, settled=True) for path, stamp in zip(paths, stamps, strict=True)]
        self._store.record(self._root, changes)
        rows = [self._store.file(self._root, path) for path in paths]
        vectors = self._vectors([shot for _, shot in numbered])
        self._store.commit(
            [
                (row, self._analysis(shot, row.stamp.size, content, vector))
                for row, (_, shot), content, vector in zip(rows, numbered, contents, vectors, strict=True)
                if row is not None and row.stamp is not None
            ]
        )
        return contents

    def groups(self, scenes: Sequence[tuple[int, list[bytes]]]) -> int:
        """Make groups of the large scenes; how many."""
        now, groups, memberships = time.time(), [], dict[bytes, Membership]()
        for scene, members in scenes:
            if len(members) >= GROUPED and scene % 5:
                name = "g" + hashlib.blake2b(scene.to_bytes(4, "big"), digest_size=5).hexdigest()
                groups.append(
                    Group(
                        id=name,
                        size=len(members),
                        exemplars=tuple(members[:5]),
                        space="builtin",
                        created=now,
                        floor=0.9,
                    )
                )
                strength = self._random.uniform(0.5, 1, len(members))
                for member, sure in zip(members, strength, strict=True):
                    memberships[member] = Membership(group=name, strength=float(sure), how="clustered", at=now)
        self._store.regroup(memberships.items(), groups)
        return len(groups)

    def _path(self, number: int, shot: Shot) -> str:
        moment = datetime.fromtimestamp(shot.taken, UTC)
        return f"{moment:%Y}/{moment:%m}/IMG_{number:06}.{SUFFIX[shot.format]}"

    def _vectors(self, wanted: Sequence[Shot]) -> list[bytes]:
        """A picture's vector, bent a little by the scene and less by the shot."""
        dim, rows = self._gallery.space.dim, []
        for shot in wanted:
            if shot.scene not in self._scenes:
                self._scenes = {} if len(self._scenes) > AT_ONCE else self._scenes
                bend = np.random.default_rng(shot.scene).normal(0, 0.8 / dim**0.5, dim)
                self._scenes[shot.scene] = self._gallery.vectors[shot.picture] + bend
            rows.append(self._scenes[shot.scene])
        moved = np.stack(rows) + self._random.normal(0, 0.2 / dim**0.5, (len(rows), dim))
        unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return [row.astype("<f2").tobytes() for row in unit]

    def _analysis(self, shot: Shot, size: int, sha256: bytes, vector: bytes) -> Analysis:
        width, height = FRAMES[shot.frame][0]
        make, model, lens, *_ = CAMERAS[shot.camera]
        written = datetime.fromtimestamp(shot.taken, UTC)
        exif = Exif()
        if make is not None:
            exif = Exif(
                taken=written.isoformat(timespec="milliseconds"),
                taken_at=shot.taken,
                camera_make=make,
                camera_model=model,
                lens=lens,
                exposure_seconds=1 / 250,
                exposure="1/250",
                f_number=float(self._random.choice([1.8, 2.8, 4.0, 5.6, 8.0])),
                iso=int(self._random.choice([100, 200, 400, 800, 1600])),
                focal_length=float(self._random.integers(24, 105)),
            )
        photo = Photo(
            sha256=sha256,
            size=size,
            format=shot.format,
            width=width,
            height=height,
            exif=exif,
            taken=shot.taken,
            taken_from="mtime" if make is None else "exif",
            decoder="made",
        )
        scores = [
            Score(metric=info, value=float(METRICS[name][0] * self._random.lognormal(0, METRICS[name][1])))
            for name, info in self._metrics.items()
        ]
        return Analysis(
            id=0,
            sha256=sha256,
            photo=photo,
            thumbnail=self._gallery.thumbnail(shot),
            embeddings=(Embedding(space=self._gallery.space, vector=vector),),
            scores=tuple(scores),
        )


def make(out: Path, count: int, pictures: Path | None = None, seed: int = 0) -> Daemon:
    """Fill ``out``, which must be new; the daemon to start on it."""
    if (out / "state").exists() or (out / "photos").exists():
        raise SystemExit(f"{out} holds a library already")
    (out / "photos").mkdir(parents=True)
    daemon = Daemon(out, [out / "photos"], SETTINGS)
    gallery = Gallery(pictures)
    store = Store.open(daemon.state_dir / "index", map_size=Settings().index.map_size)
    store._thumbs = Shelf(store._thumbs.directory)  # a hundred thousand whole files would be gigabytes
    try:
        filling = Filling(out, gallery, store, seed)
        filling.abilities()
        found: list[tuple[int, bytes]] = []
        numbered = list(enumerate(shots(count, gallery.count, seed)))
        for start in range(0, count, AT_ONCE):
            part = numbered[start : start + AT_ONCE]
            contents = filling.add(part)
            found += [(shot.scene, content) for (_, shot), content in zip(part, contents, strict=True)]
        found.sort()
        by_scene = [(scene, [content for _, content in pairs]) for scene, pairs in groupby(found, lambda pair: pair[0])]
        filling.groups(by_scene)
        store.meta_set("clustered", msgspec.json.encode((count, gallery.space.key.hex())))
        Vectors(daemon.state_dir / "index", store, gallery.space).load()
    finally:
        store.close()
    _mark(daemon.state_dir / "decisions", [content for _, content in found], seed)
    return daemon


def _mark(directory: Path, contents: Sequence[bytes], seed: int) -> None:
    """Stars for some photos, colours for some, both for a few."""
    random, decisions, now = np.random.default_rng(seed + 2), Decisions.open(directory), time.time()
    count = int(MARKED * len(contents))
    chosen = [contents[number] for number in random.choice(len(contents), 2 * count, replace=False).tolist()]
    stars, colours = random.integers(1, 6, count).tolist(), random.choice(list(ColourLabel), count).tolist()
    said: list[Decision] = [RatePhoto(sha256=one, stars=many, at=now) for one, many in zip(chosen, stars, strict=False)]
    said += [
        LabelPhoto(sha256=one, label=ColourLabel(colour), at=now)
        for one, colour in zip(chosen[count // 2 :], colours, strict=False)
    ]
    try:
        decisions.append_all(said)
    finally:
        decisions.close()


def main(arguments: list[str]) -> dict[str, Any]:
    """Make a library and say how long it took."""
    parser = argparse.ArgumentParser(prog="library", description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True, help="a directory that is made")
    parser.add_argument("--pictures", type=Path, help="show real pictures from here")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="2,000 photos")
    given = parser.parse_args(arguments)
    count, began = 2_000 if given.quick else given.photos, time.perf_counter()
    daemon = make(given.out.resolve(), count, given.pictures, given.seed)
    seconds = time.perf_counter() - began
    detail = {"photos": count, "start it with": f"python -m pixsortd run --config {daemon.config}"}
    return result("library", seconds, "none", lambda _: True, "s", detail)
