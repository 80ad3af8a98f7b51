"""An inbox and a library with files that are really there and analysed, for the tests of sorting."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.quality.distributions import Distributions
from pixsortd.daemon.sorting.roles import Roles
from pixsortd.daemon.sorting.subjects import Subjects
from pixsortd.decisions.batches import BatchState
from pixsortd.grouping.looks import CUTS
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import (
    ColourLabel,
    Constraints,
    Exif,
    FileStamp,
    Found,
    LevelName,
    Role,
    RootRecord,
    Score,
    root_id,
)
from tests.unit.index_material import MAP, NIQE, SPACE, analysis, content

PHOTOS = frozenset((b".jpg", b".png", b".heic"))


class Library:
    """An inbox and a library root with files that are really there, and all that subjects are read from."""

    def __init__(self, home: Path) -> None:
        self.store = Store.open(home / "index", map_size=MAP)
        self.roots = {role: home / role for role in Role}
        self.ids = {role: root_id(os.fsencode(path)) for role, path in self.roots.items()}
        self.levels: Any = None
        self.company: dict[tuple[LevelName, bytes], tuple[bytes, ...]] = {}
        self.near_ones: dict[bytes, list[tuple[bytes, float]]] = {}
        self.constraints = Constraints()
        self.stars: dict[bytes, int] = {}
        self.sets: dict[str, BatchState] = {}
        self.vectors: dict[bytes, bytes] = {}
        roles = Roles(self.store, self, self, lambda: self.constraints, self.compare)
        self.subjects = Subjects(self.store, self, self, roles, self.compare, PHOTOS)

    def put(self, role: Role, name: str, data: bytes | None = None, **facts: Any) -> bytes:
        """A file that is analysed; its content is ``data`` or its name."""
        path = self.roots[role] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data or os.fsencode(name))
        sha256 = content(data or os.fsencode(name))
        found = Found(path=os.fsencode(name), stamp=FileStamp.of(path.stat()), settled=True)
        self.store.record(self.ids[role], [found])
        row = self.store.file(self.ids[role], os.fsencode(name))
        assert row is not None
        niqe, exif = facts.pop("niqe", 3.0), facts.pop("exif", Exif())
        scores = (Score(metric=NIQE, value=niqe), *facts.pop("scores", ()))
        made = analysis(sha256, taken=facts.pop("taken", 1.0), niqe=None)
        self.vectors[sha256] = made.embeddings[0].vector
        photo = msgspec.structs.replace(made.photo, exif=exif, **facts) if made.photo else None
        self.store.commit([(row, msgspec.structs.replace(made, photo=photo, scores=scores))])
        return sha256

    def compare(self, _: Iterable[Scored]) -> Comparison:
        return Comparison(
            Distributions(self.store).spreads(), self.store.metric_infos()[1], {"niqe": 1.0, "musiq": 1.0}
        )

    def inbox(self) -> dict[str, Any]:
        found = self.subjects.of_inbox(self.ids[Role.INBOX])
        return {os.fsdecode(one.place.path): one for one in found}

    # --- what is asked of others ---

    def records(self) -> list[RootRecord]:
        return [RootRecord(id=self.ids[role], path=os.fsencode(path), role=role) for role, path in self.roots.items()]

    def away(self) -> frozenset[str]:
        return frozenset()

    def ratings(self) -> Mapping[bytes, int]:
        return self.stars

    def labels(self) -> Mapping[bytes, ColourLabel]:
        return dict.fromkeys(self.stars, ColourLabel.RED)

    def captions(self) -> Mapping[bytes, str]:
        return {}

    def batches(self) -> Mapping[str, BatchState]:
        return self.sets

    def active(self) -> Any:
        return SPACE

    def near(self, *asked: Any, exclude: Any = ()) -> list[tuple[bytes, float]]:
        assert asked[:2] == (SPACE, self.vectors[exclude[0]])
        return self.near_ones.get(exclude[0], [])

    def together(self, name: LevelName, contents: Sequence[bytes]) -> Mapping[bytes, Sequence[bytes]]:
        return {one: self.company[name, one] for one in contents if (name, one) in self.company}

    def clustered(self, looked_at: Iterable[bytes], base: float = 0.5) -> None:
        """The last clustering looked at these photos."""
        known = set(looked_at)
        cuts = {
            name: SimpleNamespace(
                least=CUTS[name].likeness, gap=CUTS[name].gap if np.isfinite(CUTS[name].gap) else None
            )
            for name in (LevelName.NEAR_DUPLICATE, LevelName.BURST)
        }
        rows = lambda contents: np.array([0 if one in known else -1 for one in contents])  # noqa: E731 - short
        self.levels = SimpleNamespace(space=SPACE.name, base=base, tight=cuts, rows=rows)

    def kept(self) -> Any:
        return self.levels
