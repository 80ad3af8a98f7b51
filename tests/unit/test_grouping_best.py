"""Which photo is the best: order, ties, percentiles, the composite."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.grouping.best import Candidate, composite, percentile, ranked

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.5]), st.floats())
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.binary(min_size=2, max_size=2),
        value=VALUES,
        pixels=st.integers(0, 3),
        taken=st.sampled_from([0.0, 1.0, 2.0]),
    ),
    unique_by=lambda candidate: candidate.id,
    max_size=20,
)
FINITE = st.floats(-1e9, 1e9)
PERCENTILES = st.dictionaries(st.sampled_from("abcd"), st.floats(0, 100))
WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1e6))


def order(candidates, lower_better):
    return [placed.id for placed in ranked(candidates, lower_better)]


def test_rank_1_is_the_best_in_the_metrics_own_direction():
    photos = [Candidate(id=name, value=value) for name, value in ((b"a", 10.0), (b"b", 60.0), (b"c", 35.0))]
    assert order(photos, lower_better=True) == [b"a", b"c", b"b"]
    assert order(photos, lower_better=False) == [b"b", b"c", b"a"]
    assert [placed.rank for placed in ranked(photos, True)] == [1, 2, 3]


def test_equal_scores_more_pixels_first_then_taken_earlier_then_the_smaller_id():
    photos = [
        Candidate(id=b"d", value=5.0, pixels=100, taken=20.0),
        Candidate(id=b"c", value=5.0, pixels=100, taken=20.0),
        Candidate(id=b"b", value=5.0, pixels=100, taken=10.0),
        Candidate(id=b"a", value=5.0, pixels=50, taken=1.0),
        Candidate(id=b"e", value=5.0, pixels=900, taken=99.0),
    ]
    expected = [b"e", b"b", b"c", b"d", b"a"]
    assert order(photos, lower_better=True) == expected
    assert order(photos, lower_better=False) == expected


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("lower_better", [True, False])
def test_photos_without_an_answer_come_last_and_have_no_rank(nothing, lower_better):
    placed = ranked([Candidate(id=b"a", value=nothing), Candidate(id=b"b", value=1.0)], lower_better)
    assert [(p.id, p.rank, p.value) for p in placed] == [(b"b", 1, 1.0), (b"a", None, None)]


@given(CANDIDATES, st.booleans(), st.randoms())
def test_a_ranking_does_not_depend_on_the_order_of_its_candidates(candidates, lower_better, random):
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert ranked(shuffled, lower_better) == ranked(candidates, lower_better)


@given(CANDIDATES, st.booleans())
def test_a_ranking_holds_everything_once_and_follows_the_direction(candidates, lower_better):
    placed = ranked(candidates, lower_better)
    assert sorted(p.id for p in placed) == sorted(c.id for c in candidates)
    given_ranks = [p.rank for p in placed if p.rank is not None]
    assert given_ranks == list(range(1, len(given_ranks) + 1))
    assert all(p.rank is None for p in placed[len(given_ranks) :])
    values = [p.value for p in placed[: len(given_ranks)]]
    assert values == sorted(values, reverse=not lower_better)


def test_a_percentile_is_the_share_that_a_score_is_at_least_as_good_as():
    rising = [1.0, 2.0, 2.0, 4.0]
    assert [percentile(rising, value, False) for value in rising] == [25.0, 75.0, 75.0, 100.0]
    assert [percentile(rising, value, True) for value in rising] == [100.0, 75.0, 75.0, 25.0]
    assert percentile([], 1.0, True) == 0.0


@given(st.lists(FINITE, min_size=1, max_size=50), st.booleans(), st.randoms())
def test_percentiles_have_bounds_follow_the_direction_and_only_the_set_counts(values, lower_better, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    found = {value: percentile(sorted(values), value, lower_better) for value in values}
    assert found == {value: percentile(sorted(shuffled), value, lower_better) for value in values}
    best, worst = (min, max) if lower_better else (max, min)
    assert found[best(values)] == 100.0
    assert all(0.0 < share <= 100.0 for share in found.values())
    ordered = sorted(found, reverse=lower_better)
    assert [found[value] for value in ordered] == sorted(found.values())
    assert found[worst(values)] == min(found.values())


def test_a_composite_is_the_weighted_mean_and_tells_its_parts():
    value, parts = composite({"niqe": 80.0, "piqe": 50.0}, {"niqe": 2.0, "piqe": 1.0})
    assert value == pytest.approx(70.0)
    assert [(part.metric, part.percentile, part.weight) for part in parts] == [
        ("niqe", 80.0, pytest.approx(2 / 3)),
        ("piqe", 50.0, pytest.approx(1 / 3)),
    ]


def test_a_metric_without_a_score_is_left_out_and_without_any_there_is_no_composite():
    value, parts = composite({"piqe": 40.0}, {"niqe": 3.0, "piqe": 1.0})
    assert (value, [part.weight for part in parts]) == (40.0, [1.0])
    assert composite({"piqe": 40.0}, {"niqe": 3.0, "piqe": 0.0}) is None
    assert composite({}, {"niqe": 1.0}) is None


@given(PERCENTILES, WEIGHTS)
def test_a_composite_lies_between_its_parts_whose_weights_sum_to_one(percentiles, weights):
    found = composite(percentiles, weights)
    used = {metric for metric in percentiles if weights.get(metric, 0) > 0}
    if not used:
        assert found is None
        return
    value, parts = found
    assert {part.metric for part in parts} == used
    assert math.fsum(part.weight for part in parts) == pytest.approx(1.0)
    shares = [percentiles[metric] for metric in used]
    assert min(shares) - 1e-6 <= value <= max(shares) + 1e-6
    assert 0.0 <= value <= 100.0


@given(st.dictionaries(st.sampled_from("abc"), st.floats(0, 100), min_size=1), st.data())
def test_a_composite_does_not_fall_when_a_photo_gets_better(percentiles, data):
    weights = data.draw(st.fixed_dictionaries({metric: st.floats(0.01, 10) for metric in percentiles}))
    better = data.draw(st.sampled_from(sorted(percentiles)))
    raised = {**percentiles, better: data.draw(st.floats(percentiles[better], 100))}
    assert composite(raised, weights)[0] >= composite(percentiles, weights)[0] - 1e-9


def test_ranking_needs_no_heavy_import():
    code = "import sys, pixsortd.grouping.best; print({'numpy', 'hdbscan', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
