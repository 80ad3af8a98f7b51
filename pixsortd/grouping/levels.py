"""Coarser and finer views of the last clustering, read from what it kept: comparisons of numbers, no clustering.

The slider cuts the condensed tree (see :mod:`pixsortd.grouping.layout`); the tight levels were cut
when the file was written (see :mod:`pixsortd.grouping.looks`), and only photos that are no duplicates by
the user's word are parted here. All of it works on arrays by row, mapped from the file; a row is a photo,
by rising hash.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pixsortd.grouping import levelfile
from pixsortd.grouping.lasting import new_id
from pixsortd.grouping.layout import Layout
from pixsortd.grouping.linked import joined
from pixsortd.grouping.rows import Array, Floats
from pixsortd.records import LevelName, View, ViewGroup

EXEMPLARS = 5
SAMPLE = 64
"""Photos that stand for a group of a view where all would be too many."""
DEFAULT = 0.5
"""Where on the slider, from 0 for the coarsest cut to 1 for the finest, the clustering's own choice is."""

STRAYS = 0.05
"""A branch with a smaller share of a group's photos is no part of it to divide it by."""

Rows = npt.NDArray[np.int64]


class Kept(NamedTuple):
    """One tight level as it was kept."""

    labels: Array
    """[n] group by row, -1 for none."""
    ids: Array
    """By group."""
    least: float
    """The likeness it was cut at."""
    gap: float | None
    """Seconds without a photo that divided a group; None where time played no part."""


