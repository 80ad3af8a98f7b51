"""Settings one by one: values in TOML's notation, origins, what a reload takes over, nothing secret."""

from pathlib import Path

from pixsortd.config import Loaded, applied, load, stated, toml_text
from pixsortd.config.live import is_live
from pixsortd.daemon.reports.settings import HIDDEN, settings_report

SPACE = """
[cluster]
every = "12h"
[spaces."timm.small"]
model = "timm:small"
args = { pad_type = "same", hub_token = "hush" }
"""


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    file = tmp_path / "pixsortd.toml"
    file.write_text(text)
    return load(file, environ or {})


def test_every_setting_is_told_with_its_origin_and_what_it_does(tmp_path):
    found = {one.key: one for one in stated(loaded(tmp_path, SPACE, {"PIXSORTD_API__PORT": "9000"}))}
    assert (found["cluster.every"].value, found["cluster.every"].origin) == ("12h", f"{tmp_path}/pixsortd.toml:3")
    assert (found["api.port"].value, found["api.port"].origin) == (9000, "environment PIXSORTD_API__PORT")
    assert (found["api.host"].value, found["api.host"].origin) == ("127.0.0.1", "default")
    assert found["spaces.timm.small.model"].value == "timm:small"
    assert all(one.about for one in found.values() if one.key.startswith(("watch.", "spaces.")))


def test_what_a_reload_takes_over_is_marked():
    assert is_live("cluster.every")
    assert is_live("spaces.any.model")
    assert not is_live("api.port")


def test_a_change_that_waits_for_a_restart_is_told(tmp_path):
    before = loaded(tmp_path, '[api]\nport = 1\n[log]\nlevel = "info"\n')
    after = loaded(tmp_path, '[api]\nport = 2\n[log]\nlevel = "debug"\n')
    running = applied(before.settings, after.settings, {"log.level"})
    entries = {one.key: one for one in settings_report(after, running).items}
    assert (entries["api.port"].value, entries["api.port"].waits) == ("1", True)
    assert (entries["log.level"].value, entries["log.level"].waits) == ('"debug"', False)


def test_secrets_in_free_tables_are_not_told(tmp_path):
    read = loaded(tmp_path, SPACE)
    report = settings_report(read, read.settings)
    args = next(one.value for one in report.items if one.key == "spaces.timm.small.args")
    assert "hush" not in args
    assert HIDDEN in args
    assert 'pad_type = "same"' in args


def test_toml_text():
    assert toml_text({"a": [1, "x", True], "b c": {}}) == '{ a = [1, "x", true], "b c" = {} }'
