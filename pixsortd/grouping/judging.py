"""Whether the likeness learned from edits does better than the plain embedding, on pairs it has not seen. Pure.

Photos, look-alikes as one, are dealt into ``FOLDS`` parts. The map is fitted on the pairs that lie outside
of a part and judged on those that lie inside, so that no photo is on both sides. A pair counts by how well
its cosine is told from those of opposite pairs of the same part, 1 for always and a half for by chance: from
the user's, and from pairs that no edit spoke of, which are of one group as groups are now, or of two.

The learned likeness is used when over at least ``EDITS`` edits, each one word however many pairs it makes,
it does better by ``GAIN`` on average and by ``SURE`` standard errors (a paired test), and the user did
not switch it off.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pixsortd.grouping.learning import Likeness, Pairs, Rows, centre_of, fitted, pairs_of
from pixsortd.grouping.lessons import Lesson
from pixsortd.grouping.reduce import Array, Floats, unit
from pixsortd.records import Learning, LearningState

FOLDS = 3
ALIKE = 0.9
"""Cosine, seen from the library's centre, from which photos lie in one part: a burst on both sides were no test."""

EDITS = 10
GAIN = 0.01
SURE = 2.0

BACKGROUND = 100
"""Pairs of one group, and as many of two, that no edit spoke of, in each part."""

_BLOCK = 512


class Scores(NamedTuple):
    """How well held-out pairs are told from opposite ones, by edit."""

    pairs: int
    plain: Floats
    learned: Floats


class Outcome(NamedTuple):
    """The judgement, and the map if it is to be used."""

    learning: Learning
    likeness: Likeness | None


def learned(
    contents: Sequence[bytes], vectors: Array, given: Sequence[Lesson], groups: Mapping[bytes, str], use: bool | None
) -> Outcome:
    """What the pairs teach, judged.

    ``contents`` are the rows' photos by rising hash, ``groups`` where photos are now, and ``use`` is False
    where the user switched it off.
    """
    pairs = pairs_of(contents, given)
    told = Learning(edits=len(np.unique(pairs.edits)), pairs=len(pairs.photos))
    if use is False:
        told = msgspec.structs.replace(told, state=LearningState.OFF, why="You switched it off.")
    if not len(pairs.photos):
        return Outcome(told, None)
    centre = centre_of(vectors)
    rows, points, packed, places = _packed(contents, vectors, centre, pairs, groups)
    scores = _scores(points, packed, _parts([contents[row] for row in rows], points, packed), places, centre)
    told = _said(told, scores)
    likeness = fitted(points, packed, centre) if told.state is LearningState.ON else None
    return Outcome(told, likeness)


def better(scores: Scores) -> bool:
    """The rule: enough edits, a gain worth having, and no accident."""
    gains = scores.learned - scores.plain
    if len(gains) < EDITS or gains.mean() < GAIN:
        return False
    return bool(gains.mean() >= SURE * gains.std(ddof=1) / len(gains) ** 0.5)


def _said(so_far: Learning, scores: Scores) -> Learning:
    """The judgement with figures, in words."""
    judged = len(scores.plain)
    if not judged:
        return so_far
    plain, own = float(scores.plain.mean()), float(scores.learned.mean())
    state = so_far.state
    figures = (
        f"on {scores.pairs} pairs of {judged} edits that it had not seen, {own:.1%} are told right "
        f"and {plain:.1%} without it"
    )
    if state is LearningState.OFF:
        why = f"You switched it off; {figures}."
    elif judged < EDITS:
        why = f"It needs {EDITS} edits to be judged on and has {judged}; {figures}."
    else:
        state = LearningState.ON if better(scores) else LearningState.WORSE
        doing = "It is used" if state is LearningState.ON else "It does no better for certain and is not used"
        why = f"{doing}: {figures}."
    return msgspec.structs.replace(
        so_far, state=state, held_out=scores.pairs, judged=judged, plain=plain, learned=own, why=why
    )


