"""The shipped file, the schema, the places, and what can change live."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config import (
    Duration,
    LogSettings,
    RootSettings,
    ScoreSettings,
    Settings,
    SortRule,
    WatchSettings,
    default_file,
    json_schema,
    live_changes,
    load,
    plain,
    root_paths,
    state_directory,
    user_config_file,
    worker_changes,
)
from pixsortd.config.comments import comments, with_examples
from pixsortd.config.kinds import known_keys
from pixsortd.config.lines import key_lines, nearest_line


def test_the_shipped_file_says_exactly_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "pixsortd.toml"
    file.write_bytes(default_file())
    loaded = load(file, {"HOME": "/home/ann"})
    assert loaded.settings == Settings()
    free = {key for key, origin in loaded.origins.items() if origin == "default"}
    assert free == {"roots", "sort.rules"}


def test_the_shipped_file_explains_every_setting() -> None:
    explained = comments()
    missing = set(known_keys()) - set(explained) - {"roots", "sort.rules"}
    assert missing == set()


def test_the_examples_of_the_shipped_file_are_valid(tmp_path: Path) -> None:
    file = tmp_path / "pixsortd.toml"
    file.write_text(with_examples(default_file().decode()))
    settings = load(file, {"HOME": "/home/ann"}).settings
    assert settings.roots == (RootSettings(path="/home/ann/Pictures"),)
    assert settings.spaces["mobilenet"].args == {"pad_type": "same"}
    assert settings.sort.rules == (
        SortRule(name="Beach", when={"group": "Beach*"}, to="~/Pictures/{group|safe}/{taken:%Y/%m}/"),
    )


def test_schema_describes_every_setting_and_its_default() -> None:
    schema = json_schema()
    json.dumps(schema)
    watch = schema["properties"]["watch"]["properties"]["quiet"]
    assert watch["default"] == "2s"
    assert watch["description"] == comments()["watch.quiet"]
    assert schema["properties"]["roots"]["items"]["required"] == ["path"]
    assert schema["properties"]["log"]["properties"]["level"]["enum"] == ["debug", "error", "info", "warning"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["spaces"]["additionalProperties"]["properties"]["model"]["type"] == "string"
    assert "path" not in json.dumps(schema["properties"]["state_dir"])


def test_plain_is_what_the_file_holds(tmp_path: Path) -> None:
    shipped = tomllib.loads(default_file().decode())
    ours = plain(Settings())
    assert ours.pop("roots") == []
    assert ours.pop("spaces") == {}
    assert set(ours) == set(shipped)
    assert ours["watch"]["forget"] == "90d"
    assert ours["index"]["map_size"] == "64GB"


def test_lines_of_every_kind_of_statement() -> None:
    text = "\n".join(
        [
            "# comment",
            'a = """x',
            "[not.a.table]",
            '"""',
            "b.c = 1",
            "",
            "[d.e] # with a comment",
            "list = [",
            "  1,",
            "  # [f]",
            "]",
            "[[roots]]",
            "path = 'x'",
            "[[roots]]",
            "in = { deep = { er = 1 } }",
            "[roots.sub]",
            '"quoted key" = 1',
        ]
    )
    tomllib.loads(text)
    lines = key_lines(text)
    assert lines[("a",)] == 2
    assert lines[("b", "c")] == 5
    assert lines[("d", "e")] == 7
    assert lines[("d", "e", "list")] == 8
    assert ("f",) not in lines
    assert lines[("roots", 0)] == 12
    assert lines[("roots", 0, "path")] == 13
    assert lines[("roots", 1)] == 14
    assert lines[("roots", 1, "in", "deep", "er")] == 15
    assert lines[("roots", 1, "sub", "quoted key")] == 17
    assert nearest_line(lines, ("roots", 1, "in", "deep", "gone")) == 15
    assert nearest_line(lines, ("nowhere",)) is None


VALUES = st.integers() | st.text("ab#[]=\"'\n\\", max_size=9) | st.lists(st.booleans())


@given(st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=5))
def test_every_key_of_a_file_is_found_on_its_line(table: dict[str, object]) -> None:
    source = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
    lines = key_lines(source)
    assert {key: lines[(key,)] for key in table} == {key: n for n, key in enumerate(table, start=1)}


def test_state_directory() -> None:
    home = {"HOME": "/home/ann"}
    assert state_directory(Settings(), home) == Path("/home/ann/.local/state/pixsortd")
    assert state_directory(Settings(), home | {"XDG_STATE_HOME": "/x"}) == Path("/x/pixsortd")
    assert state_directory(Settings(), home | {"XDG_STATE_HOME": "relative"}) == Path("/home/ann/.local/state/pixsortd")
    assert state_directory(Settings(), home | {"STATE_DIRECTORY": "/var/lib/pixsortd:/b"}) == Path("/var/lib/pixsortd")
    assert state_directory(Settings(state_dir="~/s"), home | {"STATE_DIRECTORY": "/y"}) == Path("/home/ann/s")


def test_root_paths_and_the_users_file() -> None:
    settings = Settings(roots=(RootSettings(path="~/a/../b"), RootSettings(path="/c/")))
    assert root_paths(settings, {"HOME": "/h"}) == (Path("/h/b"), Path("/c"))
    assert user_config_file({"HOME": "/h"}) == Path("/h/.config/pixsortd/pixsortd.toml")


@pytest.mark.parametrize(
    ("new", "live", "restart", "worker"),
    [
        (Settings(), set(), set(), set()),
        (Settings(log=LogSettings(level="debug")), {"log.level"}, set(), set()),
        (Settings(log=LogSettings(format="json")), set(), {"log.format"}, set()),
        (Settings(watch=WatchSettings(quiet=Duration(9), hidden=True)), {"watch.quiet"}, {"watch.hidden"}, set()),
        (Settings(score=ScoreSettings(metrics=())), {"score.metrics"}, set(), {"score.metrics"}),
        (Settings(roots=(RootSettings(path="/a"),), state_dir="/s"), set(), {"roots", "state_dir"}, set()),
    ],
)
def test_what_changes_live(new: Settings, live: set[str], restart: set[str], worker: set[str]) -> None:
    assert live_changes(Settings(), new) == (live, restart)
    assert worker_changes(live | restart) == worker
