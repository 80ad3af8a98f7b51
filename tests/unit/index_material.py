"""Made rows, photos and analyses for the tests of the index."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np

from pixsortd.grouping.packing import hashes
from pixsortd.index.store import Store
from pixsortd.records import (
    Analysis,
    Embedding,
    FileRow,
    FileStamp,
    Found,
    MetricInfo,
    Photo,
    Score,
    Space,
    root_id,
)

ROOT, OTHER = root_id(b"/photos"), root_id(b"/other")
SPACE = Space(name="builtin", model="builtin", revision="1", preprocessing="none", dim=16)
NIQE = MetricInfo(name="niqe", lower_better=True, version="1")
MAP = 1 << 30
NOW = int(time.time()) * 10**9


@contextmanager
def opened(directory: Path, **options: bool) -> Iterator[Store]:
    """An open store that is closed again."""
    store = Store.open(directory, map_size=MAP, **options)
    try:
        yield store
    finally:
        store.close()


def stamp(inode: int, *, size: int = 1000, age: float = 86400.0, device: int = 1) -> FileStamp:
    """A stamp of a file written ``age`` seconds before the tests began."""
    written = NOW - int(age * 1e9)
    return FileStamp(size=size, mtime_ns=written, ctime_ns=written, inode=inode, device=device)


def content(name: bytes) -> bytes:
    """A sha256 to stand for the content of ``name``."""
    return hashlib.sha256(name).digest()


def vector(seed: int, dim: int = SPACE.dim) -> bytes:
    """A unit vector."""
    values = np.random.default_rng(seed).standard_normal(dim)
    return (values / np.linalg.norm(values)).astype("<f2").tobytes()


def analysis(
    sha256: bytes, *, taken: float = 0.0, seed: int | None = None, niqe: float | None = 3.0, space: Space = SPACE
) -> Analysis:
    """What a worker answers for a photo."""
    number = int.from_bytes(sha256[:4], "big") if seed is None else seed
    return Analysis(
        id=0,
        sha256=sha256,
        photo=Photo(sha256=sha256, size=1000, format="JPEG", width=640, height=480, taken=taken),
        thumbnail=b"RIFF____WEBP" + sha256,
        embeddings=(Embedding(space=space, vector=vector(number, space.dim)),),
        scores=() if niqe is None else (Score(metric=NIQE, value=niqe),),
    )


def drop(store: Store, *paths: bytes, root: str = ROOT, start: int = 1) -> list[FileRow]:
    """Let settled files appear; their rows."""
    store.record(root, [Found(path=path, stamp=stamp(start + i), settled=True) for i, path in enumerate(paths)])
    return [row for path in paths if (row := store.file(root, path)) is not None]


def index(store: Store, *paths: bytes, root: str = ROOT, start: int = 1) -> list[Photo]:
    """Let files appear and be analysed; each path's content is its name, taken ``start + i`` seconds into 1970."""
    rows = drop(store, *paths, root=root, start=start)
    return store.commit([(row, analysis(content(row.path), taken=float(start + i))) for i, row in enumerate(rows)])


def adds_up(store: Store, roots: Sequence[str] = (ROOT,)) -> bool:
    """Whether the ledgers close and every derived table is what the rows make it."""
    from pixsortd.index.derived import differences

    for root in roots:
        ledger = store.ledger(root)
        rows = [row for directory in store.directories(root) for row in store.listing(root, directory).values()]
        parts = ledger.indexed + ledger.excluded + ledger.pending + ledger.failed + ledger.away
        if ledger.on_disk != parts or ledger.on_disk != sum(row.files for row in rows):
            return False
    with store.engine.read() as view:
        return not list(differences(view))


def vectors_of(store: Store) -> tuple[list[bytes], np.ndarray]:
    """Photos and vectors as they are written for a clustering."""
    file = BytesIO()
    contents = hashes(store.save_vectors(SPACE.key, file))
    file.seek(0)
    return contents, np.load(file)
