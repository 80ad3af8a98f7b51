"""The rules in force: refused before anything starts, and those before kept where new ones are wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pixsortd.cli import main
from pixsortd.config import Loaded, RootSettings, SortRule, load
from pixsortd.daemon.places import merged_roots
from pixsortd.daemon.sorting.inforce import RulesInForce, require_right_rules
from pixsortd.errors import ConfigError
from tests.unit.sorting_material import rule

WRITABLE = '[[roots]]\npath = "{0}/lib"\nwritable = true\n'
OTHER = '[[roots]]\npath = "{0}/other"\nwritable = true\n'
RULE = '[[sort.rules]]\nname = "one"\nto = "{0}/lib/{{taken:%Y}}/"\n'
WRONG = RULE + 'when = {{ grup = "a" }}\n'


def read(tmp_path: Path, *parts: str) -> Loaded:
    file = tmp_path / "pixsortd.toml"
    file.write_text("".join(parts).format(tmp_path))
    return load(file, {"HOME": str(tmp_path)})


def names(rules: RulesInForce) -> list[str]:
    return list(rules.rules.digests)


def test_wrong_rules_stay_out_and_those_before_stay_in_force(tmp_path: Path) -> None:
    rules = RulesInForce(read(tmp_path, WRITABLE, RULE), (), tmp_path / "state")
    assert names(rules) == ["one"]
    with pytest.raises(ConfigError) as caught:
        rules.take(read(tmp_path, WRITABLE, WRONG))
    assert str(caught.value).startswith(f"{tmp_path}/pixsortd.toml:7: sort.rules[0].when.grup")
    assert names(rules) == ["one"]
    rules.take(read(tmp_path, WRITABLE, RULE.replace("one", "two")))
    assert names(rules) == ["two"]
    with pytest.raises(ConfigError):
        RulesInForce(read(tmp_path, WRITABLE, WRONG), (), tmp_path / "state")


def test_rules_for_other_roots_wait_for_a_restart(tmp_path: Path) -> None:
    rules = RulesInForce(read(tmp_path, WRITABLE, RULE), (), tmp_path / "state")
    elsewhere = RULE.replace("lib", "other")
    with pytest.raises(ConfigError) as caught:
        rules.take(read(tmp_path, WRITABLE, OTHER, elsewhere))
    assert caught.value.next_step.startswith("Restart")
    with pytest.raises(ConfigError) as caught:
        rules.take(read(tmp_path, OTHER, RULE))
    assert "is in no root" in str(caught.value)
    assert not caught.value.next_step.startswith("Restart")
    rules.take(read(tmp_path, WRITABLE, OTHER, RULE.replace("one", "two")))
    assert names(rules) == ["two"]


def test_roots_of_the_command_line_are_only_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        RulesInForce(read(tmp_path, RULE), [tmp_path / "lib"], tmp_path / "state")
    assert "only read" in str(caught.value)


def test_rules_are_tried_with_the_metrics_that_are_kept(tmp_path: Path) -> None:
    rules = RulesInForce(read(tmp_path, WRITABLE, '[score]\nmetrics = ["piqe"]\n'), (), tmp_path / "state")
    asking = [SortRule(name=name, to=f"{tmp_path}/lib/", when={f"quality.{name}": "> 5"}) for name in ("piqe", "niqe")]
    assert [one.rule for one in rules.checked(asking).problems] == ["niqe"]
    assert [one.key for one in rules.checked([rule(to="/x/")]).problems] == ["to"]


def test_config_check_names_the_line_of_each_mistake(tmp_path: Path) -> None:
    loaded = read(tmp_path, WRITABLE, RULE, 'when.rating = ">> 3"\n[[sort.rules]]\nname = "two"\nto = "/x/"\n')
    with pytest.raises(ConfigError):
        require_right_rules(loaded)
    told = CliRunner().invoke(main, ["config", "check", "--config", str(loaded.file)])
    assert told.exit_code == 2
    assert f"{loaded.file}:7: sort.rules[0].when.rating" in told.stderr
    assert f"{loaded.file}:10: sort.rules[1].to" in told.stderr
    right = read(tmp_path, WRITABLE, RULE)
    assert "correct" in CliRunner().invoke(main, ["config", "check", "--config", str(right.file)]).stderr


def test_a_root_given_twice_counts_once(tmp_path: Path) -> None:
    configured = RootSettings(path=str(tmp_path), writable=True)
    assert merged_roots([configured], [tmp_path, tmp_path / "x"]) == (
        configured,
        RootSettings(path=str(tmp_path / "x")),
    )
    with pytest.raises(ConfigError):
        merged_roots([], [Path("/")])


@pytest.mark.parametrize(
    ("root", "watch", "to", "said"),
    [
        ('exclude = ["cache"]', "", "cache/", 'the pattern "cache" keeps it out (Choose another destination.'),
        ('exclude = ["/cache/**"]', "", "cache/{taken:%Y}/", 'the pattern "/cache/**" keeps it out'),
        ("", 'exclude = ["raw_*"]', "a/raw_{name}", 'the pattern "raw_*" keeps it out'),
        ("", "", "@eaDir/", "a directory that a system or NAS keeps for itself"),
        ("", "", ".old/", "the name starts with a dot"),
        ('exclude = ["2024", "x", "*.jpg"]', "", "{taken:%Y}/{folder}/", ""),
        ('exclude = ["cache"]', "hidden = true", ".old/", ""),
    ],
)
def test_a_destination_that_would_not_be_looked_at_is_refused(
    tmp_path: Path, root: str, watch: str, to: str, said: str
) -> None:
    rule = RULE.replace("{{taken:%Y}}/", to.replace("{", "{{").replace("}", "}}"))
    loaded = read(tmp_path, WRITABLE, root + "\n", f"[watch]\n{watch}\n", rule)
    if not said:
        require_right_rules(loaded)
        return
    with pytest.raises(ConfigError) as caught:
        require_right_rules(loaded)
    assert said in str(caught.value)
    assert "sort.rules[0].to" in str(caught.value)
