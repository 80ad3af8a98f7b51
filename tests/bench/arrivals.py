"""Photos that arrive between two clusterings: right joins, wrong joins, and loners drawn in.

A tenth of the labelled photos at a time is kept back from the default clustering and then arrives, one by one, at
the groups of the others. A join is right where most of the group is of the photo's label. Beside it the rule of
earlier versions: the group that most of the five nearest are in, if the photo is as near as its floor asks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pixsortd.grouping.cluster import cluster
from pixsortd.grouping.describe import describe
from pixsortd.grouping.join import NEIGHBOURS, judged
from pixsortd.grouping.rows import unit
from pixsortd.records import Group, Membership
from tests.bench._mixtures import BACKBONES, LONERS, Mixture, photos
from tests.bench.common import options, require_quiet, result
from tests.bench.groups import SAMPLES, SIZE
from tests.conftest import SHARED

PARTS = 10
Near = list[tuple[bytes, float]]


class Base(NamedTuple):
    """What is there when photos arrive."""

    members: Mapping[bytes, Membership]
    groups: Mapping[str, Group]
    labels: Mapping[str, str]
    """The label that most of a group are of."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Embed the photos as the daemon does and let them arrive."""
    given = options("arrivals", __doc__, "one space, half of the parts").parse_args(arguments)
    if not (SHARED / "photos" / "labels.csv").is_file():
        raise SystemExit("no labelled photos beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    require_quiet(given.anyway)
    spaces = (*(space for space, (_, weights) in BACKBONES.items() if weights.is_file()), "builtin")
    detail: dict[str, Any] = {}
    shares = []
    for space, whole in photos("photos", spaces[:1] if given.quick else spaces).items():
        for rule, joins in RULES.items():
            counts = arrived(whole, joins, PARTS // 2 if given.quick else PARTS)
            detail[f"{space}: {rule}"] = counts
            if rule == "density":
                shares.append(counts["right"] / max(counts["right"] + counts["wrong"] + counts["loner drawn in"], 1))
    detail["right, of all joins"] = dict(zip(spaces, [round(share, 3) for share in shares], strict=False))
    return result("arrivals", shares[0], ">= 0.95", lambda value: value >= 0.95, "of joins are right", detail)


def arrived(whole: Mixture, joins: Callable[[Near, Base], str | None], rounds: int) -> dict[str, int]:
    """What became of the photos of some parts."""
    counts = Counter[str]({"right": 0, "wrong": 0, "missed": 0, "loner drawn in": 0})
    parts = np.random.default_rng(0).permutation(len(whole.labels)) % PARTS
    rows = unit(whole.vectors)
    for part in range(rounds):
        here = np.flatnonzero(parts != part)
        base = formed(whole, here)
        wanted = set(base.labels.values())
        for row in np.flatnonzero(parts == part):
            cosines = rows[here] @ rows[row]
            near = [(_name(here[i]), float(cosines[i])) for i in np.argsort(-cosines, kind="stable")[:NEIGHBOURS]]
            group, label = joins(near, base), str(whole.labels[row])
            counts[_outcome(label, None if group is None else base.labels[group], wanted)] += 1
    return dict(counts)


def formed(whole: Mixture, here: Any) -> Base:
    """The groups of the photos that are there."""
    found = cluster(whole.vectors[here], SIZE, SAMPLES)
    members: dict[bytes, Membership] = {}
    groups: dict[str, Group] = {}
    labels: dict[str, str] = {}
    for label in range(int(found.labels.max()) + 1):
        own, name = np.flatnonzero(found.labels == label), f"g{label}"
        seen = describe(whole.vectors[here[own]], found.strengths[own])
        for place, row in enumerate(here[own]):
            alike = float(seen.similarity[place])
            members[_name(row)] = Membership(group=name, strength=1.0, how="clustered", similarity=alike)
        groups[name] = Group(id=name, size=len(own), floor=seen.floor)
        labels[name] = Counter(whole.labels[here[own]].tolist()).most_common(1)[0][0]
    return Base(members, groups, labels)


def _outcome(label: str, joined: str | None, wanted: set[str]) -> str:
    if label == LONERS:
        return "loner left alone" if joined is None else "loner drawn in"
    if joined is None:
        return "missed" if label in wanted else "left alone, and has no group"
    return "right" if joined == label else "wrong"


def density(near: Near, base: Base) -> str | None:
    """What the daemon does."""
    membership = judged(near, base.members.get, base.groups.get).membership
    return None if membership is None else membership.group


def majority(near: Near, base: Base) -> str | None:
    """The rule of earlier versions."""
    weights: defaultdict[str | None, float] = defaultdict(float)
    cosines: defaultdict[str | None, list[float]] = defaultdict(list)
    for photo, cosine in near[:5]:
        place = base.members.get(photo)
        name = None if place is None else place.group
        weights[name] += max(cosine, 0.0) ** 4
        cosines[name].append(cosine)
    best = max((name for name in weights if name is not None), key=weights.__getitem__, default=None)
    if best is None or weights[best] <= sum(weights.values()) / 2:
        return None
    return best if float(np.mean(cosines[best])) >= base.groups[best].floor else None


def _name(row: int) -> bytes:
    return int(row).to_bytes(32)


RULES: Mapping[str, Callable[[Near, Base], str | None]] = {"density": density, "majority of five": majority}
