"""What rules can ask of a file, kind by kind."""

import math
import tomllib
from contextlib import suppress
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pixsortd.records import Rank, Subject
from pixsortd.sorting.rules.conditions import Condition, condition, flattened
from pixsortd.sorting.rules.fields import FIELDS, field_named
from pixsortd.sorting.rules.matching import folded, kilometres
from pixsortd.sorting.rules.words import Wrong
from tests.unit.sorting_material import NOW, subject


def asked(field: str, what: object) -> Condition:
    return condition(field_named(field), what)


def holds(field: str, what: object, photo: Subject) -> bool:
    return asked(field, what).holds(photo, NOW)


def refused(field: str, what: object) -> str:
    with pytest.raises(Wrong) as caught:
        asked(field, what)
    return str(caught.value)


BEACH = subject(
    b"DCIM/100CANON/IMG_0001.JPG",
    size=5_500_000,
    mtime_ns=1_600_000_000 * 10**9,
    format="JPEG",
    width=6000,
    height=4000,
    taken="2020-05-17T12:30:10.5+02:00",
    make="Canon",
    model="Canon EOS 80D",
    lens="EF-S 18-135mm",
    latitude=48.137,
    longitude=11.575,
    group="g1",
    group_name="Beach Days",
    strength=0.75,
    scores={"niqe": 3.5},
    percentiles={"niqe": 91.0, "composite": 84.0},
    composite=61.0,
    duplicate=Rank.BEST,
    burst=Rank.OTHER,
    batches=("Holiday", "Print"),
    rating=4,
    label="red",
    caption="At the sea",
)
BARE = subject(b"note")


@pytest.mark.parametrize(
    ("field", "yes", "no"),
    [
        ("path", "DCIM/*/*.jpg", "DCIM/*.jpg"),
        ("path", "100canon/*", "100canon"),
        ("path", "DCIM/", "DCI/"),
        ("path", "dcim/**/img_*", "**/dcim/img_*"),
        ("path", "/DCIM/**", "/100CANON/**"),
        ("path", "*.jpg", "*.png"),
        ("path", "!**/raw/**", "!dcim/"),
        ("name", "img_????.jpg", "IMG_1*"),
        ("name", ["x*", "img*"], ["img*", "!*.jpg"]),
        ("stem", "IMG_0001", "IMG_0001.JPG"),
        ("ext", "jpg", ".jpg"),
        ("folder", "100canon", "DCIM"),
        ("format", "jpeg", "png"),
        ("camera", "canon*", "nikon*"),
        ("camera", "Canon EOS 80D", "EOS 80D"),
        ("camera", "canon", "!canon"),
        ("lens", "*135mm", "135mm"),
        ("group", "beach*", "!beach*"),
        ("group", "g1", "g2"),
        ("group", "any", "none"),
        ("group", True, False),
        ("confidence", ">= 0.7", "> 0.75"),
        ("batch", "print", "private"),
        ("batch", ["!private"], ["!print"]),
        ("label", "red", "r"),
        ("caption", "*sea*", "sea"),
        ("duplicate", "best", "other"),
        ("duplicate", ["best", "none"], "none"),
        ("burst", "other", "best"),
        ("width", 6000, "> 6000"),
        ("height", "< 4001", "!= 4000"),
        ("megapixels", "24", "24.1"),
        ("rating", [1, 4], [1, 2]),
        ("rating", ">=4", ">4"),
        ("rating", "3..5", "..3"),
        ("rating", "4..", "5.."),
        ("rating", 4.0, 4.5),
        ("rating", "!= 3", "!= 4"),
        ("quality", "> 80", "> 90"),
        ("quality.niqe", "> 90", "> 95"),
        ("score", "61", "62"),
        ("score.niqe", "< 4", ">= 4"),
        ("size", "> 5MB", "> 6MB"),
        ("size", "5.4MB..6MB", "1kB..5MiB"),
        ("taken", "2020", "2021"),
        ("taken", 2020, [2019, 2021]),
        ("taken", "2020-05", "2020-04"),
        ("taken", "2020-05-17", "2020-05-18"),
        ("taken", "2020-05-17T12:30", "2020-05-17 12:31"),
        ("taken", "2020-05-17 12:30:10", "2020-05-17 12:30:11"),
        ("taken", ">= 2020-05", "> 2020-05"),
        ("taken", "<= 2020-05", "< 2020-05"),
        ("taken", "2019..2020", "2018..2019"),
        ("taken", ["2011", "last 4000d"], "last 30d"),
        ("taken", tomllib.loads("day = 2020-05-17")["day"], tomllib.loads("day = 2020-05-18")["day"]),
        ("modified", "2020-09", "2020-10"),
        ("place", "48.1,11.5 within 20km", "48.1,11.5 within 1km"),
        ("place", "48.137, 11.575 within 10 m", "-48.137,11.575 within 100mi"),
        ("place", ["0,0 within 1km", "48,11 within 60mi"], "none"),
    ],
)
def test_what_holds_and_what_does_not(field: str, yes: object, no: object) -> None:
    assert holds(field, yes, BEACH)
    assert not holds(field, no, BEACH)


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"path", "name", "stem", "size", "modified"}))
def test_what_is_not_known_holds_only_where_that_is_asked(field: str) -> None:
    assert holds(field, "none", BARE)
    assert holds(field, False, BARE)
    assert not holds(field, "any", BARE)
    assert not holds(field, "none", BEACH)
    assert holds(field, ["none", "any"], BARE)
    assert holds(field, ["none", "any"], BEACH)