class Shown(NamedTuple):
    """One cut: which group every photo is in."""

    labels: Array
    """[n] group by row, -1 for none."""
    ids: npt.NDArray[np.bytes_]
    """By group; one whose photos are fewer than two is none."""
    standing: Floats
    """[n] who stands for a group: the greatest first."""
    looked_at: int
    """Photos that are still there."""

    def view(self, levels: "Levels", after: str | None, limit: int) -> View | None:
        """The groups that come behind the one called ``after``; None when there is no such group."""
        sizes = np.bincount(self.labels[self.labels >= 0], minlength=len(self.ids))
        order = np.lexsort((self.ids, -sizes))
        order = order[: int((sizes > 1).sum())]
        start = 0
        if after is not None:
            found = np.flatnonzero(self.ids[order] == after.encode())
            if not len(found):
                return None
            start = int(found[0]) + 1
        by_group = _rows_by_group(self.labels, order[start : start + limit])
        grouped = int(sizes[order].sum())
        return View(
            groups=tuple(
                ViewGroup(
                    id=self.ids[group].decode(),
                    size=int(sizes[group]),
                    exemplars=levels.contents(self._exemplars(rows, levels)),
                    sample=levels.contents(rows[:: -(-len(rows) // SAMPLE)]),
                )
                for group, rows in by_group
            ),
            count=len(order),
            grouped=grouped,
            ungrouped=self.looked_at - grouped,
            more=start + limit < len(order),
        )

    def members(self, levels: "Levels", group: str) -> tuple[bytes, ...]:
        """Photos of one group, the earliest taken first; nobody for one that this cut does not have."""
        found = np.flatnonzero(self.ids == group.encode())
        rows = np.flatnonzero(self.labels == found[0]) if len(found) else found
        return levels.contents(rows[np.lexsort((rows, levels.times[rows]))]) if len(rows) > 1 else ()

    def together(self, levels: "Levels", contents: Sequence[bytes]) -> dict[bytes, tuple[bytes, ...]]:
        """For each of these photos that is in a group: all photos of it, by rising hash."""
        rows = levels.rows(contents)
        places = np.where(rows >= 0, self.labels[rows], -1) if len(self.labels) else rows
        by_group = dict(_rows_by_group(self.labels, np.unique(places[places >= 0])))
        groups = {group: levels.contents(members) for group, members in by_group.items() if len(members) > 1}
        pairs = zip(contents, places.tolist(), strict=True)
        return {sha256: groups[group] for sha256, group in pairs if group in groups}

    def _exemplars(self, rows: Rows, levels: "Levels") -> Rows:
        return rows[np.lexsort((rows, levels.times[rows], -self.standing[rows]))[:EXEMPLARS]]


def _kept(arrays: Mapping[str, Array], name: str) -> Kept:
    least, gap = (float(one) for one in arrays[f"{name}-cut"])
    return Kept(arrays[name], arrays[f"{name}-ids"], least, gap if np.isfinite(gap) else None)


class Levels:
    """The tree and the tight levels of one clustering. Never changes; callable from any thread."""

    def __init__(self, head: levelfile.Head, arrays: dict[str, Array]) -> None:
        self.space, self.at, self.base = head.space, head.at, head.base
        self.times: Floats = arrays["times"]
        """[n] seconds since the epoch, NaN where the camera told none."""
        self.layout = Layout(*(arrays[name] for name in Layout._fields))
        self.nodes: npt.NDArray[np.bytes_] = arrays["nodes"]
        """Ids by node; empty for a node that no cut takes."""
        self.tight = {name: _kept(arrays, name) for name in LevelName if name in arrays}
        self.hashes: npt.NDArray[np.uint8] = arrays["hashes"]
        """[n, 32], rising."""
        self._steps, self._loners = arrays["steps"], arrays["loners"]
        self._links, self._likeness = arrays["links"], arrays["likeness"]

    @classmethod
    def open(cls, path: Path) -> "Levels":
        """What the last clustering kept. Raises ``OSError``, and ``ValueError`` for a file that cannot be used."""
        head, arrays = levelfile.read(path)
        try:
            return cls(head, arrays)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("the file is of another version") from error

    def __len__(self) -> int:
        return len(self.hashes)

    # --- photos and rows ------------------------------------------------------------------------------

    def contents(self, rows: Iterable[int]) -> tuple[bytes, ...]:
        """SHA-256 of the photos of rows."""
        return tuple(self.hashes[row].tobytes() for row in rows)

    def rows(self, contents: Sequence[bytes]) -> Rows:
        """The row of each photo, -1 for one that the clustering did not look at."""
        return rows_among(self.hashes, np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 32))

    # --- cuts -----------------------------------------------------------------------------------------

    def slid(self, at: float, gone: Collection[bytes] = ()) -> Shown:
        """The cut at ``at``, 0 for the coarsest and 1 for the finest, without photos that are ``gone``.

        Photos that the clustering took out of a group as loners are in no group as coarse as that one.
        """
        here, g = self._here(gone), self._steps[self._step(at)]
        tree = self.layout
        taken = np.flatnonzero((tree.thresholds <= g) & (g < tree.hidden))
        sizes = tree.ends[taken] - tree.starts[taken]
        places = np.repeat(tree.starts[taken] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        rows, group = tree.order[places], np.repeat(np.arange(len(taken)), sizes)
        dropped = self._loners[rows] & (tree.hidden[taken] > 1.0)[group]
        labels, standing = np.full(len(self), -1), np.zeros(len(self))
        labels[rows] = np.where(dropped | ~here[rows], -1, group)
        standing[tree.order] = tree.depths
        return Shown(labels, self.nodes[taken], standing, int(here.sum()))

    def tightly(
        self, name: LevelName, gone: Collection[bytes] = (), distinct: Collection[tuple[bytes, bytes]] = ()
    ) -> Shown:
        """The named level without photos that are ``gone``; no pair of ``distinct`` is in one group of duplicates."""
        here, kept = self._here(gone), self.tight[name]
        labels, ids = np.where(here, kept.labels, -1), kept.ids
        if name is LevelName.NEAR_DUPLICATE and distinct:
            labels, ids = self._parted(labels, kept, distinct)
        return Shown(labels, ids, np.zeros(len(self)), int(here.sum()))

    def smaller_half(self, members: Sequence[bytes]) -> tuple[bytes, ...]:
        """Those of a group in the smaller of the branches where the tree first divides it; nobody where it never does.

        So it parts again what the user merged, wherever in the tree its photos are; fewer than
        ``STRAYS`` of them elsewhere are no part.
        """
        tree, rows = self.layout, self.rows(members)
        at = np.full(len(self), -1)
        at[tree.order] = np.arange(len(tree.order))
        places = at[rows[rows >= 0]]
        places = np.sort(places[places >= 0])
        above = -1
        while len(branches := np.flatnonzero(tree.parents == above)):
            first, last = (np.searchsorted(places, ends[branches]) for ends in (tree.starts, tree.ends))
            most = np.argsort(first - last, kind="stable")[:2]
            if len(most) == 2 and (last - first)[most[1]] >= max(2, STRAYS * len(places)):
                return self.contents(np.sort(tree.order[places[first[most[1]] : last[most[1]]]]))
            above = int(branches[most[0]])
        return ()

    def _step(self, at: float) -> int:
        """Which cut a place on the slider is; the clustering's own is in the middle, whatever lies on either side."""
        default = int(np.searchsorted(self._steps, 1.0, "right")) - 1
        if at >= DEFAULT:
            return int((1.0 - at) / (1.0 - DEFAULT) * default)
        return default + int(np.ceil((DEFAULT - at) / DEFAULT * (len(self._steps) - 1 - default)))

    def _here(self, gone: Collection[bytes]) -> npt.NDArray[np.bool_]:
        here = np.ones(len(self), bool)
        rows = self.rows(sorted(gone))
        here[rows[rows >= 0]] = False
        return here

    def _parted(
        self, labels: Array, kept: Kept, distinct: Collection[tuple[bytes, bytes]]
    ) -> tuple[Array, npt.NDArray[np.bytes_]]:
        """The groups without any two photos that are no duplicates; the largest part of one keeps its id."""
        pairs = self.rows([one for pair in sorted(distinct) for one in pair]).reshape(-1, 2)
        pairs = pairs[(pairs >= 0).all(1)]
        pairs = pairs[(labels[pairs[:, 0]] == labels[pairs[:, 1]]) & (labels[pairs[:, 0]] >= 0)]
        foes: defaultdict[int, set[int]] = defaultdict(set)
        for first, second in pairs.tolist():
            foes[first].add(second)
            foes[second].add(first)
        labels, ids = labels.copy(), kept.ids.tolist()
        links = self._links[self._likeness >= kept.least]
        for group in np.unique(labels[pairs[:, 0]]).tolist():
            rows = np.flatnonzero(labels == group).tolist()
            inside = links[(labels[links] == group).all(1)].tolist()
            have = {row: frozenset([row]) for row in foes}
            shun = {row: frozenset(others) for row, others in foes.items()}
            parts = joined(rows, inside, have=have, shun=shun)
            for part in sorted(parts, key=lambda part: (-len(part), part))[1:]:
                labels[part] = len(ids)
                ids.append(new_id(self.contents(part[:1])[0], LevelName.NEAR_DUPLICATE, ids).encode())
        return labels, np.array(ids, kept.ids.dtype)


def rows_among(rising: Array, asked: Array) -> Rows:
    """The row of each hash of ``asked`` [m, 32] among rising ones [n, 32], -1 for one that is not among them."""
    if not len(rising) or not len(asked):
        return np.full(len(asked), -1)
    there, wanted = (np.ascontiguousarray(hashes).view("S32").ravel() for hashes in (rising, asked))
    places = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    return np.where(there[places] == wanted, places, -1)


def _rows_by_group(labels: Array, groups: Array) -> list[tuple[int, Rows]]:
    """The rows of each of these groups."""
    rank = np.full(int(labels.max(initial=-1)) + 2, -1)
    rank[groups] = np.arange(len(groups))
    ranks = rank[labels]
    rows = np.flatnonzero(ranks >= 0)
    rows = rows[np.argsort(ranks[rows], kind="stable")]
    parts = np.split(rows, np.searchsorted(ranks[rows], np.arange(1, len(groups)))) if len(groups) else []
    return list(zip(groups.tolist(), parts, strict=True))
