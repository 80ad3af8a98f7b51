"""Coarser and finer views of 100,000 photos in 512 dimensions: milliseconds a view, as the daemon answers it.

A real index on disk (memberships, photos of the list) and the file that a clustering of the same made
vectors keeps; then the calls of the API's port in turn: the report of all levels, 21 places of the slider, every
level, and the photos of the largest group, each with a page of 100. The value is the slowest
kind's 99th percentile of CPU time of one thread. How long keeping the file takes, and how large it is, is in
the detail. Made vectors: see ``recluster10k``; every fourth photo has no time, the others come in bursts.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pixsortd.api.ports import Cut
from pixsortd.daemon.grouping import DaemonLevels
from pixsortd.grouping import levelled
from pixsortd.grouping.cluster import cluster
from pixsortd.grouping.levels import Levels
from pixsortd.index.store import Store
from pixsortd.records import Constraints, Group, LevelName, Membership
from tests.bench.common import options, require_quiet, result
from tests.bench.recluster10k import made
from tests.bench.search import MAP, filled

TARGET = 100.0
PLACES = np.linspace(0, 1, 21)
PAGE = 100


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Cluster, keep the tree, fill an index, and ask."""
    given = options("levels", __doc__, "10,000 photos").parse_args(arguments)
    count = 10_000 if given.quick else 100_000
    vectors, _ = made(count, seed=2)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        store = Store.open(directory, map_size=MAP)
        try:
            filled(store, vectors)
            require_quiet(given.anyway)
            with threadpool_limits(1):
                return _measured(store, directory / "levels.tree")
        finally:
            store.close()


def _measured(store: Store, path: Path) -> dict[str, Any]:
    kept = _kept(store, path)
    opened = time.thread_time()
    levels = DaemonLevels(path, store, Constraints, lambda _: [])
    levels.report()
    opened = time.thread_time() - opened
    times: dict[str, list[float]] = {}

    def timed(kind: str, call: Callable[[], Any]) -> Any:
        began = time.thread_time()
        answer = call()
        times.setdefault(kind, []).append((time.thread_time() - began) * 1e3)
        return answer

    cuts: list[tuple[str, Cut]] = [("a place of the slider", float(at)) for at in PLACES]
    cuts += [(f"level {name}", name) for name in LevelName]
    sizes: dict[str, int] = {}
    for _ in range(7):
        timed("report of all levels", levels.report)
        for kind, cut in cuts:
            page = timed(kind, partial(levels.cut, cut, None, PAGE))
            sizes[kind if isinstance(cut, LevelName) else f"at {cut:.2f}"] = page.groups
            if page.items:
                group = page.items[0].view.id
                timed("photos of the largest group", partial(levels.images, cut, group, None, PAGE))
    slowest = max(float(np.percentile(spent, 99)) for spent in times.values())
    spread = {
        f"{kind}, ms p50 / p99": f"{statistics.median(spent):.1f} / {np.percentile(spent, 99):.1f}"
        for kind, spent in times.items()
    }
    figures = {"groups": sizes, "opening the file and the first report, ms": round(opened * 1e3, 1), **spread, **kept}
    return result("levels", slowest, f"<= {TARGET:.0f} ms", lambda value: value <= TARGET, "ms", figures)


def _kept(store: Store, path: Path) -> dict[str, Any]:
    """Cluster what the index holds, put the groups into it, and keep the tree twice: the second continues the first."""
    space = store.spaces()[0].space
    with tempfile.TemporaryFile() as file:
        packed = store.save_vectors(space.key, file)
        file.seek(0)
        vectors = np.load(file)
    contents = [packed[start : start + 32] for start in range(0, len(packed), 32)]
    began = time.process_time()
    found = cluster(vectors, 5, 5)
    clustering = time.process_time() - began
    generator = np.random.default_rng(0)
    times = np.cumsum(np.where(generator.random(len(vectors)) < 0.7, 5.0, 4000.0))[generator.permutation(len(vectors))]
    times[generator.random(len(vectors)) < 0.25] = np.nan
    spent = []
    for _ in range(2):
        began = time.process_time()
        levelled.save(
            path,
            space=space.name,
            at=time.time(),
            contents=contents,
            vectors=vectors,
            times=times,
            graph=found.graph,
            spanning=found.spanning,
            labels=found.labels,
        )
        spent.append(round(time.process_time() - began, 2))
    groups = [Group(id=f"g{label}", size=0) for label in range(len(found.cohesions))]
    places = {
        contents[row]: Membership(group=f"g{found.labels[row]}", strength=1.0, how="clustered")
        for row in np.flatnonzero(found.labels >= 0)
    }
    store.regroup(places.items(), groups)
    layout = Levels.open(path).layout
    return {
        "photos": len(contents),
        "clustering, CPU seconds": round(clustering, 1),
        "keeping the tree, CPU seconds (first, and going on from one)": spent,
        "file, MB": round(path.stat().st_size / 1e6, 1),
        "nodes of the tree": len(layout.starts),
        "nodes that some cut shows": int(layout.shown.sum()),
    }
