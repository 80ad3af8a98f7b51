"""Clustering 10,000 photos in 512 dimensions against the hdbscan package, on one and the same metric.

Both get the same vectors, at unit length, and Euclidean distance, and run in this process. Ours is timed from the
vectors to labels, with every edge of the tree proved, as batches with plain weights have it; apart, without the search
for what the graph does not prove, and as the daemon clusters by default, in the analyst with its start, matching
and describing. Theirs is one call, its import
left out. Made vectors: subjects of 5 to 400 photos around centres with a spectrum like that of real
embeddings, and 30 % loners. Agreement is also measured on embeddings of real photos, cropped and recoloured to reach
2,000, 5,000 and 10,000.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import hdbscan
import numpy as np
from sklearn.metrics import adjusted_rand_score

from pixsortd.grouping.cluster import cluster_plainly
from pixsortd.grouping.density import extract
from pixsortd.grouping.neighbours import built
from pixsortd.grouping.points import placed
from pixsortd.grouping.request import Request
from pixsortd.grouping.rows import Array, unit
from pixsortd.grouping.run import recluster
from pixsortd.grouping.spanning import mutual, tree
from pixsortd.records import BatchMetric
from tests.bench._augmented import embeddings
from tests.bench.common import options, require_quiet, result

DIM = 512
LONERS = 0.3
SAMPLES = SIZE = 5
WIDE = 16
"""Neighbours in the graph."""


class Found(NamedTuple):
    """A clustering of ours."""

    labels: Array
    proved: float
    """Share of the tree's edges that are certified."""


def made(count: int, seed: int = 0) -> tuple[Array, Array]:
    """(unit vectors float16, subject by row or -1)."""
    generator = np.random.default_rng(seed)
    between = unit(np.arange(1, DIM + 1)[None] ** -0.6)[0]
    within = generator.permutation(unit(np.arange(1, DIM + 1)[None] ** -0.5)[0])
    members = count - int(count * LONERS)
    sizes: list[int] = []
    while sum(sizes) < members:
        sizes.append(int(np.exp(generator.uniform(np.log(5), np.log(400)))))
    labels = np.repeat(np.arange(len(sizes)), sizes)[:members]
    centres = generator.normal(size=(len(sizes), DIM)) * between
    looseness = generator.uniform(0.5, 0.9, len(sizes))[labels, None]
    grouped = centres[labels] + generator.normal(size=(members, DIM)) * within * looseness
    alone = generator.normal(size=(count - members, DIM)) * between
    alone += generator.normal(size=alone.shape) * within * 0.8
    common = 0.6 * unit(generator.normal(size=(1, DIM)))
    order = generator.permutation(count)
    vectors = unit(np.concatenate([grouped, alone]) + common).astype(np.float16)
    return vectors[order], np.concatenate([labels, np.full(len(alone), -1)])[order]


def lists(vectors: Array) -> Found:
    """HDBSCAN on our graph alone."""
    points = placed(vectors, BatchMetric.EUCLIDEAN)
    spanning = tree(mutual(built(points, WIDE), SAMPLES), points=points)
    return Found(extract(spanning, SIZE).labels, spanning.proved)


def ours(vectors: Array) -> Found:
    """The plain clustering as it ships: what the graph does not prove is looked for among all pairs."""
    found = cluster_plainly(vectors, SIZE, SAMPLES, BatchMetric.EUCLIDEAN)
    return Found(found.labels, found.spanning.proved)


def theirs(vectors: Array) -> Array:
    """What the package finds."""
    model = hdbscan.HDBSCAN(min_cluster_size=SIZE, min_samples=SAMPLES, core_dist_n_jobs=1)
    return np.asarray(model.fit(vectors.astype(np.float64)).labels_)


def default(vectors: Array) -> None:
    """The daemon's default clustering, from starting the analyst to its answer."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "vectors.npy"
        np.save(path, vectors)
        contents = b"".join(row.to_bytes(32, "big") for row in range(len(vectors)))
        recluster(Request(vectors=str(path), contents=contents), lambda *_: None, lambda: False)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds, what came of it)."""
    began = time.perf_counter()
    outcome = work()
    return time.perf_counter() - began, outcome


def agreement(found: Array, reference: Array) -> dict[str, float]:
    """Adjusted Rand on points that both cluster, and share of the points on which both say noise or both do not."""
    both = (found >= 0) & (reference >= 0)
    return {
        "adjusted Rand on clustered points": round(float(adjusted_rand_score(reference[both], found[both])), 4),
        "noise agreement": round(float(((found < 0) == (reference < 0)).mean()), 4),
        "clusters, ours": int(found.max()) + 1,
        "clusters, theirs": int(reference.max()) + 1,
    }


def main(arguments: list[str]) -> dict[str, Any]:
    """Time both in turn and compare what they find."""
    given = options("recluster10k", __doc__, "2,000 photos, three rounds").parse_args(arguments)
    quick = given.quick
    counts = (2_000,) if quick else (2_000, 5_000, 10_000)
    real = unit(embeddings(counts[-1])).astype(np.float32)
    stored, _ = made(counts[-1])
    vectors = unit(stored).astype(np.float32)
    require_quiet(given.anyway)
    times: dict[str, list[float]] = {"ours": [], "lists alone": [], "theirs": [], "default": []}
    for _ in range(3 if quick else 1):
        for name, work in (
            ("ours", lambda: ours(vectors)),
            ("theirs", lambda: theirs(vectors)),
            ("lists alone", lambda: lists(vectors)),
            ("default", lambda: default(stored)),
        ):
            times[name].append(timed(work)[0])
    detail: dict[str, Any] = {"photos": len(vectors)}
    detail |= {f"seconds, {name}": round(min(spent), 2) for name, spent in times.items()}
    rands = []
    for kind, every in (("made", vectors), ("real", real)):
        for count in counts:
            reference = theirs(every[:count])
            for form, ways in (("", ours), (" by the lists alone", lists)):
                found = ways(every[:count])
                figures = agreement(found.labels, reference)
                if ways is ours:
                    rands.append(figures["adjusted Rand on clustered points"])
                detail[f"{kind} {count}{form}"] = {**figures, "share of the tree certified": round(found.proved, 4)}
    ratio = min(times["theirs"]) / min(times["ours"])
    target = ">= 40x and ARI >= 0.98"
    return result("recluster10k", ratio, target, lambda v: v >= 40 and min(rands) >= 0.98, "x", detail)
