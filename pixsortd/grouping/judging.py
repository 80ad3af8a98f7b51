"""Whether the likeness learned from edits does better than the plain embedding, on pairs it has not seen. Pure.

Photos, look-alikes as one, are dealt into ``FOLDS`` parts. The map is fitted on the pairs that lie outside
of a part and judged on those that lie inside, so that no photo is on both sides. A pair counts by how well
its cosine is told from those of opposite pairs of the same part, 1 for always and a half for by chance. One
that belongs together is also held against pairs by chance that no edit spoke of. Nothing here depends on the
groups as they are, so that a clustering does not change the next judgement.

The learned likeness is used when over at least ``EDITS`` edits, each one word however many pairs it makes,
it does better by ``GAIN`` on average and by ``SURE`` standard errors (a paired test), and the user did
not switch it off.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from pixsortd.grouping.learning import Likeness, Pairs, Rows, centre_of, fitted, pairs_of
from pixsortd.grouping.lessons import Lesson
from pixsortd.grouping.rows import Array, Floats, unit
from pixsortd.records import Learning, LearningState

FOLDS = 3
ALIKE = 0.9
"""Cosine, seen from the library's centre, from which photos lie in one part: a burst on both sides were no test."""

EDITS = 10
GAIN = 0.01
SURE = 3.0
"""Edits share photos and maps: edits of meaningless labels differ half as much again as ones of their own would."""

STRANGERS = 300
"""Pairs of photos by chance."""

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


def learned(contents: Sequence[bytes], vectors: Array, given: Sequence[Lesson], use: bool | None) -> Outcome:
    """What the pairs teach, judged.

    ``contents`` are the rows' photos by rising hash, and ``use`` is False where the user switched it off.
    """
    pairs = pairs_of(contents, given)
    told = Learning(edits=len(np.unique(pairs.edits)), pairs=len(pairs.photos))
    if use is False:
        told = msgspec.structs.replace(told, state=LearningState.OFF, why="You switched it off.")
    if not len(pairs.photos):
        return Outcome(told, None)
    centre = centre_of(vectors)
    spoken = np.unique(np.concatenate((pairs.photos, pairs.others)))
    pairs = pairs._replace(photos=np.searchsorted(spoken, pairs.photos), others=np.searchsorted(spoken, pairs.others))
    points = unit(unit(vectors[spoken]) - centre)
    parts = _parts([contents[row] for row in spoken], points)
    told = _said(told, _scores(points, pairs, parts, _strangers(vectors, spoken, centre), centre))
    return Outcome(told, fitted(points, pairs, centre) if told.state is LearningState.ON else None)


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
        why = f"It needs {EDITS} edits to be judged on, and has none yet whose photos can be held out."
        return so_far if so_far.state is LearningState.OFF else msgspec.structs.replace(so_far, why=why)
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


def _strangers(vectors: Array, spoken: Rows, centre: Floats) -> Floats:
    """[pairs, 2, dim]: pairs by chance of photos that no edit spoke of; none in a library that has hardly any."""
    others = np.setdiff1d(np.arange(len(vectors)), spoken)
    drawn = np.random.default_rng(0).integers(0, max(len(others), 1), (STRANGERS, 2))
    drawn = drawn[drawn[:, 0] != drawn[:, 1]]
    rows = others[drawn.ravel()] if len(drawn) else np.zeros(0, np.int64)
    return unit(unit(vectors[rows]) - centre).reshape(-1, 2, vectors.shape[1])


def _parts(contents: Sequence[bytes], points: Floats) -> Rows:
    """The fold of each photo: dealt by hash, look-alikes with the one of smallest hash."""
    first = np.arange(len(points))
    short = points.astype(np.float32)
    for start in range(0, len(points), _BLOCK):
        alike = short[start : start + _BLOCK] @ short[: start + _BLOCK].T >= ALIKE
        for place, near in np.argwhere(np.tril(alike, start - 1)):
            one, other = first[start + place], first[near]
            first[first == max(one, other)] = min(one, other)
    dealt = [hashlib.blake2b(photo, digest_size=8).digest() for photo in contents]
    return np.array([int.from_bytes(dealt[place]) % FOLDS for place in first], np.int64)


def _scores(points: Floats, pairs: Pairs, parts: Rows, strangers: Floats, centre: Floats) -> Scores:
    """Every pair whose two photos lie in one part, judged by the map of the others."""
    edits, plain, own = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0)]
    for part in range(FOLDS):
        inside = pairs.where((parts[pairs.photos] == part) & (parts[pairs.others] == part))
        outside = pairs.where((parts[pairs.photos] != part) & (parts[pairs.others] != part))
        if len(outside.photos):
            likeness = fitted(points, outside, centre)
            edits.append(inside.edits)
            plain.append(_told(points, inside, strangers))
            own.append(_told(likeness.seen(points), inside, likeness.seen(strangers)))
    of, before, after = np.concatenate(edits), np.concatenate(plain), np.concatenate(own)
    told = ~np.isnan(before)
    of = np.unique(of[told], return_inverse=True)[1]
    counts = np.bincount(of)
    return Scores(len(of), np.bincount(of, before[told]) / counts, np.bincount(of, after[told]) / counts)


def _told(points: Floats, pairs: Pairs, strangers: Floats) -> Floats:
    """How well each pair is told from opposite ones; NaN where there are none."""
    cosines = np.einsum("ij,ij->i", points[pairs.photos], points[pairs.others])
    by_chance = np.einsum("ij,ij->i", strangers[:, 0], strangers[:, 1])
    same, apart = cosines[pairs.same], cosines[~pairs.same]
    told = np.full(len(cosines), np.nan)
    against = [_below(same, others) for others in (apart, by_chance) if len(others)]
    if against:
        told[pairs.same] = np.mean(against, axis=0)
    if len(same):
        told[~pairs.same] = 1.0 - _below(apart, same)
    return told


def _below(values: Floats, others: Floats) -> Floats:
    """The share of the others that is below each value, ties half."""
    ordered = np.sort(others)
    share: Floats = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    return share / len(ordered)
