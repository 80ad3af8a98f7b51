"""Groups of real labelled photos: label accuracy of the nearest neighbours, adjusted Rand of the groups.

``builtin`` beside MobileNetV2 with the weights of the test material. The Rand index leaves the label
``misc`` out, whose photos belong to nobody, and counts an ungrouped photo as a group of one. How
many of ``misc`` stayed ungrouped is said apart.
"""

import argparse
import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any

import hdbscan
import numpy as np
from sklearn.metrics import adjusted_rand_score

from pixsortd.analyze.analyzer import Analyzer
from pixsortd.config import EmbedSettings, ScoreSettings, Settings, SpaceSettings
from pixsortd.grouping.cluster import cluster
from pixsortd.grouping.reduce import Array, unit
from pixsortd.records import FileStamp, Wants, WorkItem
from tests.bench.common import result
from tests.conftest import SHARED

LONERS = "misc"
WEIGHTS = SHARED / "weights" / "mobilenetv2_100.tfhub_ptq_in1k.safetensors"
DEFAULT = (5, 5)
OTHERS = ((3, 3), (3, 5), (8, 5), (8, 8))
"""(min_cluster_size, min_samples)."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Embed the photos with the daemon's own analysis and group them with its own clustering."""
    parser = argparse.ArgumentParser(prog="groups", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every second photo, default parameters only")
    quick = parser.parse_args(arguments).quick
    if not (SHARED / "photos" / "labels.csv").is_file():
        raise SystemExit("no labelled photos beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    with (SHARED / "photos" / "labels.csv").open() as table:
        rows = [(row["file"], row["label"]) for row in csv.DictReader(table)][:: 2 if quick else 1]
    spaces = ("mobilenet", "builtin") if WEIGHTS.is_file() else ("builtin",)
    shas, vectors = embedded([file for file, _ in rows], spaces)
    order = sorted(range(len(rows)), key=lambda i: shas[i])
    labels = np.array([rows[i][1] for i in order])
    detail: dict[str, Any] = {"photos": len(rows), "of misc": int((labels == LONERS).sum())}
    for space in spaces:
        detail |= {f"{space}: {key}": value for key, value in judged(vectors[space][order], labels, quick).items()}
    value = detail[f"{spaces[0]}: adjusted Rand"]
    return result(
        "groups", value, ">= 0.80 with mobilenet", lambda v: spaces[0] == "mobilenet" and v >= 0.80, "ARI", detail
    )


def embedded(files: list[str], spaces: tuple[str, ...]) -> tuple[list[bytes], dict[str, Array]]:
    """SHA-256 by file and the unit vectors by space, through the worker's own code."""
    own = SpaceSettings(model="timm:mobilenetv2_100", weights=str(WEIGHTS), args={"pad_type": "same"})
    settings = Settings(
        embed=EmbedSettings(space=spaces[0], also=spaces[1:]),
        spaces={"mobilenet": own} if "mobilenet" in spaces else {},
        score=ScoreSettings(metrics=()),
    )
    analyzer = Analyzer(settings, os.cpu_count() or 1, "cpu")
    root = os.fsencode(SHARED / "photos")
    shas: dict[int, bytes] = {}
    vectors: dict[str, dict[int, Array]] = {space: {} for space in spaces}
    for start in range(0, len(files), 32):
        items = [item(i, root, files[i]) for i in range(start, min(start + 32, len(files)))]
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


def judged(vectors: Array, labels: Array, quick: bool) -> dict[str, Any]:
    """All figures of one space."""
    figures: dict[str, Any] = {f"{k}-nearest label accuracy": neighbours(vectors, labels, k) for k in (1, 5)}
    found = cluster(vectors, *DEFAULT)
    figures |= agreement(found.labels, labels)
    raw = hdbscan.HDBSCAN(min_cluster_size=DEFAULT[0], min_samples=DEFAULT[1]).fit(unit(vectors)).labels_
    figures |= {f"raw HDBSCAN, {key}": value for key, value in agreement(raw, labels).items()}
    for size, samples in () if quick else OTHERS:
        other = agreement(cluster(vectors, size, samples).labels, labels)
        figures |= {f"min_cluster_size {size}, min_samples {samples}: {key}": value for key, value in other.items()}
    return figures


def neighbours(vectors: Array, labels: Array, k: int) -> float:
    """Leave-one-out accuracy of the majority label of the ``k`` nearest (the nearest on ties), without misc."""
    kept = labels != LONERS
    rows, names = unit(vectors[kept]), labels[kept]
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    near = names[np.argsort(-cosines, axis=1, kind="stable")[:, :k]]
    hits = [Counter(row).most_common(1)[0][0] == name for row, name in zip(near.tolist(), names, strict=True)]
    return round(float(np.mean(hits)), 4)


def agreement(found: Array, labels: Array) -> dict[str, Any]:
    """How the groups and the labels fit."""
    kept = labels != LONERS
    alone = np.where(found < 0, found.max() + 1 + np.arange(len(found)), found)
    return {
        "adjusted Rand": round(float(adjusted_rand_score(labels[kept], alone[kept])), 4),
        "groups": int(found.max()) + 1,
        "labelled photos grouped": round(float((found[kept] >= 0).mean()), 3),
        "misc ungrouped": f"{int((found[~kept] < 0).sum())}/{int((~kept).sum())}",
    }
