"""Photos to group: labelled ones through the worker's own code, parts of them, and mixtures that are made up."""

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixsortd.analyze.analyzer import Analyzer
from pixsortd.config import EmbedSettings, ScoreSettings, Settings, SpaceSettings
from pixsortd.grouping.rows import Array, unit
from pixsortd.records import FileStamp, Wants, WorkItem
from tests.conftest import SHARED

LONERS = "misc"
BACKBONES = {
    "mobilenet": ("timm:mobilenetv2_100", SHARED / "weights" / "mobilenetv2_100.tfhub_ptq_in1k.safetensors"),
    "mobilenetv1": ("timm:mobilenetv1_100", SHARED / "weights" / "mobilenetv1_100.coral_embed.safetensors"),
}


class Mixture(NamedTuple):
    """Rows to group, by rising hash, and what they show; ``LONERS`` belong to nobody."""

    vectors: Array
    labels: Array


def photos(folder: str, spaces: tuple[str, ...], every: int = 1) -> dict[str, Mixture]:
    """The labelled photos of a folder of the test material, by space."""
    with (SHARED / folder / "labels.csv").open() as table:
        rows = [(row["file"], row["label"]) for row in csv.DictReader(table)][::every]
    shas, vectors = embedded(SHARED / folder, [file for file, _ in rows], spaces)
    order = sorted(range(len(rows)), key=lambda i: shas[i])
    labels = np.array([rows[i][1] for i in order])
    return {space: Mixture(vectors[space][order], labels) for space in spaces}


def embedded(folder: Path, files: list[str], spaces: tuple[str, ...]) -> tuple[list[bytes], dict[str, Array]]:
    """SHA-256 by file and the unit vectors by space, through the worker's own code."""
    settings = Settings(
        embed=EmbedSettings(space=spaces[0], also=spaces[1:]),
        spaces={
            space: SpaceSettings(model=model, weights=str(weights), args={"pad_type": "same"})
            for space, (model, weights) in BACKBONES.items()
            if space in spaces
        },
        score=ScoreSettings(metrics=()),
    )
    analyzer = Analyzer(settings, os.cpu_count() or 1, "cpu")
    shas: dict[int, bytes] = {}
    vectors: dict[str, dict[int, Array]] = {space: {} for space in spaces}
    for start in range(0, len(files), 32):
        items = [item(i, os.fsencode(folder), files[i]) for i in range(start, min(start + 32, len(files)))]
        wants = {}
        for fingerprint in analyzer.fingerprint(items):
            assert fingerprint.sha256 is not None, fingerprint.failure
            shas[fingerprint.id] = fingerprint.sha256
            wants[fingerprint.id] = Wants(spaces=spaces)
        for analysis in analyzer.analyze(wants):
            assert len(analysis.embeddings) == len(spaces), analysis.failure
            for embedding in analysis.embeddings:
                vectors[embedding.space.name][analysis.id] = np.frombuffer(embedding.vector, "<f2")
    count = range(len(files))
    return [shas[i] for i in count], {space: np.stack([found[i] for i in count]) for space, found in vectors.items()}


def item(number: int, root: bytes, file: str) -> WorkItem:
    """A file as the daemon hands it to a worker."""
    stamp = FileStamp.of((Path(os.fsdecode(root)) / file).stat())
    return WorkItem(id=number, root=root, path=os.fsencode(file), stamp=stamp)


def parts(whole: Mixture, count: int) -> Iterator[Mixture]:
    """Some of the classes, in every other part with some of their photos, and loners up to three in ten."""
    classes = sorted(set(whole.labels.tolist()) - {LONERS})
    for seed in range(count):
        draw = np.random.default_rng(seed)
        chosen: list[int] = []
        for name in draw.choice(classes, draw.integers(6, 13), replace=False):
            rows = np.flatnonzero(whole.labels == name)
            size = len(rows) if seed % 2 == 0 else int(np.exp(draw.uniform(np.log(6), np.log(len(rows)))))
            chosen += draw.choice(rows, size, replace=False).tolist()
        loners = np.flatnonzero(whole.labels == LONERS)
        chosen += draw.choice(loners, min(len(loners), int(0.43 * len(chosen))), replace=False).tolist()
        rows = np.sort(chosen)
        yield Mixture(whole.vectors[rows], whole.labels[rows])


def made(sizes: Mapping[int, int], seed: int = 0, dim: int = 64) -> Mixture:
    """Groups of the given sizes (size: how many), each with its own spread along directions of its own, and
    as many loners as make three in ten."""
    draw = np.random.default_rng(seed)
    each = [size for size, times in sizes.items() for _ in range(times)]
    rows: list[Any] = []
    for size in each:
        plane = np.linalg.qr(draw.normal(size=(dim, 20)))[0].T
        centre = unit(draw.normal(size=(1, dim)))
        rows.append(centre + draw.uniform(0.4, 0.85) * unit(draw.normal(size=(size, 20))) @ plane)
    loners = sum(each) * 3 // 7
    labels = np.array([str(i) for i, size in enumerate(each) for _ in range(size)] + [LONERS] * loners)
    vectors = unit(np.concatenate([*rows, draw.normal(size=(loners, dim))])).astype(np.float16)
    order = draw.permutation(len(labels))
    return Mixture(vectors[order], labels[order])
