"""What one clustering leaves behind for the views: its tree and the tight levels, with ids that go on from the last.

In the analyst only; the file is read by :mod:`pixsortd.grouping.levels`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixsortd.grouping import levelfile, looks
from pixsortd.grouping.hierarchy import laid_out, steps
from pixsortd.grouping.lasting import continued, continued_nodes
from pixsortd.grouping.layout import EMPTY, Layout
from pixsortd.grouping.levels import Levels, rows_among
from pixsortd.grouping.neighbours import Graph
from pixsortd.grouping.rows import Array, Floats
from pixsortd.grouping.spanning import Spanning
from pixsortd.records import LevelName


def save(
    path: Path,
    *,
    space: str,
    at: float,
    contents: Sequence[bytes],
    vectors: Array,
    times: Floats,
    graph: Graph,
    spanning: Spanning,
    labels: npt.NDArray[np.int64],
) -> None:
    """Put what is known of this clustering in place of the last one's. Raises ``OSError``; the last stays then.

    ``contents`` are the photos by rising hash, and all else is by that row: ``vectors`` in the space called
    ``space``, ``times`` in seconds with NaN for unknown, ``graph`` of these vectors in cosines, ``labels`` the
    groups that came of ``spanning`` in the end, -1 for none.
    """
    hashes = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 32)
    earlier = _earlier(path)
    base = looks.background(vectors)
    links = looks.links(graph, base)
    layout, loners = laid_out(spanning, labels)
    arrays = {
        "hashes": hashes,
        "times": times,
        "loners": loners,
        **layout._asdict(),
        "steps": steps(layout),
        "links": links.pairs,
        "likeness": links.likeness,
        "nodes": _node_ids(layout, hashes, earlier),
    }
    for name, cut in looks.CUTS.items():
        found = looks.level(links, cut, times)
        arrays |= {name: found, f"{name}-ids": _group_ids(name, found, hashes, earlier)}
        arrays |= {f"{name}-cut": np.array([cut.likeness, cut.gap])}
    levelfile.write(path, space, at, base, arrays)


def _earlier(path: Path) -> Levels | None:
    """What the last clustering left, if it can be used; without, all ids are made anew."""
    try:
        return Levels.open(path)
    except (OSError, ValueError):
        return None


def _node_ids(layout: Layout, hashes: Array, earlier: Levels | None) -> Array:
    before, then, ids = np.full(len(hashes), -1, np.int32), EMPTY, [""]
    if earlier is not None:
        then, ids = earlier.layout, [one.decode() for one in earlier.nodes.tolist()]
        at = np.full(len(earlier) + 1, -1, np.int32)
        at[then.order] = np.arange(len(then.order))
        before = at[rows_among(earlier.hashes, hashes)]
    return _texts(continued_nodes(layout, before, then, ids, hashes))


def _group_ids(name: LevelName, labels: Array, hashes: Array, earlier: Levels | None) -> Array:
    before, ids = np.full(len(hashes), -1), list[str]()
    kept = None if earlier is None else earlier.tight.get(name)
    if earlier is not None and kept is not None:
        before = np.append(kept.labels, -1)[rows_among(earlier.hashes, hashes)]
        ids = [one.decode() for one in kept.ids.tolist()]
    return _texts(continued(labels, before, ids, hashes, name))


def _texts(ids: Sequence[str]) -> Array:
    return np.array([one.encode() for one in ids], "S16")
