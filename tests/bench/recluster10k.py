"""Reclustering 10,000 photos in 512 dimensions against the hdbscan package on the vectors as they are.

Ours is timed whole: starting the analyst, reading, clustering, matching, describing, answering; theirs
is one call in this process, its import left out. Made vectors: subjects of 5 to 400 photos around centres
with a spectrum like that of real embeddings, and 30 % loners.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import hdbscan
import numpy as np
from sklearn.metrics import adjusted_rand_score

from pixsortd.grouping.reduce import Array, unit
from pixsortd.grouping.request import Reply, Request
from pixsortd.grouping.run import recluster
from tests.bench.common import options, require_quiet, result

DIM = 512
LONERS = 0.3


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


def ours(vectors: Array) -> tuple[float, Array, Reply]:
    """(seconds, label by row, the reply)."""
    contents = [row.to_bytes(32, "big") for row in range(len(vectors))]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "vectors.npy"
        np.save(path, vectors)
        began = time.perf_counter()
        reply = recluster(Request(vectors=str(path), contents=contents), lambda *_: None, lambda: False)
        seconds = time.perf_counter() - began
    labels = np.full(len(vectors), -1)
    for label, group in enumerate(reply.groups):
        labels[[int.from_bytes(sha256, "big") for sha256 in group.members]] = label
    return seconds, labels, reply


def theirs(vectors: Array) -> tuple[float, Array]:
    """(seconds, label by row) of the package with the same parameters on the same vectors."""
    began = time.perf_counter()
    model = hdbscan.HDBSCAN(min_cluster_size=5, min_samples=5, core_dist_n_jobs=1).fit(vectors.astype(np.float64))
    return time.perf_counter() - began, np.asarray(model.labels_)


def main(arguments: list[str]) -> dict[str, Any]:
    """Time both in turn and compare what they find."""
    given = options("recluster10k", __doc__, "2,000 photos, three rounds").parse_args(arguments)
    quick = given.quick
    vectors, truth = made(2_000 if quick else 10_000)
    require_quiet(given.anyway)
    times: list[tuple[float, float]] = []
    for _ in range(3 if quick else 1):
        first, found, reply = ours(vectors)
        second, reference = theirs(vectors)
        times.append((first, second))
    both = (found >= 0) & (reference >= 0)
    rand = adjusted_rand_score(reference[both], found[both])
    known = truth >= 0
    detail = {
        "photos": len(vectors),
        "our seconds": round(min(mine for mine, _ in times), 2),
        "of these by phase": {phase: round(spent, 2) for phase, spent in reply.seconds.items()},
        "hdbscan's seconds": round(min(other for _, other in times), 2),
        "adjusted Rand between the two on points both cluster": round(rand, 4),
        "subjects": int(truth.max()) + 1,
        "groups, ours": len(reply.groups),
        "groups, hdbscan's": int(reference.max()) + 1,
    }
    for name, labels in (("ours", found), ("hdbscan's", reference)):
        alone = np.where(labels < 0, labels.max() + 1 + np.arange(len(labels)), labels)
        detail[f"adjusted Rand with the subjects, {name}"] = round(adjusted_rand_score(truth[known], alone[known]), 4)
        detail[f"share of loners grouped, {name}"] = round(float((labels[~known] >= 0).mean()), 4)
    ratio = min(other for _, other in times) / min(mine for mine, _ in times)
    return result("recluster10k", ratio, ">= 40x and ARI >= 0.98", lambda v: v >= 40 and rand >= 0.98, "x", detail)