def _packed(
    contents: Sequence[bytes], vectors: Array, centre: Floats, pairs: Pairs, groups: Mapping[bytes, str]
) -> tuple[Rows, Floats, Pairs, Rows]:
    """Rows of the photos that matter, their points, the pairs by place there, and the group of each by number.

    Photos of pairs, and for the background some others; the number is -1 for in no group and for those of pairs.
    """
    spoken = np.unique(np.concatenate((pairs.photos, pairs.others)))
    others = np.setdiff1d(np.array([row for row, photo in enumerate(contents) if photo in groups], np.int64), spoken)
    sampled = others[:: max(1, len(others) // (20 * BACKGROUND))]
    rows = np.concatenate((spoken, sampled))
    points = unit(unit(vectors[rows]) - centre)
    names = sorted({groups[contents[row]] for row in sampled})
    number = {name: place for place, name in enumerate(names)}
    places = np.full(len(rows), -1)
    places[len(spoken) :] = [number[groups[contents[row]]] for row in sampled]
    packed = pairs._replace(photos=np.searchsorted(spoken, pairs.photos), others=np.searchsorted(spoken, pairs.others))
    return rows, points, packed, places


def _parts(contents: Sequence[bytes], points: Floats, pairs: Pairs) -> Rows:
    """The fold of each photo: dealt by hash, look-alikes of pairs with the one of smallest hash."""
    first = np.arange(len(points))
    spoken = int(max(pairs.photos.max(), pairs.others.max())) + 1
    short = points[:spoken].astype(np.float32)
    for start in range(0, spoken, _BLOCK):
        alike = short[start : start + _BLOCK] @ short[: start + _BLOCK].T >= ALIKE
        for place, near in np.argwhere(np.tril(alike, start - 1)):
            one, other = first[start + place], first[near]
            first[first == max(one, other)] = min(one, other)
    dealt = [hashlib.blake2b(photo, digest_size=8).digest() for photo in contents]
    return np.array([int.from_bytes(dealt[place]) % FOLDS for place in first], np.int64)


def _scores(points: Floats, pairs: Pairs, parts: Rows, groups: Rows, centre: Floats) -> Scores:
    """Every pair whose two photos lie in one part, judged by the map of the others."""
    edits: list[npt.NDArray[np.int64]] = []
    plain: list[Floats] = []
    own: list[Floats] = []
    for part in range(FOLDS):
        inside = pairs.where((parts[pairs.photos] == part) & (parts[pairs.others] == part))
        outside = pairs.where((parts[pairs.photos] != part) & (parts[pairs.others] != part))
        if not len(inside.photos) or not len(outside.photos):
            continue
        rivals = [inside, _background(np.flatnonzero((parts == part) & (groups >= 0)), groups)]
        rivals = [pairs for pairs in rivals if pairs.same.any() and not pairs.same.all()]
        if not rivals:
            continue
        mapped = unit(points + fitted(points, outside, centre).change(points))
        edits.append(inside.edits)
        plain.append(np.mean([_told(points, inside, others) for others in rivals], axis=0))
        own.append(np.mean([_told(mapped, inside, others) for others in rivals], axis=0))
    if not edits:
        return Scores(0, np.zeros(0), np.zeros(0))
    of = np.unique(np.concatenate(edits), return_inverse=True)[1]
    counts = np.bincount(of)
    return Scores(
        len(of),
        np.bincount(of, np.concatenate(plain)) / counts,
        np.bincount(of, np.concatenate(own)) / counts,
    )


def _background(among: Rows, groups: Rows) -> Pairs:
    """Pairs of photos that no edit spoke of, as groups are now."""
    drawn = np.random.default_rng(0).choice(among, (40 * BACKGROUND, 2)) if len(among) else np.empty((0, 2), np.int64)
    drawn = drawn[drawn[:, 0] != drawn[:, 1]]
    same = groups[drawn[:, 0]] == groups[drawn[:, 1]]
    chosen = np.concatenate((np.flatnonzero(same)[:BACKGROUND], np.flatnonzero(~same)[:BACKGROUND]))
    return Pairs(drawn[chosen, 0], drawn[chosen, 1], same[chosen], np.full(len(chosen), -1))


def _told(points: Floats, pairs: Pairs, others: Pairs) -> Floats:
    """For each pair the share of opposite ones among the others that lie on the right side of it."""
    cosines, against = _cosines(points, pairs), _cosines(points, others)
    told = np.empty(len(cosines))
    told[pairs.same] = _below(cosines[pairs.same], against[~others.same])
    told[~pairs.same] = 1.0 - _below(cosines[~pairs.same], against[others.same])
    return told


def _cosines(points: Floats, pairs: Pairs) -> Floats:
    found: Floats = np.einsum("ij,ij->i", points[pairs.photos], points[pairs.others])
    return found


def _below(values: Floats, others: Floats) -> Floats:
    """The share of the others that is below each value, ties half."""
    ordered = np.sort(others)
    share: Floats = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    return share / len(ordered)
