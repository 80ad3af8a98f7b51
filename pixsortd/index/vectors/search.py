"""The search of one space: its tiers as one, changed and searched by any thread.

The vectors live in LMDB. The files only save reading them at start: they are believed when their
checksums are right, when they are of the same epoch, generation, count and set of photos as LMDB
says, and when a real query finds what it must; otherwise the search is built anew, loudly.
"""

import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog

from pixsortd.errors import IndexProblem, TrainingFailed
from pixsortd.index.durable import write_whole
from pixsortd.index.spaces import NumberedVectors, SpaceState, mark_of
from pixsortd.index.vectors.flat import Flat
from pixsortd.index.vectors.front import Front, front_parts, read_front
from pixsortd.index.vectors.inverted import Inverted, Unusable
from pixsortd.index.vectors.tier import Floats, Near, Numbers, Shape, Tier
from pixsortd.records import Record, Space

log = structlog.get_logger()


class Source(Protocol):
    """What the search needs of the store."""

    def numbered_vectors(self, space_key: bytes) -> NumberedVectors: ...
    def search_state(self, space_key: bytes) -> tuple[bytes, SpaceState | None]: ...
    def named(self, numbers: list[int]) -> dict[int, bytes]: ...


class Origin(Record, frozen=True, kw_only=True):
    """Where the search in memory came from."""

    kind: str
    """``file``, ``rebuilt``, or ``empty`` before ``load``."""
    reason: str = ""
    """Why the file was not used."""
    seconds: float = 0.0