def test_also_what_is_not_so_has_to_be_known() -> None:
    assert not holds("group", "!Beach*", BARE)
    assert holds("group", ["none", "!Beach*"], BARE)
    assert not holds("rating", "!= 3", BARE)
    assert not holds("rating", "< 3", BARE)


def test_a_pattern_with_not_always_counts() -> None:
    assert not holds("name", ["*", "!img*"], BEACH)
    assert holds("name", ["!a*", "!b*"], BEACH)
    assert not holds("name", ["!a*", "!img*"], BEACH)


def test_times_are_those_of_the_camera_and_ages_count_until_now() -> None:
    day = datetime.fromtimestamp(NOW) - timedelta(days=3)
    photo = subject(taken=f"{day:%Y-%m-%dT%H:%M:%S}+09:00")
    assert holds("taken", "last 4d", photo)
    assert not holds("taken", "last 2d", photo)
    assert holds("taken", f"{day:%Y-%m-%d %H:%M:%S}", photo)
    assert not holds("taken", "any", subject(taken="yesterday"))
    assert not holds("modified", "any", subject(mtime_ns=10**30))


def test_scores_that_mean_nothing_are_not_known() -> None:
    assert holds("score.niqe", "none", subject(scores={"niqe": math.nan}))
    assert holds("quality.niqe", "none", subject(percentiles={"composite": 3.0}))
    assert not holds("quality", ">= 0", subject(percentiles={"composite": math.nan}))


def test_accents_compare_alike_however_they_are_composed() -> None:
    assert holds("group", "cafe\u0301*", subject(group="g", group_name="CAF\u00c9 noir"))
    assert holds("path", "stra\u00dfe/", subject(b"STRASSE/a.jpg"))


