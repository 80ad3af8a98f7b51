"""Where rules would have a file go, which rule takes it, and what is wrong with rules."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config import RootSettings, SortRule, default_file, load
from pixsortd.config.comments import with_examples
from pixsortd.errors import RulesRefused
from pixsortd.records import Action, OnConflict, Place, Reason, Role, Subject
from pixsortd.sorting.rules import Choice, Rules, checked, compiled, digest_of, field_words, filter_words
from pixsortd.sorting.rules.templates import OWN
from tests.unit.sorting_material import NOW, ROOTS, STATE, rule, subject

BEACH = subject(
    b"from/IMG_0001.JPG",
    taken="2020-05-07T12:30:10",
    make="Canon",
    model="EOS 80D",
    group="g1",
    group_name="Beach: Days",
    strength=0.75,
    rating=4,
    width=4000,
    height=3000,
    batches=("Holiday", "Print"),
    percentiles={"composite": 81.25},
)


def rules(*given: SortRule) -> Rules:
    return compiled(given, ROOTS, STATE)


def choices(photo: Subject, *given: SortRule) -> tuple[Choice, ...]:
    return rules(*given).decide(photo, NOW)


def goes(to: str, photo: Subject = BEACH) -> str:
    """The destination below the root, or why there is none."""
    (choice,) = choices(photo, rule(to=to))
    if choice.destination is None:
        return choice.missing
    assert choice.missing == ""
    assert choice.destination.base == b"/photos"
    return os.fsdecode(choice.destination.path)


def problems(*given: SortRule, roots: Sequence[RootSettings] = ROOTS, **more: Any) -> list[tuple[int, str, str]]:
    read = checked(given, roots, STATE, **more)
    return [(one.index, one.key, one.message) for one in read.problems]


# --- templates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("/photos/{taken:%Y/%m}/", "2020/05/IMG_0001.JPG"),
        ("/photos/{taken:%Y/%m}/{name}", "2020/05/IMG_0001.JPG"),
        ("/photos/{taken}/{stem}.{ext}", "2020-05-07/IMG_0001.JPG"),
        ("/photos/a/{stem|lower}.{ext|lower}", "a/img_0001.jpg"),
        ("/photos/a/{taken:%Y%m%d_%H%M%S}", "a/20200507_123010.JPG"),
        ("/photos/a/{taken:100%% %B %d}/", "a/100% May 07/IMG_0001.JPG"),
        ("/photos/a/{stem}.png", "a/IMG_0001.png.JPG"),
        ("/photos/a/{stem}.jpg", "a/IMG_0001.jpg"),
        ("/photos/{group}/", "Beach: Days/IMG_0001.JPG"),
        ("/photos/{group|safe}/", "Beach_ Days/IMG_0001.JPG"),
        ("/photos/{group|slug}/", "beach-days/IMG_0001.JPG"),
        ("/photos/{ group | safe | upper | truncate(5) }/", "BEACH/IMG_0001.JPG"),
        ("/photos/{group|lower|title}/", "Beach: Days/IMG_0001.JPG"),
        ("/photos/{folder}/{camera}/", "from/Canon EOS 80D/IMG_0001.JPG"),
        ("/photos/{batch}/{rating}{rating|pad(3)}/", "Holiday/4004/IMG_0001.JPG"),
        ("/photos/{megapixels}-{quality}-{confidence}/", "12-81.25-0.75/IMG_0001.JPG"),
        ("/photos/{label|default('no label')}/", "no label/IMG_0001.JPG"),
        ('/photos/{label|default("it\'s")}/', "it's/IMG_0001.JPG"),
        ("/photos/{label|default('')}x/", "x/IMG_0001.JPG"),
        ("/photos/{label|upper|default('none')}/", "none/IMG_0001.JPG"),
        ("/photos/{{{rating}}}/", "{4}/IMG_0001.JPG"),
        ("/photos/{size}/", "1000/IMG_0001.JPG"),
    ],
)
def test_what_templates_make_of_a_file(to: str, path: str) -> None:
    assert goes(to) == path


def test_a_file_that_lacks_what_the_template_needs_waits_with_words() -> None:
    bare = subject()
    assert goes("/photos/{label}/", bare) == "it has no label, and {label} has no default"
    assert goes("/photos/{group|safe}/", bare) == "it is in no group, and {group|safe} has no default"
    assert goes("/photos/{taken:%Y}/", subject(taken="soon")) == (
        "it is not known when it was taken, and {taken:%Y} has no default"
    )
    unnamed = subject(group="g1", strength=1.0)
    assert goes("/photos/{group}/", unnamed) == "its group has no name yet, and {group} has no default"
    symbols = subject(group="g1", group_name="!!!")
    assert goes("/photos/{group|slug}/", symbols) == "nothing is left of it, and {group|slug} has no default"
    assert goes("/photos/{group|slug|default('others')}/", symbols) == "others/IMG_1.jpg"


def test_a_name_too_long_waits_with_words() -> None:
    photo = subject(caption="\u00e9" * 130)
    assert "longer than 255 bytes" in goes("/photos/{caption}/", photo)
    assert goes("/photos/{caption|truncate(3)}/", photo) == "\u00e9\u00e9\u00e9/IMG_1.jpg"
    assert "longer than 255 bytes" in goes("/photos/{stem}-{rating|default('0')}", subject(b"x" * 251 + b".jpg"))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a/b", "a_b"),
        ("../../etc", "___.._etc"),
        ("..", "__"),
        (".hidden", "_hidden"),
        ("a\nb\0c\x7f", "a_b_c_"),
        ("e\u0301", "\u00e9"),
        ("line\u2028end", "line_end"),
        ("\ud800x", "?x"),
    ],
)
def test_values_never_lead_elsewhere_nor_hide_a_file(name: str, made: str) -> None:
    assert goes("/photos/{group}/", subject(group="g", group_name=name)) == f"{made}/IMG_1.jpg"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ('a<b>c:d|e?f*g\\h"', "a_b_c_d_e_f_g_h_"),
        ("ends. .", "ends"),
        ("two   spaces", "two spaces"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM1x", "COM1x"),
    ],
)
def test_safe_names_are_taken_everywhere(name: str, made: str) -> None:
    assert goes("/photos/{group|safe}/", subject(group="g", group_name=name)) == f"{made}/IMG_1.jpg"


def test_slugs() -> None:
    for name, made in [
        ("\u00c9t\u00e9 \u00e0 N\u00eemes!", "ete-a-nimes"),
        ("\u041b\u0435\u0442\u043e 1_2", "\u043b\u0435\u0442\u043e-1-2"),
    ]:
        assert goes("/photos/{group|slug}/", subject(group="g", group_name=name)) == f"{made}/IMG_1.jpg"


NAMES = st.binary(min_size=1, max_size=255).filter(
    lambda name: (
        name not in (b".", b"..")
        and not os.fsdecode(name).casefold().startswith(OWN)
        and b"/" not in name
        and b"\0" not in name
    )
)


@given(NAMES)
def test_the_bytes_of_a_name_survive(name: bytes) -> None:
    photo = subject(name)
    for to in ("/photos/a/", "/photos/a/{name}"):
        (choice,) = choices(photo, rule(to=to))
        assert choice.destination == Place(base=b"/photos", path=b"a/" + name)


@given(NAMES, st.sampled_from([b".jpg", b".JPG", b".\xff", b".a b"]))
def test_the_extension_is_kept(name: bytes, extension: bytes) -> None:
    photo = subject(b"x" + name[: 254 - len(extension)] + extension, rating=1)
    for to in ("/photos/a/{rating}-{stem|truncate(20)}", "/photos/a/{rating}{stem|slug}.jpeg", "/photos/{ext|lower}/"):
        (choice,) = choices(photo, rule(to=to))
        if choice.destination is None:
            assert "longer than 255 bytes" in choice.missing
        else:
            assert os.path.splitext(choice.destination.name)[1].lower() == extension.lower()


TEXTS = st.text(min_size=1, max_size=30) | st.sampled_from([".", "..", "/", "a/../b", ".pixsortd-trash", "in", "old"])
PARTS = st.lists(
    st.sampled_from(
        ["{group}", "{caption}", "{name}", "{stem}", "{label|default('')}", "{caption|safe}", "x", "/", "."]
    ),
    max_size=6,
)


@given(NAMES, TEXTS, TEXTS, PARTS)
def test_no_value_leads_out_of_the_fixed_directory(name: bytes, group: str, caption: str, parts: list[str]) -> None:
    photo = subject(name, group="g", group_name=group, caption=caption)
    read = checked([rule(to="/photos/here/" + "".join(parts) + "/")], ROOTS, STATE)
    for choice in read.rules.decide(photo, NOW):
        if choice.destination is None:
            assert choice.missing
            continue
        steps = choice.destination.path.split(b"/")
        assert steps[0] == b"here"
        assert not {b"", b".", b"..", b".pixsortd-trash"} & set(steps)
        assert all(len(step) <= 255 for step in steps)
        assert b"\0" not in choice.destination.path


# --- where files may go ---------------------------------------------------------------------------------------------


def test_values_cannot_lead_into_an_inbox_or_a_root_that_is_only_read() -> None:
    for group, said in [("in", "/photos/in/IMG_1.jpg is in an inbox (/photos/in)"), ("old", "only read (/photos/old)")]:
        assert said in goes("/photos/{group}/", subject(group="g", group_name=group))
    own = goes("/photos/{label}/", subject(label=".pixsortd-trash"))
    assert own == "_pixsortd-trash/IMG_1.jpg"
    assert "pixsortd's own" in goes("/photos/{folder}/", subject(b".pixsortd-trash/a.jpg"))


def test_values_cannot_lead_into_the_state_directory() -> None:
    read = compiled([rule(to="/photos/{group}/")], ROOTS, Path("/photos/state"))
    (choice,) = read.decide(subject(group="g", group_name="state"), NOW)
    assert choice.destination is None
    assert "state directory" in choice.missing


def test_links_in_the_path_of_a_root_are_resolved(tmp_path: Path) -> None:
    real, link = tmp_path / "disk" / "photos", tmp_path / "photos"
    real.mkdir(parents=True)
    link.symlink_to(real)
    (tmp_path / "home").symlink_to(tmp_path)
    (real / "away").symlink_to(tmp_path)
    expected = Place(base=os.fsencode(real), path=b"a/IMG_1.jpg")
    for written in (link, real):
        roots = [RootSettings(path=str(written), writable=True)]
        for named in (link, real, tmp_path / "home" / "photos"):
            (choice,) = compiled([rule(to=f"{named}/a/")], roots, STATE).decide(subject(), NOW)
            assert choice.destination == expected
    roots = [RootSettings(path=str(link), writable=True)]
    (choice,) = compiled([rule(to=f"{link}/away/")], roots, STATE).decide(subject(), NOW)
    assert choice.destination == Place(base=os.fsencode(real), path=b"away/IMG_1.jpg")


def test_home_may_be_written_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/{ann}")
    roots = [RootSettings(path="~/Pictures", writable=True)]
    (choice,) = compiled([rule(to="~/Pictures/{rating}/")], roots, STATE).decide(subject(rating=3), NOW)
    assert choice.destination == Place(base=b"/home/{ann}/Pictures", path=b"3/IMG_1.jpg")


# --- which rule -----------------------------------------------------------------------------------------------------


def test_the_first_rule_that_holds_wins() -> None:
    one, two = rule("one", when={"rating": ">= 5"}), rule("two", to="/photos/two/", when={"rating": ">= 3"})
    three = rule("three", to="/photos/three/")
    assert [choice.rule.name for choice in choices(BEACH, one, two, three)] == ["two"]
    assert [choice.rule.name for choice in choices(subject(), one, two, three)] == ["three"]
    assert choices(subject(), one, two) == ()
    assert rules(one, two).untaken(subject(), NOW) == (
        'no rule takes it: one: it has no rating (asked: ">= 5"); two: it has no rating (asked: ">= 3")'
    )
    assert rules().untaken(subject(), NOW) == "there are no rules"


def test_after_a_rule_that_continues_later_ones_act_too() -> None:
    copy = rule("copy", action=Action.COPY, then="continue")
    link = rule("link", to="/photos/links/", action=Action.SYMLINK, then="continue", when={"rating": "none"})
    last = rule("last", to="/photos/last/")
    never = rule("never", to="/photos/never/", when={"rating": 4})
    read = checked([copy, link, last], ROOTS, STATE)
    assert read.problems == ()
    assert [choice.rule.name for choice in read.rules.decide(BEACH, NOW)] == ["copy", "last"]
    assert [choice.rule.name for choice in read.rules.decide(subject(), NOW)] == ["copy", "link", "last"]
    assert problems(copy, last, never) == [(2, "", 'no file ever reaches it: "last" takes them all and stops')]


def test_what_is_left_has_no_destination_and_needs_none() -> None:
    (choice,) = choices(BEACH, rule(to="", action=Action.LEAVE, when={"group": "beach*"}))
    assert (choice.destination, choice.missing, choice.confidence) == (None, "", 0.75)
    assert choice.why == ('group is Beach: Days (asked: "beach*")',)


def test_a_step_is_as_certain_as_the_least_certain_fact_it_uses() -> None:
    def certainty(photo: Subject, **keys: Any) -> float:
        return choices(photo, rule(**keys))[0].confidence

    assert certainty(BEACH) == 1.0
    assert certainty(BEACH, when={"rating": 4}) == 1.0
    assert certainty(BEACH, when={"group": "any"}) == 0.75
    assert certainty(BEACH, to="/photos/{group}/") == 0.75
    assert certainty(BEACH, when={"confidence": "> 0.5"}) == 0.75
    assert certainty(subject(), when={"group": "none"}) == 1.0
    assert certainty(subject(), to="/photos/{group|default('x')}/") == 1.0
    assert certainty(subject(group="g", group_name="a"), when={"group": "a"}) == 0.0
    assert choices(BEACH, rule())[0].why == ("every photo",)


def test_a_digest_says_what_a_rule_does() -> None:
    plain = rule(when={"rating": 4, "group": "a"})
    same = [
        rule("other", when={"group": "a", "rating": 4}),
        rule(when={"rating": 4, "group": "a"}, auto=True, confidence=0.1),
    ]
    others = [
        rule(),
        rule(when={"rating": 5, "group": "a"}),
        rule(when={"rating": 4, "group": "a"}, to="/photos/x/"),
        rule(when={"rating": 4, "group": "a"}, action=Action.COPY),
        rule(when={"rating": 4, "group": "a"}, conflict=OnConflict.SKIP),
    ]
    assert {digest_of(one) for one in same} == {digest_of(plain)}
    assert digest_of(plain) not in {digest_of(one) for one in others}
    assert len({digest_of(one) for one in others}) == len(others)
    (choice,) = choices(BEACH, rule())
    assert choice.digest == digest_of(rule()) == rules(rule()).digests["one"]
    one, two = rule(when={"rating": 1}), rule("two", when={"rating": 2})
    assert len({rules(one, two).digest, rules(two, one).digest, rules(one).digest, rules().digest}) == 4
    left = rule(to="", action=Action.LEAVE)
    assert digest_of(left) == digest_of(msgspec.structs.replace(left, to="/photos/"))


# --- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("", "expected an absolute path"),
        ("lib/a/", "expected an absolute path"),
        ("{group}/", "expected an absolute path"),
        ("/photos/all", "every file would get the same name"),
        ("/photos/{group}/all.jpg", "every file would get the same name"),
        ("/photos/{nam}", 'there is no field "nam"; did you mean "name"?'),
        ("/photos/{place}/", "is no part of a name"),
        ("/photos/{path}/", "is no part of a name"),
        ("/photos/{rating:%Y}/", "only dates take a format"),
        ("/photos/{taken:%Q}/", 'there is no date format "%Q"'),
        ("/photos/{taken:%}/", 'there is no date format "%"'),
        ("/photos/{taken:/%Y}/", 'the part ""'),
        ("/photos//{name}", 'the part ""'),
        ("/photos/../etc/", 'the part ".."'),
        ("/photos/./", 'the part "."'),
        ("/photos/a\0b/", "a control character"),
        ("/photos/a\ud800b/", "a control character"),
        ("/photos/.pixsortd-trash/", "pixsortd's own"),
        ("/photos/{group", "cannot be read"),
        ("/photos/{}/", "cannot be read"),
        ("/photos/{name}}", "cannot be read"),
        ("/photos/{group|}/", "cannot be read"),
        ("/photos/{group|safe(}/", "cannot be read"),
        ("/photos/{group|saef}/", 'there is no filter "saef"; did you mean "safe"?'),
        ("/photos/{group|safe('x')}/", "takes no argument"),
        ("/photos/{group|truncate}/", "takes a whole number"),
        ("/photos/{group|truncate(0)}/", "takes a whole number"),
        ("/photos/{group|pad('x')}/", "takes a whole number"),
        ("/photos/{group|default}/", "takes the text to write"),
        ("/photos/{group|default('a/b')}/", "cannot be part of a name"),
        ("/photos/{group|default('..')}/", "cannot be part of a name"),
        ("/{group}/", "/ is in no root"),
        ("/elsewhere/", "/elsewhere is in no root"),
        ("/photosets/", "/photosets is in no root"),
        ("/photos/in/", "is in an inbox (/photos/in)"),
        ("/photos/in/deep/{group}/", "is in an inbox (/photos/in)"),
        ("/photos/old/", "only read (/photos/old)"),
    ],
)
def test_templates_that_cannot_be_used(to: str, said: str) -> None:
    ((index, key, message),) = problems(rule(to=to))
    assert (index, key) == (0, "to")
    assert said in message


def test_the_state_directory_is_no_destination() -> None:
    ((_, key, message),) = [
        (one.index, one.key, one.message)
        for one in checked([rule(to="/photos/s/x/")], ROOTS, Path("/photos/s")).problems
    ]
    assert key == "to"
    assert "state directory" in message


def dotted(_: RootSettings, path: bytes) -> Reason | None:
    hidden = any(name.startswith(b".") for name in path.split(b"/"))
    return Reason(code="hidden", message="it is hidden", next_step="Show it.") if hidden else None


def test_a_directory_that_is_not_looked_at_is_no_destination() -> None:
    for to in ("/photos/.old/", "/photos/a/.{rating}/", "/photos/a/.{name}"):
        assert problems(rule(to=to)) == []
        ((_, key, message),) = problems(rule(to=to), kept_out=dotted)
        assert key == "to"
        assert message.endswith("is not looked at, and would leave the library: it is hidden")
    inside = [RootSettings(path="/home/.photos", writable=True)]
    assert problems(rule(to="/home/.photos/a.{rating}/"), roots=inside, kept_out=dotted) == []


def test_only_the_files_that_would_not_be_looked_at_have_no_destination() -> None:
    """Where that depends on the photo, the rule is right and the photo waits."""

    def years(_: RootSettings, path: bytes) -> Reason | None:
        return Reason(code="pattern", message="no such year") if path.startswith(b"20") else None

    assert problems(rule(to="/photos/20{rating}/"), kept_out=years)
    read = checked([rule(to="/photos/{taken:%Y}/")], ROOTS, STATE, kept_out=years)
    assert read.problems == ()
    (old,) = read.rules.decide(subject(taken="1999-05-07T12:30:10"), NOW)
    (new,) = read.rules.decide(subject(taken="2020-05-07T12:30:10"), NOW)
    assert old.destination is not None
    assert (new.destination, new.missing) == (
        None,
        "what is in /photos/2020 is not looked at, and would leave the library: no such year",
    )


WORDS = st.sampled_from(
    [
        "/",
        "~",
        "{",
        "}",
        "{{",
        "|",
        ":",
        "%Y",
        "%",
        "(",
        ")",
        "'",
        "taken",
        "name",
        "group",
        "default",
        "pad",
        "3",
        "..",
        "/photos/",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["any", ">= 3", "!a*"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["niqe", "", "a.b"]), inner, max_size=2)
    ),
    max_leaves=5,
)
ASKED = st.sampled_from([one.name for one in field_words()]) | st.text(max_size=5)


@given(st.lists(WORDS | st.text(max_size=3), max_size=12).map("".join), st.dictionaries(ASKED, VALUES, max_size=3))
def test_whatever_is_written_is_read_or_refused_in_words(to: str, when: dict[str, Any]) -> None:
    for one in (rule(to=to), rule(to="/photos/" + to + "/"), rule(when=when)):
        read = checked([one], ROOTS, STATE, metrics=["niqe"])
        for photo in (BEACH, subject()):
            assert len(read.rules.decide(photo, NOW)) <= 1
            assert read.rules.untaken(photo, NOW)
        assert all(problem.message for problem in read.problems)
        digest_of(one)


def test_everything_that_is_wrong_is_said_at_once_with_its_place() -> None:
    wrong = [
        rule("a", when={"grup": 1, "quality": {"nique": 1}}, to="/x/"),
        rule("a", then="continue"),
        rule("b", action=Action.LEAVE, then="continue", when={"rating": 1}),
    ]
    with pytest.raises(RulesRefused) as caught:
        compiled(wrong, ROOTS, STATE, metrics=["niqe"], where=lambda key: f"file.toml:<{key}>")
    assert [(one.index, one.rule, one.key) for one in caught.value.problems] == [
        (0, "a", "when.grup"),
        (0, "a", "when.quality.nique"),
        (0, "a", "to"),
        (1, "a", "name"),
        (1, "a", "then"),
        (2, "b", "then"),
    ]
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        'file.toml:<sort.rules[0].when.grup>: sort.rules[0].when.grup "a": '
        'there is no field "grup"; did you mean "group"?'
    )
    assert "score.metrics" in lines[1]
    assert lines[2].endswith("Add a [[roots]] table with writable = true that holds it, or choose a directory in one.)")


def test_rules_that_are_right_can_be_used_beside_wrong_ones() -> None:
    read = checked([rule("bad", to="/x/"), rule("good")], ROOTS, STATE)
    assert [choice.rule.name for choice in read.rules.decide(BEACH, NOW)] == ["good"]
    assert [one.rule for one in read.problems] == ["bad"]


@pytest.mark.parametrize(
    ("earlier", "later", "hidden"),
    [
        ({}, {"rating": 3}, True),
        ({"rating": 3}, {}, False),
        ({"rating": 3}, {"rating": 3, "group": "a"}, True),
        ({"rating": 3, "group": "a"}, {"rating": 3}, False),
        ({"rating": ">= 3"}, {"rating": "4..5"}, True),
        ({"rating": ">= 4"}, {"rating": ">= 3"}, False),
        ({"group": "beach*"}, {"group": ["Beach 1", "beach 2"]}, True),
        ({"quality": {"niqe": 1}}, {"quality.niqe": 1}, True),
        ({"group": "a"}, {"camera": "a"}, False),
    ],
)
def test_a_rule_that_no_file_can_reach(earlier: dict[str, Any], later: dict[str, Any], hidden: bool) -> None:
    found = problems(rule("first", when=earlier), rule("second", when=later))
    assert found == ([(1, "", 'no file ever reaches it: "first" takes them all and stops')] if hidden else [])


def test_the_shipped_example_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    file = tmp_path / "pixsortd.toml"
    file.write_text(with_examples(default_file().decode()))
    settings = load(file, {"HOME": "/home/ann"}).settings
    roots = [RootSettings(path="~/Pictures", writable=True)]
    (choice,) = compiled(settings.sort.rules, roots, STATE, metrics=settings.score.metrics).decide(BEACH, NOW)
    assert choice.destination is not None
    assert choice.destination.path == b"Beach_ Days/2020/05/IMG_0001.JPG"


def test_every_example_that_is_told_is_right() -> None:
    from tomllib import loads

    for field in field_words():
        name = field.name.replace("METRIC", "niqe")
        for example in field.examples:
            assert problems(rule(when={name: loads(f"x = {example}")["x"]})) == []
        assert bool(problems(rule(to=f"/photos/{{{name}}}/"))) != field.template
    for one in filter_words():
        assert problems(rule(to=f"/photos/{one.examples[0]}/")) == []


def test_an_upload_inbox_of_its_own_is_no_destination() -> None:
    roots = [RootSettings(path="/a", writable=True), RootSettings(path="/b", role=Role.INBOX)]
    ((_, _, message),) = problems(rule(to="/b/x/"), roots=roots)
    assert "sorted again" in message
    assert problems(rule(to="/a/x/"), roots=roots) == []
