"""Night after night photos come and go: names stay where they were given, and little else changes."""

import hashlib

import numpy as np

from pixsortd.grouping.rows import unit
from tests.unit.nights import Library, nights

DIM = 24


def library(seed: int) -> Library:
    """Subjects of 8 to 30 photos, two of them hard to tell apart, and loners."""
    generator = np.random.default_rng(seed)
    centres = unit(generator.normal(size=(12, DIM)))
    centres[1:2] = unit(centres[:1] + 0.6 * unit(generator.normal(size=(1, DIM))))
    sizes = generator.integers(8, 30, len(centres))
    members = np.repeat(centres, sizes, 0) + 0.6 * unit(generator.normal(size=(int(sizes.sum()), DIM)))
    vectors = unit(np.concatenate([members, unit(generator.normal(size=(60, DIM)))]))
    contents = [hashlib.sha256(bytes([seed]) + row.tobytes()).digest() for row in vectors]
    return Library(contents, vectors, names=0.5, seed=seed)


def test_named_groups_keep_their_ids_through_100_clusterings() -> None:
    subject = library(0)
    assert len(subject.named) >= 3
    figures = nights(subject, 100, 0.01, lambda _, night: None)
    assert figures["named groups that lost a photo of theirs, all nights together"] == 0
    assert figures["named groups found under another id, all nights together"] == 0
    assert figures["lines applied when the same was clustered again"] == 0
    assert figures["photos whose group changed, median a night"] < 0.05
    assert subject.world.constraints.names.keys() == subject.named.keys()