class Vectors:
    """Search in one space. Any thread may call; changes and searches exclude one another."""

    def __init__(self, directory: Path, store: Source, space: Space) -> None:
        """The files are in ``directory``, named by the key of the space; nothing is read before ``load``."""
        self.space = space
        self.path = directory / f"{space.key.hex()}.faiss"
        self.inverted_path = directory / f"{space.key.hex()}-inverted.faiss"
        self.origin = Origin(kind="empty")
        self._store = store
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._flat = Flat(space.dim)
        self._inverted: Inverted | None = None
        self._touched: set[int] | None = None
        """Photos that were added or removed since a training began, which may know them otherwise."""

    @property
    def _tiers(self) -> tuple[Tier, ...]:
        return (self._flat,) if self._inverted is None else (self._inverted, self._flat)

    @property
    def files(self) -> tuple[Path, Path]:
        """Where the files are, if they are there."""
        return self.path, self.inverted_path

    @property
    def count(self) -> int:
        """Vectors that can be found."""
        with self._lock:
            return sum(tier.count for tier in self._tiers)

    @property
    def shape(self) -> Shape:
        """How the vectors lie."""
        with self._lock:
            inverted = self._inverted
            if inverted is None:
                return Shape(flat=self._flat.count)
            return Shape(
                inverted=inverted.count,
                tombstones=inverted.tombstones,
                flat=self._flat.count,
                probes=inverted.head.probes,
                recall=inverted.head.recall,
            )

    # --- files -------------------------------------------------------------------------------------

    def load(self) -> Origin:
        """Take the files if they prove themselves against LMDB, else build the search anew and save it."""
        began = time.monotonic()
        with self._lock:
            reason = self._from_files(*self._store.search_state(self.space.key))
            if reason:
                self._from_store(self._inverted)
        kind = "rebuilt" if reason else "file"
        self.origin = Origin(kind=kind, reason=reason, seconds=time.monotonic() - began)
        if reason:
            say = log.warning if self.count else log.info
            say("vector search rebuilt", space=self.space.name, reason=reason, vectors=self.count)
            try:
                self.save()
            except IndexProblem as problem:
                log.warning("vector search not saved", space=self.space.name, reason=str(problem))
        return self.origin

    def save(self) -> bool:
        """Write what changes: the flat tier and the tombstones; temporary, fsync, rename, fsync of the directory.

        False, with nothing written, while memory is behind or ahead of LMDB: between a commit and
        the ``add`` that follows it. Raises ``IndexFull``.
        """
        with self._saving:
            epoch, state = self._store.search_state(self.space.key)
            generation, count, mark = _figures(state)
            with self._lock:
                numbers = self._numbers()
                if len(numbers) != count or mark_of(numbers) != mark:
                    return False
                inverted = self._inverted
                front = Front(
                    space=self.space.key,
                    epoch=epoch,
                    generation=generation,
                    count=count,
                    mark=mark,
                    inverted=inverted.head.id if inverted is not None else b"",
                    buried=() if inverted is None else tuple(inverted.buried().tolist()),
                )
                parts = front_parts(front, self._flat)
            write_whole(self.path, parts, durable=True)
            with self._lock:
                if self._inverted is None:
                    self.inverted_path.unlink(missing_ok=True)
        return True

    def _from_files(self, epoch: bytes, state: SpaceState | None) -> str:
        """Take what the files hold; why that cannot be all there is, or nothing."""
        self._flat, self._inverted = Flat(self.space.dim), None
        missing = ""
        try:
            self._inverted = Inverted.opened(self.inverted_path, self.space.key, self.space.dim, epoch)
        except FileNotFoundError:
            missing = "the inverted file is missing"
        except Unusable as error:
            missing = f"the inverted file cannot be used: {error}"
        try:
            front, flat = read_front(self.path)
        except FileNotFoundError:
            return "there is no file yet"
        except ValueError as error:
            return str(error)
        except OSError as error:
            return f"the file cannot be read ({error.strerror})"
        if [front.space, front.epoch, front.generation, front.count, front.mark] != [
            self.space.key,
            epoch,
            *_figures(state),
        ]:
            return "the file is older or newer than the index"
        if front.inverted and self._inverted is None:
            return missing
        if front.inverted != (self._inverted.head.id if self._inverted is not None else b""):
            return "the file and the inverted file are not of the same time"
        if flat.dim != self.space.dim:
            return "the file answers a query wrongly"
        self._flat = flat
        if self._inverted is not None:
            self._inverted.remove(np.array(front.buried, np.int64))
        return "" if self._proven(front.count, front.mark) else "the file answers a query wrongly"

    def _proven(self, count: int, mark: int) -> bool:
        """Whether just these photos are held and each tier finds its first and its last vector again."""
        numbers = self._numbers()
        return len(numbers) == count and mark_of(numbers) == mark and all(tier.proven() for tier in self._tiers)

    # --- from LMDB -----------------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Build the search from the vectors in LMDB, all of it flat; searches and changes wait meanwhile."""
        with self._lock:
            self._from_store(None)

    def _from_store(self, inverted: Inverted | None) -> None:
        """Hold what LMDB holds: in ``inverted`` as far as that has the same vectors, the rest in the flat tier."""
        found, flat = self._store.numbered_vectors(self.space.key), Flat(self.space.dim)
        rest = np.ones(len(found.numbers), bool)
        if inverted is not None:
            try:
                rest = ~_kept(inverted, found)
            except (Unusable, OSError):
                inverted = None
        if len(found.numbers):
            flat.add(found.numbers[rest], found.vectors[rest])
        self._flat, self._inverted = flat, inverted

    def verify(self) -> str:
        """How memory differs from a search built anew from LMDB, in words; empty where it does not."""
        with self._lock:
            found = self._store.numbered_vectors(self.space.key)
            held, order = np.sort(self._numbers()), np.argsort(found.numbers)
            if not np.array_equal(held, found.numbers[order]):
                return f"the search holds {len(held)} photos, the index {len(found.numbers)}, not all of them the same"
            wrong = 0
            for numbers, vectors in (piece for tier in self._tiers for piece in tier.pieces()):
                rows = order[np.searchsorted(found.numbers, numbers, sorter=order)]
                wrong += int((vectors != found.vectors[rows]).any(axis=1).sum())
        return f"{wrong} vectors of the search differ from those of the index" if wrong else ""

    # --- changes ---------------------------------------------------------------------------------------

    def add(self, numbers: Sequence[int], vectors: Sequence[bytes]) -> None:
        """Add or replace the vectors (float16 little-endian bytes) of photos, after they are in LMDB."""
        if not numbers:
            return
        latest = dict(zip(numbers, vectors, strict=True))
        ids = np.array(list(latest), np.int64)
        matrix = np.frombuffer(b"".join(latest.values()), "<f2").reshape(len(ids), self.space.dim)
        with self._lock:
            self._remove(ids)  # FAISS takes ids for unique and would keep both
            self._flat.add(ids, matrix)

    def remove(self, numbers: Sequence[int]) -> None:
        """Take photos out; one pass over the index whatever their number, so gather them."""
        if numbers:
            with self._lock:
                self._remove(np.array(numbers, np.int64))

    def _remove(self, numbers: Numbers) -> None:
        if self._touched is not None:
            self._touched.update(numbers.tolist())
        for tier in self._tiers:
            tier.remove(numbers)

    # --- another inverted tier ---------------------------------------------------------------------------

    def begin_training(self) -> None:
        """Remember from now on which photos change; before the training reads LMDB."""
        with self._lock:
            self._touched = set()

    def end_training(self) -> None:
        """Forget what ``begin_training`` asked to remember."""
        with self._lock:
            self._touched = None

    def adopt(self, path: Path) -> None:
        """Search in the inverted file at ``path``, which was made since ``begin_training``, from now on.

        Photos that changed meanwhile are taken as they are in memory now. Raises ``TrainingFailed``
        when the file cannot be used, with everything as it was.
        """
        epoch, _ = self._store.search_state(self.space.key)
        try:
            inverted = Inverted.opened(path, self.space.key, self.space.dim, epoch)
            if not inverted.proven():
                raise Unusable("it answers a query wrongly")
            with self._lock:
                path.replace(self.inverted_path)
                changed = np.array(sorted(self._touched or ()), np.int64)
                inverted.remove(changed)
                numbers, vectors = self._flat.pick(changed)
                self._flat, self._inverted = Flat(self.space.dim), inverted
                self._flat.add(numbers, vectors)
        except (Unusable, OSError) as error:
            path.unlink(missing_ok=True)
            raise TrainingFailed(
                f"the trained search cannot be used: {error}", next_step="Searches are answered as before."
            ) from error

    # --- searching ---------------------------------------------------------------------------------------

    def search(self, vector: bytes, k: int, exclude: Collection[bytes] = ()) -> list[tuple[bytes, float]]:
        """The ``k`` photos most like ``vector`` that have a file and are not in ``exclude``: (sha256, cosine)."""
        query = np.frombuffer(vector, "<f2").astype(np.float32)
        left_out = frozenset(exclude)
        wanted, found = k + len(left_out), list[tuple[bytes, float]]()
        while len(found) < k:
            # Photos without a file are still in the index; where they are many, look further.
            with self._lock:
                held = sum(tier.count for tier in self._tiers)
                asked = min(wanted, held)
                if not asked:
                    break
                cosines, numbers = self._nearest(query, asked)
            named = self._store.named(numbers.tolist())
            known = (
                (named.get(number), cosine) for number, cosine in zip(numbers.tolist(), cosines.tolist(), strict=True)
            )
            found = [(sha256, cosine) for sha256, cosine in known if sha256 is not None and sha256 not in left_out]
            if asked == held:
                break
            wanted *= 4
        return found[:k]

    def rest(self) -> None:
        """Give memory back that only makes the next searches faster."""
        with self._lock:
            if self._inverted is not None:
                self._inverted.rest()

    def nearest(self, query: Floats, k: int) -> Near:
        """The ``k`` nearest (cosines, photo numbers), whether or not the photos have a file."""
        with self._lock:
            return self._nearest(query, k)

    def _nearest(self, query: Floats, k: int) -> Near:
        try:
            found = [tier.nearest(query, k) for tier in self._tiers]
        except (Unusable, OSError) as error:
            # A damaged file while running: LMDB has it all.
            log.error("vector search rebuilt", space=self.space.name, reason=str(error))
            self._from_store(None)
            return self._flat.nearest(query, k)
        if len(found) == 1:
            return found[0]
        cosines, numbers = (np.concatenate(parts) for parts in zip(*found, strict=True))
        best = np.argsort(-cosines, kind="stable")[:k]
        return cosines[best], numbers[best]

    def _numbers(self) -> Numbers:
        return np.concatenate([tier.numbers() for tier in self._tiers])


def _kept(inverted: Inverted, found: NumberedVectors) -> npt.NDArray[np.bool_]:
    """Which rows of ``found`` the inverted tier holds with the same vector; its others become tombstones."""
    order, kept = np.argsort(found.numbers), np.zeros(len(found.numbers), bool)
    for numbers, vectors in inverted.pieces():
        places = np.minimum(np.searchsorted(found.numbers, numbers, sorter=order), max(0, len(order) - 1))
        rows = order[places] if len(order) else places
        same = np.zeros(len(numbers), bool)
        if len(order):
            same = (found.numbers[rows] == numbers) & (found.vectors[rows] == vectors).all(axis=1)
        kept[rows[same]] = True
    inverted.remove(np.setdiff1d(inverted.numbers(), found.numbers[kept]))
    return kept


def _figures(state: SpaceState | None) -> tuple[int, int, int]:
    return (0, 0, 0) if state is None else (state.generation, state.count, state.mark)
