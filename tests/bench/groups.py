"""Groups of labelled photos: the default clustering beside other ways to it, and where its defaults were not chosen.

Every way is judged alike: the adjusted Rand index leaves the loners (label ``misc``) out and counts an ungrouped photo
as a group of one; coverage is the share of the other photos that are in a group; false members are the loners
that were drawn into one. The other ways are HDBSCAN on the vectors as they are, HDBSCAN on 32
principal components, and HDBSCAN on 10 dimensions of UMAP where ``umap-learn`` is installed (it is no dependency).
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import hdbscan
import numpy as np
from sklearn.metrics import adjusted_rand_score

from pixsortd.grouping.cluster import cluster
from pixsortd.grouping.rows import Array, unit
from tests.bench._mixtures import BACKBONES, LONERS, Mixture, made, parts, photos
from tests.bench._projected import reduced
from tests.bench.common import result
from tests.conftest import SHARED

SIZE, SAMPLES = 5, 5
PARTS = 10
WIDE = {5: 12, 12: 8, 40: 6, 150: 4, 600: 2, 5000: 1}
"""How many groups there are of a size."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Embed the photos with the daemon's own analysis and group them in every way."""
    parser = argparse.ArgumentParser(prog="groups", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every second photo of one space, no parts, no mixtures")
    quick = parser.parse_args(arguments).quick
    if not (SHARED / "photos" / "labels.csv").is_file():
        raise SystemExit("no labelled photos beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    spaces = (*(space for space, (_, weights) in BACKBONES.items() if weights.is_file()), "builtin")
    spaces = spaces[:1] if quick else spaces
    detail: dict[str, Any] = {}
    for space, whole in photos("photos", spaces, 2 if quick else 1).items():
        detail[space] = {way: agreement(group(whole.vectors), whole.labels) for way, group in ways().items()}
        detail[space]["nearest label accuracy"] = {k: neighbours(whole, k) for k in (1, 5)}
        if not quick:
            detail[f"{space}, {PARTS} parts of the classes"] = over_parts(whole)
    if not quick:
        for space, few in photos("bursts", spaces).items():
            single = np.char.startswith(few.labels, "single")
            detail[f"{space}, bursts"] = agreement(default(few.vectors), np.where(single, LONERS, few.labels))
        mixed = made(WIDE)
        detail["made up, 5 to 5000 a group, three in ten loners"] = agreement(default(mixed.vectors), mixed.labels)
    value = detail[spaces[0]]["default"]["adjusted Rand"]
    return result(
        "groups", value, ">= 0.93 with mobilenet", lambda v: spaces[0] == "mobilenet" and v >= 0.93, "ARI", detail
    )


def ways() -> Mapping[str, Callable[[Array], Array]]:
    """How rows can be grouped, by name; each gives a label for a row, -1 for none."""
    found = {"default": default, "HDBSCAN": plain, "PCA + HDBSCAN": lambda vectors: plain(reduced(vectors, 32))}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap
    except ImportError:
        return found

    def folded(vectors: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = umap.UMAP(n_components=10, n_neighbors=15, min_dist=0.0, metric="cosine", random_state=0)
            return hdbscan.HDBSCAN(min_cluster_size=SIZE, min_samples=SAMPLES).fit(shape.fit_transform(vectors)).labels_

    return found | {"UMAP + HDBSCAN": folded}


def default(vectors: Array) -> Array:
    """What the daemon does."""
    return cluster(vectors, SIZE, SAMPLES).labels


def plain(vectors: Array) -> Array:
    """HDBSCAN with PIXSORT's parameters."""
    return hdbscan.HDBSCAN(min_cluster_size=SIZE, min_samples=SAMPLES).fit(unit(vectors)).labels_


def over_parts(whole: Mixture) -> dict[str, Any]:
    """Mean and least over parts of the classes, the default and PCA + HDBSCAN."""
    figures: dict[str, Any] = {}
    for way in ("default", "PCA + HDBSCAN"):
        each = [agreement(ways()[way](part.vectors), part.labels) for part in parts(whole, PARTS)]
        for key in ("adjusted Rand", "coverage", "false members"):
            values = [one[key] for one in each]
            worst = max(values) if key == "false members" else min(values)
            figures[f"{way}: {key}, mean and worst"] = (round(float(np.mean(values)), 3), worst)
    return figures


def neighbours(whole: Mixture, k: int) -> float:
    """Leave-one-out accuracy of the majority label of the ``k`` nearest (the nearest on ties), without loners."""
    kept = whole.labels != LONERS
    rows, names = unit(whole.vectors[kept]), whole.labels[kept]
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    near = names[np.argsort(-cosines, axis=1, kind="stable")[:, :k]]
    hits = [Counter(row).most_common(1)[0][0] == name for row, name in zip(near.tolist(), names, strict=True)]
    return round(float(np.mean(hits)), 4)


def agreement(found: Array, labels: Array) -> dict[str, Any]:
    """How the groups and the labels fit."""
    kept = labels != LONERS
    alone = np.where(found < 0, found.max() + 1 + np.arange(len(found)), found)
    drawn = int((found[~kept] >= 0).sum())
    return {
        "adjusted Rand": round(float(adjusted_rand_score(labels[kept], alone[kept])), 4),
        "coverage": round(float((found[kept] >= 0).mean()), 3),
        "false members": round(drawn / max(int((~kept).sum()), 1), 3),
        "loners in a group": f"{drawn}/{int((~kept).sum())}",
        "groups": f"{int(found.max()) + 1} for {len(set(labels[kept].tolist()))}",
    }
