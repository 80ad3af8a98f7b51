"""Searching 100,000 photos in 512 dimensions against numpy's brute force over a resident float32 matrix.

A real index on disk, its search trained by the real analyst process, asked for the ten nearest of photos that
it has never seen: one thread each, a hundred questions a turn, turns taken in rotation. The value
compares like with like, vector in, numbers and cosines out; whole calls, which also ask LMDB for names,
and the exact flat tier are in the detail. Made vectors: see ``recluster10k``.
"""

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from pixsortd.index.store import Store
from pixsortd.index.vectors import BORDER, Vectors
from pixsortd.index.vectors.flat import Flat
from pixsortd.index.vectors.request import TrainRequest
from pixsortd.index.vectors.training import train
from pixsortd.records import Analysis, Embedding, FileStamp, Found, Photo, Space, root_id
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result
from tests.bench.recluster10k import DIM, made

K, ASKED, TURN = 10, 500, 100
MAP = 8 << 30
SPACE = Space(name="made", model="made", revision="", preprocessing="", dim=DIM)
ROOT = root_id(b"/made")
Matrix = npt.NDArray[Any]

_LOOK = """
import json, sys
from pathlib import Path
import numpy as np
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
directory, asked = Path(sys.argv[1]), np.load(sys.argv[2])
def memory():
    # This process: its own pages, and those of files.
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return "{} MB own, {} MB of files".format(*(int(lines[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile")))
store = Store.open(directory, map_size=int(sys.argv[4]), readonly=True)
told = {"before loading": memory()}
search = Vectors(directory, store, store.spaces()[0].space)
search.rebuild() if sys.argv[3] == "flat" else search.load()
told["loaded"] = memory()
for vector in asked:
    search.search(vector.tobytes(), 10)
told["after 500 searches"] = memory()
search.rest()
told["at rest"] = memory()
print(json.dumps(told))
"""
"""A process that imports what the core imports for it, and no more."""


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Fill an index, train its search, ask, and compare."""
    given = options("search", __doc__, "20,000 photos, fewer rounds").parse_args(arguments)
    count = 20_000 if given.quick else 100_000
    vectors, _ = made(count + ASKED, seed=1)
    queries, vectors = vectors[count:], vectors[:count]
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        store = Store.open(directory, map_size=MAP)
        try:
            filled(store, vectors)
            require_quiet(given.anyway)
            with threadpool_limits(1):
                return _measured(store, directory, vectors, queries, rounds=5 if given.quick else 15)
        finally:
            store.close()


def filled(store: Store, vectors: Matrix) -> None:
    """Take in a photo for each vector, numbered in their order."""
    for first in range(0, len(vectors), 2000):
        numbers = range(first, min(first + 2000, len(vectors)))
        paths = [b"%d/%d" % (number // 1000, number) for number in numbers]
        stamps = [FileStamp(size=1, mtime_ns=1, ctime_ns=1, inode=number + 1, device=1) for number in numbers]
        found = [Found(path=path, stamp=stamp, settled=True) for path, stamp in zip(paths, stamps, strict=True)]
        store.record(ROOT, found)
        rows = [row for path in paths if (row := store.file(ROOT, path)) is not None]
        store.commit([(row, _analysis(row.path, vectors[number])) for row, number in zip(rows, numbers, strict=True)])


def _analysis(path: bytes, vector: Matrix) -> Analysis:
    sha256 = hashlib.sha256(path).digest()
    photo = Photo(sha256=sha256, size=1, format="JPEG", width=4, height=3)
    return Analysis(
        id=0, sha256=sha256, photo=photo, thumbnail=b"", embeddings=(Embedding(space=SPACE, vector=vector.tobytes()),)
    )


def _trained(store: Store, directory: Path) -> tuple[Vectors, dict[str, float]]:
    """The search, inverted, and what that took."""
    search = Vectors(directory, store, SPACE)
    search.rebuild()
    search.begin_training()
    request = TrainRequest(
        index=str(directory), map_size=MAP, space=SPACE.key, target=str(directory / "trained.faiss"), niceness=0
    )
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    train(request, lambda *_: None, lambda: False)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    swapped = time.perf_counter()
    search.adopt(directory / "trained.faiss")
    search.end_training()
    search.save()
    return search, {
        "training, seconds": round(seconds, 1),
        "training, CPU seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "checking the file and swapping it in, seconds": round(time.perf_counter() - swapped, 2),
    }


def _measured(store: Store, directory: Path, vectors: Matrix, queries: Matrix, rounds: int) -> dict[str, Any]:
    search, detail = _trained(store, directory)
    matrix, asked = vectors.astype(np.float32), queries.astype(np.float32)
    flat, few = Flat(DIM), Flat(DIM)
    flat.add(np.arange(len(vectors)), vectors)
    few.add(np.arange(min(BORDER, len(vectors))), vectors[:BORDER])
    each: dict[str, list[float]] = {}

    def contender(name: str, call: Callable[[int], object], turn: int = TURN) -> Callable[[], float]:
        rows, times = cycle(range(len(asked))), each.setdefault(name, [])

        def once() -> float:
            for _ in range(turn):
                row, began = next(rows), time.thread_time()
                call(row)
                times.append(time.thread_time() - began)
            return statistics.fmean(times[-turn:])

        return once

    times = interleaved(
        {
            "numpy": contender("numpy", lambda row: _brute(matrix, asked[row]), turn=20),
            "nearest": contender("nearest", lambda row: search.nearest(asked[row], K)),
            "search": contender("search", lambda row: search.search(queries[row].tobytes(), K)),
            "flat": contender("flat", lambda row: flat.nearest(asked[row], K), turn=20),
            "flat at the border": contender("flat at the border", lambda row: few.nearest(asked[row], K), turn=20),
        },
        rounds=rounds,
    )
    numbers = np.sort(store.numbered_vectors(SPACE.key).numbers)
    hits = [np.isin(search.nearest(query, K)[1], numbers[_brute(matrix, query)]).sum() for query in asked]
    recall = float(np.sum(hits) / (K * len(asked)))
    shape = search.shape
    ratio = median_ratio(times, "numpy", "nearest")
    return result(
        "search",
        ratio,
        ">= 50x and recall@10 >= 0.99",
        lambda value: value >= 50 and recall >= 0.99,
        "x",
        {
            "photos": len(vectors),
            "recall@10 on photos it has not seen": round(recall, 4),
            "recall@10 measured when trained": round(shape.recall, 4),
            "lists looked into, on average": round(shape.probes, 1),
            **{f"{name}, ms p50 / p99": _spread(spent) for name, spent in each.items()},
            "whole calls with names, ratio": round(median_ratio(times, "numpy", "search"), 1),
            "flat tier, ratio": round(median_ratio(times, "numpy", "flat"), 1),
            "border of the flat tier": BORDER,
            **detail,
            "memory, inverted": _memory(directory, queries, "inverted"),
            "memory, flat": _memory(directory, queries, "flat"),
        },
    )


def _brute(matrix: Matrix, query: Matrix) -> Matrix:
    cosines = matrix @ query
    best = np.argpartition(cosines, -K)[-K:]
    return best[np.argsort(-cosines[best])]


def _spread(times: list[float]) -> str:
    low, high = np.percentile(np.array(times) * 1e3, [50, 99])
    return f"{low:.3f} / {high:.3f}"


def _memory(directory: Path, queries: Matrix, tier: str) -> dict[str, str]:
    """What a process with nothing but the index and this search takes."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, queries)
        file.flush()
        command = (sys.executable, "-c", _LOOK, os.fspath(directory), file.name, tier, str(MAP))
        done = subprocess.run(command, capture_output=True, check=True, text=True)
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told
