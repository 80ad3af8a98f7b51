"""The learned likeness, and the rule that switches it on."""

import numpy as np
import pytest

from pixsortd.grouping.judging import EDITS, Scores, better, learned
from pixsortd.grouping.learning import centre_of, fitted, pairs_of
from pixsortd.grouping.lessons import Lesson
from pixsortd.grouping.rows import unit
from pixsortd.records import LearningState

DIM, CLASSES, EACH = 24, 6, 30


@pytest.fixture(scope="module")
def library():
    """(contents, vectors, class of each): classes lie in 6 directions, a nuisance that means nothing in 6 others."""
    draw = np.random.default_rng(0)
    classes = np.repeat(np.arange(CLASSES), EACH)
    vectors = 0.15 * draw.normal(size=(len(classes), DIM))
    vectors[np.arange(len(classes)), classes] += 1.0
    vectors[np.arange(len(classes)), 6 + draw.integers(0, 6, len(classes))] += 1.3
    order = draw.permutation(len(classes))
    contents = [b"%032d" % i for i in range(len(classes))]
    return contents, vectors[order].astype(np.float16), classes[order]


def taught(contents, classes, edits, seed=0):
    """As many edits, each of one photo beside four of its class and four of another."""
    draw = np.random.default_rng(seed)
    found = []
    for edit in range(edits):
        photo = int(draw.integers(len(contents)))
        own = np.setdiff1d(np.flatnonzero(classes == classes[photo]), photo)
        rest = np.flatnonzero(classes == (classes[photo] + 1) % CLASSES)
        for same, among in ((True, own), (False, rest)):
            found += [
                Lesson(edit=edit, photo=contents[photo], other=contents[int(other)], same=same)
                for other in draw.choice(among, 4, replace=False)
            ]
    return found


def test_what_the_user_means_is_learned_and_used(library):
    contents, vectors, classes = library
    learning, likeness = learned(contents, vectors, taught(contents, classes, 60), None)
    assert learning.state is LearningState.ON
    assert likeness is not None
    assert learning.learned > learning.plain + 0.05
    assert learning.edits == 60
    assert learning.judged >= EDITS
    assert "%" in learning.why


def test_meaningless_words_are_refused(library):
    contents, vectors, classes = library
    for seed in range(10):
        void = np.random.default_rng(seed).permutation(classes)
        learning, likeness = learned(contents, vectors, taught(contents, void, 60, seed), None)
        assert learning.state is LearningState.WORSE
        assert likeness is None
        assert "not used" in learning.why


def test_words_against_what_the_edits_say_elsewhere_are_refused(library):
    """Half of the edits say the opposite of the other half."""
    contents, vectors, classes = library
    given = taught(contents, classes, 60)
    torn = [
        Lesson(edit=one.edit, photo=one.photo, other=one.other, same=one.same == (one.edit % 2 == 0)) for one in given
    ]
    assert learned(contents, vectors, torn, None).likeness is None


def test_few_words_are_not_enough(library):
    contents, vectors, classes = library
    learning, likeness = learned(contents, vectors, taught(contents, classes, 5), None)
    assert learning.state is LearningState.LEARNING
    assert likeness is None
    assert learned(contents, vectors, [], None).learning.pairs == 0
    alone = learned(contents, vectors, taught(contents, classes, 1)[:1], None).learning
    assert (alone.pairs, alone.held_out) == (1, 0)
    assert f"needs {EDITS} edits" in alone.why


def test_the_switch_is_the_users(library):
    contents, vectors, classes = library
    given = taught(contents, classes, 60)
    learning, likeness = learned(contents, vectors, given, False)
    assert learning.state is LearningState.OFF
    assert likeness is None
    assert learning.learned > learning.plain
    assert learned(contents, vectors, given, True).likeness is not None


def test_the_same_words_teach_the_same(library):
    contents, vectors, classes = library
    given = taught(contents, classes, 60)
    one, other = learned(contents, vectors, given, None), learned(contents, vectors, given, None)
    assert one.learning == other.learning
    np.testing.assert_array_equal(one.likeness.applied(vectors), other.likeness.applied(vectors))


def test_lessons_about_photos_that_are_gone_are_left_out(library):
    contents, vectors, classes = library
    given = taught(contents, classes, 60)
    gone = [Lesson(edit=99, photo=b"gone", other=contents[0], same=True)]
    assert (
        learned(contents, vectors, [*given, *gone], None).learning == learned(contents, vectors, given, None).learning
    )


def test_the_map_is_close_to_none_after_few_edits(library):
    contents, vectors, classes = library
    centre = centre_of(vectors)
    points = unit(unit(vectors) - centre)
    moved = [
        np.abs(fitted(points, pairs_of(contents, taught(contents, classes, edits)), centre).shares - 1).max()
        for edits in (1, 10, 100)
    ]
    assert moved[0] < moved[1] < moved[2] < 1


def test_vectors_keep_their_kind_and_length(library):
    contents, vectors, classes = library
    likeness = learned(contents, vectors, taught(contents, classes, 60), None).likeness
    empty = np.concatenate([vectors, np.zeros((1, DIM), np.float16)])
    mapped = likeness.applied(empty)
    assert mapped.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(mapped[:-1].astype(float), axis=1), 1, atol=2e-3)
    assert not mapped[-1].any()


@pytest.mark.parametrize(
    ("gains", "used"),
    [
        ([0.1] * EDITS, True),
        ([0.1] * (EDITS - 1), False),
        ([0.005] * 100, False),
        ([0.5, -0.45] * 20, False),
        ([-0.1] * 50, False),
        ([0.1, 0.05] * 20, True),
    ],
)
def test_the_rule(gains, used):
    plain = np.full(len(gains), 0.5)
    assert better(Scores(10, plain, plain + gains)) is used