@pytest.mark.parametrize(
    ("field", "what", "said"),
    [
        ("name", "", "empty pattern"),
        ("name", "!", "empty pattern"),
        ("name", 5, "text in quotes"),
        ("name", [], "empty list"),
        ("name", {"a": 1}, "expected text, a number or a list"),
        ("name", None, "expected text, a number or a list"),
        ("name", [["a"]], "text in quotes"),
        ("duplicate", "bset", "fits no duplicate"),
        ("format", ["JPEG", "JPG"], "fits no format"),
        ("rating", ">> 3", "is no number"),
        ("rating", "three", "is no number"),
        ("rating", "5..1", "ends before it begins"),
        ("rating", float("nan"), "is no number"),
        ("size", "5 apples", "is no size"),
        ("size", "-1", "is no size"),
        ("size", "9" * 400, "is no size"),
        ("taken", "May 2020", "is no date"),
        ("taken", "2020-13", "there is no date"),
        ("taken", "2021-02-29", "there is no date"),
        ("taken", "9999", "there is no date"),
        ("taken", "last week", "expected a duration"),
        ("place", "Munich", "is no place"),
        ("place", "91,0 within 1km", "is no place"),
        ("place", "48,11", "is no place"),
        ("place", 48, "text in quotes"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(field: str, what: object, said: str) -> None:
    assert said in refused(field, what)


def test_fields_and_metrics_that_do_not_exist() -> None:
    for name, said in [
        ("grup", 'there is no field "grup"; did you mean "group"?'),
        ("zzz", 'there is no field "zzz"'),
        ("score.", '"score." names no metric'),
        ("group.name", 'there is no field "group.name"'),
    ]:
        with pytest.raises(Wrong) as caught:
            field_named(name)
        assert said in caught.value.message
    with pytest.raises(Wrong) as caught:
        field_named("quality.niqqe", ("niqe", "piqe"))
    assert caught.value.message == 'there is no metric "niqqe"; did you mean "niqe"?'
    assert field_named("quality.clipiqa+", ("clipiqa+",)).name == "quality.clipiqa+"


def test_metrics_may_be_written_as_tables() -> None:
    when = tomllib.loads('quality.niqe = "> 3"\nscore."clipiqa+" = 1\nrating = 5\n"score.piqe" = 2')
    assert dict(flattened(when)) == {"quality.niqe": "> 3", "score.clipiqa+": 1, "rating": 5, "score.piqe": 2}


def test_outcomes_in_words() -> None:
    assert asked("group", "beach*").words(BEACH) == 'group is Beach Days (asked: "beach*")'
    assert asked("group", ["a", False]).words(BARE) == 'it is in no group (asked: "a" or "none")'
    assert asked("rating", 5).words(BEACH) == 'rating is 4 (asked: "5")'
    assert asked("batch", "any").words(BEACH) == 'batch is Holiday, Print (asked: "any")'
    assert asked("size", "> 1MB").words(BEACH) == 'size is 5.5 MB (asked: "> 1MB")'
    assert asked("taken", "2020").words(BEACH) == 'taken is 2020-05-17 12:30 (asked: "2020")'
    assert asked("place", "any").words(BEACH) == 'place is 48.1370,11.5750 (asked: "any")'


# --- one condition holds wherever another does ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "wide", "narrow"),
    [
        ("name", "any", "x"),
        ("name", "img*", "IMG_1"),
        ("name", ["a", "b*"], ["B*"]),
        ("name", "!a", ["x", "!A"]),
        ("group", ["none", "a"], "none"),
        ("rating", ">= 3", "4..5"),
        ("rating", ">= 3", "> 3"),
        ("rating", ["1", "3..4"], [1, 4]),
        ("rating", "any", 3),
        ("size", "> 1MB", "> 2000kB"),
        ("taken", "2020", "2020-05"),
        ("taken", "last 30d", "last 2w"),
        ("place", "48,11 within 100km", "48.1,11.5 within 20km"),
    ],
)
def test_the_wider_condition_covers_the_narrower(field: str, wide: object, narrow: object) -> None:
    assert asked(field, wide).covers(asked(field, wide))
    assert asked(field, wide).covers(asked(field, narrow))
    assert not asked(field, narrow).covers(asked(field, wide))


def test_what_cannot_be_told_is_not_covered() -> None:
    assert not asked("name", "a*").covers(asked("name", "ab*"))
    assert not asked("name", "a").covers(asked("stem", "a"))
    assert not asked("name", "a").covers(asked("name", "!b"))
    assert not asked("rating", "..5").covers(asked("rating", "none"))
    assert not asked("rating", "none").covers(asked("rating", "3"))
    assert not asked("taken", "2000..").covers(asked("taken", "last 30d"))


ASKED: dict[str, list[object]] = {
    "rating": [3, "> 2", ">= 2", "< 4", "2..4", [1, 5], "any", "none", ["none", "> 3"], "!= 3"],
    "name": ["a*", "ab", ["a*", "!ab"], "!a*", "any", "none", ["ab", "b"], "*b"],
}
PHOTOS = [subject(name, rating=rating) for name in (b"a", b"ab", b"b", b"abb") for rating in (None, 1, 2, 3, 4, 5)]


def test_what_is_covered_holds() -> None:
    conditions = [asked(field, what) for field, several in ASKED.items() for what in several]
    covered = 0
    for one, other in product(conditions, repeat=2):
        if one.covers(other):
            covered += 1
            assert all(one.holds(photo, NOW) for photo in PHOTOS if other.holds(photo, NOW))
    assert covered > 2 * len(conditions)


# --- against simple models ----------------------------------------------------------------------------------------

LETTERS = st.text("ab*?[!].", min_size=1, max_size=6)


@given(LETTERS, st.text("abAB.", min_size=1, max_size=6))
def test_patterns_of_texts_are_those_of_the_shell(pattern: str, name: str) -> None:
    assume(pattern.removeprefix("!") and pattern not in ("any", "none"))
    bare = pattern.removeprefix("!")
    expected = fnmatchcase(name.lower(), bare) != pattern.startswith("!")
    assert holds("name", pattern, subject(name.encode())) == expected


def _model(pattern: list[str], path: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_model(pattern[1:], path[n:]) for n in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _model(pattern[1:], path[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "?", "a*"]), min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_patterns_of_paths_are_those_of_a_simple_model(
    pattern: list[str], path: list[str], anchored: bool, below: bool
) -> None:
    text = ("/" if anchored else "") + "/".join(pattern) + ("/" if below else "")
    whole = [*([] if anchored else ["**"]), *pattern, *(["**"] if below else [])]
    assert holds("path", text, subject("/".join(path).encode())) == _model(whole, path)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_numbers_compare_as_numbers(value: int, low: int, high: int) -> None:
    photo = subject(rating=value)
    assert holds("rating", f">= {low}", photo) == (value >= low)
    assert holds("rating", f"> {low}", photo) == (value > low)
    assert holds("rating", f"<= {low}", photo) == (value <= low)
    assert holds("rating", f"<{low}", photo) == (value < low)
    assert holds("rating", f"= {low}", photo) == (value == low)
    assert holds("rating", f"!= {low}", photo) == (value != low)
    if low <= high:
        assert holds("rating", f"{low}..{high}", photo) == (low <= value <= high)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.dates(), st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"])
)
def test_dates_compare_as_they_are_written(taken: datetime, day: object, written: str) -> None:
    assume(1900 <= day.year < 2100)  # type: ignore[attr-defined]
    photo, asked_day, own = subject(taken=taken.isoformat()), format(day, written), format(taken, written)
    assert holds("taken", asked_day, photo) == (own == asked_day)
    assert holds("taken", f">= {asked_day}", photo) == (own >= asked_day)
    assert holds("taken", f"> {asked_day}", photo) == (own > asked_day)
    assert holds("taken", f"<= {asked_day}", photo) == (own <= asked_day)
    assert holds("taken", f"< {asked_day}", photo) == (own < asked_day)


@given(st.text(max_size=20))
def test_no_text_asked_does_anything_but_be_refused_in_words(text: str) -> None:
    for name in FIELDS:
        with suppress(Wrong):
            asked(name, text).holds(BEACH, NOW)


def test_distances() -> None:
    munich, hamburg = (48.137, 11.575), (53.551, 9.994)
    assert kilometres(munich, hamburg) == pytest.approx(612, abs=2)
    assert kilometres((0, 179.9), (0, -179.9)) == pytest.approx(22.2, abs=0.1)
    assert kilometres((90, 0), (-90, 0)) == pytest.approx(20015, abs=1)
    assert folded("\u00c9") == folded("e\u0301")
