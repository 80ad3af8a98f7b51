"""Embedding spaces, their vectors, and which models and metrics can be used."""

from collections.abc import Collection
from typing import IO

import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.index import places
from pixsortd.index.codec import encode
from pixsortd.index.engine import Edit, Engine, View
from pixsortd.index.schema import Table
from pixsortd.records import Ability, Embedding, MetricInfo, Record, Space

SPACE = 8
"""Length of a space's key."""


class SpaceState(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What the index holds of one space."""

    space: Space
    generation: int = 0
    """Rises with each commit that touches the space."""
    count: int = 0
    mark: int = 0
    """XOR of ``scramble`` over the numbers of its photos: equal sets have equal marks."""


_state = msgspec.msgpack.Decoder(SpaceState).decode
_ability = msgspec.msgpack.Decoder(Ability).decode


def scramble(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """A 64-bit mix of each number (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def mark_of(numbers: npt.NDArray[np.int64]) -> int:
    """The mark of a set of photo numbers."""
    return int(np.bitwise_xor.reduce(scramble(numbers))) if len(numbers) else 0


def state_of(view: View, key: bytes) -> SpaceState | None:
    """What the index holds of a space."""
    payload = view.get(Table.SPACES, key)
    return None if payload is None else _state(payload)


def spaces_of(view: View, sha256: bytes) -> frozenset[bytes]:
    """Keys of the spaces in which a photo has a vector."""
    return frozenset(key for key in view.keys(Table.SPACES) if view.has(Table.EMBEDDINGS, key + sha256))


def current_metrics(view: View) -> dict[str, MetricInfo]:
    """Metrics as they are computed now, by name; a score of another version counts as missing."""
    found = (_ability(payload) for _, payload in view.items(Table.ABILITIES, b"metric\0"))
    return {ability.name: ability.metric for ability in found if ability.metric is not None}


class SpaceWriter:
    """Writes vectors inside one transaction and keeps each space's count, mark and generation."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._states: dict[bytes, SpaceState] = {}

    def put(self, sha256: bytes, number: int, embedding: Embedding) -> None:
        """Store one vector; raises ``ValueError`` unless it has the space's length."""
        space = embedding.space
        if len(embedding.vector) != 2 * space.dim:
            raise ValueError(f"a vector of {len(embedding.vector)} bytes in a space of {space.dim} dimensions")
        if not self._edit.has(Table.EMBEDDINGS, space.key + sha256):
            self._count(space, number, 1)
        else:
            self._count(space, number, 0)
        self._edit.put(Table.EMBEDDINGS, space.key + sha256, embedding.vector)

    def remove(self, sha256: bytes, number: int) -> None:
        """Delete a photo's vectors in every space."""
        for key in spaces_of(self._edit, sha256):
            state = self._states.get(key) or state_of(self._edit, key)
            if state is not None:
                self._count(state.space, number, -1)
            self._edit.delete(Table.EMBEDDINGS, key + sha256)

    def finish(self) -> None:
        """Write the states of the touched spaces; the last call before the transaction ends."""
        for key, state in self._states.items():
            self._edit.put(Table.SPACES, key, encode(msgspec.structs.replace(state, generation=state.generation + 1)))

    def _count(self, space: Space, number: int, by: int) -> None:
        key = space.key
        state = self._states.get(key) or state_of(self._edit, key) or SpaceState(space=space)
        mark = state.mark ^ mark_of(np.array([number])) if by else state.mark
        self._states[key] = msgspec.structs.replace(state, space=space, count=state.count + by, mark=mark)


class Spaces:
    """The part of the store that knows embedding spaces and abilities."""

    _engine: Engine

    def spaces(self) -> list[SpaceState]:
        """Every space that holds vectors or did."""
        with self._engine.read() as view:
            return [_state(payload) for _, payload in view.items(Table.SPACES)]

    def space_state(self, space_key: bytes) -> SpaceState | None:
        """What the index holds of one space."""
        with self._engine.read() as view:
            return state_of(view, space_key)

    def embedding(self, space_key: bytes, sha256: bytes) -> bytes | None:
        """One photo's vector, float16 little-endian."""
        with self._engine.read() as view:
            return view.get(Table.EMBEDDINGS, space_key + sha256)

    def save_vectors(self, space_key: bytes, file: IO[bytes]) -> bytes:
        """Write the vectors of the photos that have a file into a ``.npy`` file, a row each, by rising sha256.

        The hashes, one behind the other. Memory does not grow with the vectors.
        """
        with self._engine.read() as view:
            orphans = frozenset(view.keys(Table.ORPHANS))
            state = state_of(view, space_key)
            keys = view.keys(Table.EMBEDDINGS, space_key) if state else ()
            contents = b"".join(key[SPACE:] for key in keys if key[SPACE:] not in orphans)
            head = {
                "descr": "<f2",
                "fortran_order": False,
                "shape": (len(contents) // 32, state.space.dim if state else 0),
            }
            np.lib.format.write_array_header_1_0(file, head)
            for key, vector in view.items(Table.EMBEDDINGS, space_key) if state else ():
                if key[SPACE:] not in orphans:
                    file.write(vector)
        return contents

    def vectors_among(
        self, space_key: bytes, contents: Collection[bytes]
    ) -> tuple[list[bytes], npt.NDArray[np.float16]]:
        """Those among ``contents`` that have a vector in the space, by rising sha256, and the vectors, a row each.

        Photos that no file holds any more are among them: whoever names them wants them.
        """
        with self._engine.read() as view:
            found, matrix = list[bytes](), _Matrix(state_of(view, space_key))
            for sha256 in sorted(contents):
                vector = view.get(Table.EMBEDDINGS, space_key + sha256)
                if vector is not None:
                    found.append(sha256)
                    matrix.append(vector)
        return found, matrix.rows()

    def numbered_vectors(self, space_key: bytes) -> "NumberedVectors":
        """Everything a search of the space is made of, read at one moment."""
        with self._engine.read() as view:
            state, numbers = state_of(view, space_key), list[int]()
            matrix = _Matrix(state)
            for key, vector in view.items(Table.EMBEDDINGS, space_key) if state else ():
                photo = places.photo(view, key[SPACE:])
                if photo is not None:  # a vector without one is what `check` reports and `rebuild` drops
                    numbers.append(photo.number)
                    matrix.append(vector)
        return NumberedVectors(state, np.array(numbers, np.int64), matrix.rows())

    def search_state(self, space_key: bytes) -> tuple[bytes, SpaceState | None]:
        """(epoch of the index, state of the space): what a saved search must agree with."""
        with self._engine.read() as view:
            return view.epoch, state_of(view, space_key)

    def named(self, numbers: list[int]) -> dict[int, bytes]:
        """sha256 by number, of the photos among ``numbers`` that have a file."""
        with self._engine.read() as view:
            found = {}
            for number in numbers:
                sha256 = view.get(Table.NUMBERS, number.to_bytes(8, "big"))
                if sha256 is not None and not view.has(Table.ORPHANS, sha256):
                    found[number] = sha256
            return found

    def save_ability(self, ability: Ability) -> None:
        """Keep what the worker said of one space or metric."""
        with self._engine.write() as edit:
            edit.put(Table.ABILITIES, f"{ability.kind}\0{ability.name}".encode(), encode(ability))

    def abilities(self) -> list[Ability]:
        """What the worker last said of each space and metric."""
        with self._engine.read() as view:
            return [_ability(payload) for _, payload in view.items(Table.ABILITIES)]


class NumberedVectors(msgspec.Struct, frozen=True):
    """Vectors of a space with the photos' numbers, and the state they were read at."""

    state: SpaceState | None
    numbers: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float16]


class _Matrix:
    """Rows gathered into one array, so that no vector is held twice."""

    def __init__(self, state: SpaceState | None) -> None:
        self._filled = 0
        self._held = np.empty((state.count, state.space.dim) if state else (0, 0), "<f2")

    def append(self, vector: bytes) -> None:
        if self._filled == len(self._held):  # more than the state counted: `check` says so
            self._held = np.concatenate([self._held, np.empty_like(self._held, shape=(64, self._held.shape[1]))])
        self._held[self._filled] = np.frombuffer(vector, "<f2")
        self._filled += 1

    def rows(self) -> npt.NDArray[np.float16]:
        return self._held[: self._filled]
