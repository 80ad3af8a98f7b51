"""Rules are written into a file whose comments, order and other settings stay as they are."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config.rewrite import tables_text, with_tables

KEY = ("sort", "rules")
DEFAULTS = {"when": {}, "to": "", "auto": False, "confidence": 0.8}
FILE = """# My photos.
[sort]
delay = "2s" # they come in pairs

# How I sort.

# Journeys first.
[[sort.rules]]
name = "journeys"      # all of them
to = "/x/{taken:%Y}/"  # by year, see #3
when = { camera = "Nikon*" }
auto = false

# The rest of the world.
[[sort.rules]]
name = "rest"
to = '/y/'
# whatever it is
[sort.rules.when]
format = "PNG"
width = ">= 3"

# --- trash ---

# It is large.
[trash]
keep = "30d"
"""
JOURNEYS = {"name": "journeys", "to": "/x/{taken:%Y}/", "when": {"camera": "Nikon*"}}
REST = {"name": "rest", "to": "/y/", "when": {"format": "PNG", "width": ">= 3"}}


def rules_in(text: str) -> list[dict[str, Any]]:
    return [{**DEFAULTS, **one} for one in tomllib.loads(text).get("sort", {}).get("rules", [])]


def written(text: str, *rules: Mapping[str, Any]) -> str:
    changed = with_tables(text, KEY, rules, DEFAULTS)
    assert rules_in(changed) == [{**DEFAULTS, **one} for one in rules]
    return changed


def test_rules_as_they_are_leave_the_file_as_it_is() -> None:
    assert written(FILE, {**JOURNEYS, "confidence": 0.8}, REST) == FILE


def test_a_changed_value_changes_its_line_alone_and_keeps_the_remark_on_it() -> None:
    changed = written(FILE, {**JOURNEYS, "to": "/z/"}, REST)
    assert changed == FILE.replace('to = "/x/{taken:%Y}/"  # by year', 'to = "/z/"  # by year')


def test_a_value_that_was_written_stays_written_when_it_becomes_the_default_again() -> None:
    once = written(FILE, {**JOURNEYS, "auto": True}, REST)
    assert once == FILE.replace("auto = false", "auto = true")
    assert written(once, JOURNEYS, REST) == FILE


def test_a_new_value_is_added_to_its_table_and_not_to_the_one_below() -> None:
    changed = written(FILE, JOURNEYS, {**REST, "confidence": 0.5})
    assert changed == FILE.replace("to = '/y/'\n", "to = '/y/'\nconfidence = 0.5\n")


def test_conditions_in_a_table_of_their_own_become_one_line_when_they_change() -> None:
    changed = written(FILE, JOURNEYS, {**REST, "when": {"format": "JPEG"}})
    old = '# whatever it is\n[sort.rules.when]\nformat = "PNG"\nwidth = ">= 3"\n'
    assert changed == FILE.replace(old, 'when = { format = "JPEG" }\n# whatever it is\n')


def test_comments_go_with_the_rule_below_them() -> None:
    gone = written(FILE, REST)
    assert "Journeys first" not in gone
    assert "How I sort" in gone
    assert "The rest of the world" in gone
    swapped = written(FILE, REST, JOURNEYS)
    order = [swapped.index(words) for words in ("How I", "The rest", "'/y/'", "Journeys first", "by year", "--- trash")]
    assert order == sorted(order)
    assert written(swapped, JOURNEYS, REST) == FILE


def test_taking_out_every_rule_leaves_the_rest() -> None:
    gone = written(FILE)
    assert "How I sort" in gone
    assert "--- trash ---" in gone
    assert "The rest" not in gone


def test_a_renamed_rule_keeps_its_words() -> None:
    assert written(FILE, {**JOURNEYS, "name": "trips"}, REST) == FILE.replace('"journeys" ', '"trips" ')


def test_a_new_rule_is_put_where_it_belongs() -> None:
    changed = written(FILE, JOURNEYS, {"name": "new", "to": "/n/"}, REST)
    assert '\n\n[[sort.rules]]\nname = "new"\nto = "/n/"\n\n# The rest' in changed


@pytest.mark.parametrize("text", ["", "[trash]\nkeep = 1", "[sort]\nrules = [] # none yet\ndelay = 1\n", "# nothing\n"])
def test_first_rules_come_at_the_end(text: str) -> None:
    assert written(text, JOURNEYS, REST).endswith(tables_text(KEY, [JOURNEYS, REST], DEFAULTS))


def test_line_endings_of_another_system_are_kept() -> None:
    changed = written(FILE.replace("\n", "\r\n"), {**JOURNEYS, "confidence": 1.0}, {"name": "new"}, REST)
    assert "\n" not in changed.replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    ['sort.rules = [{ name = "a" }]\n', '[sort]\nrules = [\n  { name = "a" }, # words\n]\n', "sort = { rules = [] }"],
)
def test_rules_that_are_written_in_another_way_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\[\[sort.rules\]\] is (not )?written"):
        with_tables(text, KEY, [JOURNEYS], DEFAULTS)
    assert with_tables(text, KEY, rules_in(text), DEFAULTS) == text


@pytest.mark.parametrize("value", ['[{ name = "a" }, { name = "b", to = "#" }] # words', '[\n  { name = "a" },\n]'])
def test_rules_in_one_value_become_tables(value: str) -> None:
    changed = written(f'[sort]\nrules = {value}\ndelay = "2s" # slow\n', JOURNEYS)
    assert changed == '[sort]\ndelay = "2s" # slow\n\n' + tables_text(KEY, [JOURNEYS], DEFAULTS)


def test_rules_apart_from_one_another_come_together_and_what_was_between_them_stays() -> None:
    text = '[[sort.rules]]\nname = "a"\n# of the log\n[log]\nlevel = "info"\n[[sort.rules]]\nname = "b"\n'
    assert written(text, {"name": "b"}, {"name": "a"}).index("# of the log\n[log]") > 0


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
values = st.one_of(words, st.booleans(), st.integers(-5, 5), st.lists(words, max_size=3))
rules = st.builds(
    lambda when, to, auto: {"when": when, "to": to, "auto": auto},
    st.dictionaries(words.filter(bool), values, max_size=3),
    words,
    st.booleans(),
)
remarks = st.sampled_from(["", "# one\n", "\n# two\n\n", "\n\n", "# three\n# four\n"])


@given(st.lists(st.tuples(remarks, rules), max_size=4), st.lists(rules, max_size=4), st.permutations(range(4)), remarks)
def test_any_rules_replace_any_others(
    old: list[tuple[str, dict[str, Any]]], new: list[dict[str, Any]], order: Sequence[int], tail: str
) -> None:
    former = [{"name": f"r{number}", **rule} for number, (_, rule) in enumerate(old)]
    texts = (remark + tables_text(KEY, [rule], DEFAULTS) for (remark, _), rule in zip(old, former, strict=True))
    text = '[watch]\nquiet = "2s"\n' + "".join(texts) + tail + '[log]\nlevel = "info"\n'
    wanted = [{"name": f"r{number}", **rule} for number, rule in zip(order, new, strict=False)]
    changed = written(text, *wanted)
    assert written(changed, *wanted) == changed
    kept = [one for one in former if one["name"] in {rule["name"] for rule in wanted}]
    back = written(text, *kept)
    for rule in kept:
        assert tables_text(KEY, [rule], DEFAULTS) in back
