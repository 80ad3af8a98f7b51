"""Layers, origins and refusals of the configuration."""

from pathlib import Path

import msgspec
import pytest

from pixsortd.config import Duration, RootSettings, Settings, Size, applied, live_changes, load
from pixsortd.errors import ConfigError
from pixsortd.records import Role

HOME = {"HOME": "/home/ann"}


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pixsortd.toml"
    file.write_text(text)
    return file


def refusal(file: Path | None, environ: dict[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file, HOME | (environ or {}), {key.replace("__", "."): value for key, value in overrides.items()})
    return str(caught.value)


def test_nothing_given_means_defaults(tmp_path: Path) -> None:
    loaded = load(environ={"HOME": str(tmp_path)})
    assert loaded.settings == Settings()
    assert loaded.file is None
    assert set(loaded.origins.values()) == {"default"}


def test_each_layer_wins_over_the_one_below_and_says_so(tmp_path: Path) -> None:
    file = written(tmp_path, '[watch]\nquiet = "3s"\ngrace = "1m"\nrescan = 7\n')
    environ = HOME | {"PIXSORTD_WATCH__GRACE": "2m", "PIXSORTD_WATCH__RESCAN": "8"}
    loaded = load(file, environ, {"watch.rescan": "9"})
    watch = loaded.settings.watch
    assert (watch.quiet, watch.grace, watch.rescan, watch.ceiling) == (3, 120, 9, 60)
    assert loaded.origins["watch.quiet"] == f"{file}:2"
    assert loaded.origins["watch.grace"] == "environment PIXSORTD_WATCH__GRACE"
    assert loaded.origins["watch.rescan"] == "command line"
    assert loaded.origins["watch.ceiling"] == "default"


def test_reading_again_keeps_what_the_command_line_said(tmp_path: Path) -> None:
    file = written(tmp_path, '[watch]\nquiet = "3s"\n')
    first = load(file, HOME, {"api.port": "9000"})
    written(tmp_path, '[watch]\nquiet = "4s"\n[api]\nport = 1\n')
    second = first.again(HOME)
    assert (second.settings.watch.quiet, second.settings.api.port) == (4, 9000)
    written(tmp_path, "[wach]\n")
    with pytest.raises(ConfigError):
        second.again(HOME)


def test_durations_and_sizes_are_numbers(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, '[worker]\nidle = "1h 30m"\nbatch_bytes = "2MiB"\n'), HOME)
    assert loaded.settings.worker.idle == 5400.0
    assert isinstance(loaded.settings.worker.idle, float)
    assert loaded.settings.worker.batch_bytes == 2 * 1024**2
    assert isinstance(loaded.settings.worker.batch_bytes, int)


def test_environment_values_are_toml_unless_texts() -> None:
    environ = HOME | {
        "PIXSORTD_STATE_DIR": "123",
        "PIXSORTD_API__PORT": "9000",
        "PIXSORTD_WATCH__HIDDEN": "true",
        "PIXSORTD_EMBED__ALSO": '["dinov2", "builtin"]',
        "PIXSORTD_LOG__LEVEL": "debug",
        "PIXSORTD_SCORE__WEIGHTS": '{ niqe = "~/n.mat" }',
        "PIXSORTD_SPACES__MINE__MODEL": "timm:x",
        "PIXSORTD_ROOTS": '[{ path = "~/Pictures", role = "inbox" }]',
        "PIXSORTD_TEST_ANYTHING": "ignored",
        "PIXSORTD_SOMETHING_ELSE": "not a setting of ours",
    }
    settings = load(environ=environ).settings
    assert settings.state_dir.endswith("/123")
    assert settings.api.port == 9000
    assert settings.watch.hidden is True
    assert settings.embed.also == ("dinov2", "builtin")
    assert settings.log.level == "debug"
    assert settings.score.weights == {"niqe": "/home/ann/n.mat"}
    assert settings.spaces["mine"].model == "timm:x"
    assert settings.roots == (RootSettings(path="/home/ann/Pictures", role=Role.INBOX),)


def test_paths_in_a_file_are_seen_from_its_directory(tmp_path: Path) -> None:
    text = (
        'state_dir = "state"\n[[roots]]\npath = "../Photos/"\n[spaces.m]\nmodel = "timm:m"\nweights = "m.safetensors"\n'
    )
    settings = load(written(tmp_path, text), HOME).settings
    assert settings.state_dir == str(tmp_path / "state")
    assert settings.roots[0].path == str(tmp_path.parent / "Photos")
    assert settings.spaces["m"].weights == str(tmp_path / "m.safetensors")
    assert settings.api.token_file == ""


def test_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd, user = tmp_path / "etc", tmp_path / "xdg" / "pixsortd"
    for directory, port in ((systemd, 1), (user, 2)):
        directory.mkdir(parents=True)
        (directory / "pixsortd.toml").write_text(f"[api]\nport = {port}\n")
    environ = HOME | {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "CONFIGURATION_DIRECTORY": f"{tmp_path}/no:{systemd}"}
    assert load(environ=environ).settings.api.port == 1
    del environ["CONFIGURATION_DIRECTORY"]
    assert load(environ=environ).file == user / "pixsortd.toml"
    assert load(systemd / "pixsortd.toml", environ).settings.api.port == 1


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ('[watch]\n\nqiet = "2s"\n', 3, 'unknown setting watch.qiet; did you mean "watch.quiet"?'),
        ('quiet = "2s"\n', 1, 'unknown setting quiet; did you mean "watch.quiet"?'),
        ("[index]\n[watsh]\nx = 1\n", 2, 'unknown setting watsh; did you mean "watch"?'),
        ('[[roots]]\npath = "a"\n[[roots]]\npath = "b"\nrol = "inbox"\n', 5, "unknown setting roots[1].rol"),
        ("[watch]\nbrake_files = 0\n", 2, "watch.brake_files: expected a whole number, at least 1, found 0"),
        ("[watch]\nbrake_share = 1.5\n", 2, "expected a number, above 0 and at most 1, found 1.5"),
        ("[watch]\nhidden = 1\n", 2, "watch.hidden: expected true or false, found 1"),
        ('[watch]\nquiet = "2 parsecs"\n', 2, 'watch.quiet: expected a duration such as "2s"'),
        ("[watch]\nquiet = -1\n", 2, "watch.quiet: expected a duration"),
        ("[watch]\nquiet = nan\n", 2, "watch.quiet: expected a duration"),
        ('[index]\nmap_size = "much"\n', 2, 'index.map_size: expected a size such as "96MB"'),
        ('[log]\nlevel = "warn"\n', 2, 'log.level: expected one of "debug", "error", "info", "warning", found "warn"'),
        ('[[roots]]\npath = "a"\nrole = "attic"\n', 3, 'expected one of "library", "inbox", found "attic"'),
        ("[[roots]]\nexclude = []\n", 1, "roots[0].path is missing"),
        ('[[roots]]\npath = ""\n', 2, "roots[0].path: expected text in quotes, not empty"),
        ('roots = ["~/Pictures"]\n', 1, "roots: expected [[roots]] tables"),
        ("[spaces.mine]\nrevision = 'x'\n", 1, "spaces.mine.model is missing"),
        ("[score]\nmetrics = [\n  'a',\n  3,\n]\n", 2, "score.metrics: expected a list of texts"),
        ("watch = 3\n", 1, "watch: expected a table [watch], found 3"),
        ("spaces.mine = 3\n", 1, "spaces.mine: expected a table [spaces.mine], found 3"),
        ('[watch]\nquiet = "2m"\nceiling = "1m"\n', 3, "watch.ceiling: expected at least watch.quiet"),
        ('[cluster]\nevery = "0s"\n', 2, "cluster.every: expected more than zero"),
        ('[index]\nmap_size = "1MB"\n', 2, "index.map_size: expected at least 16MB"),
        ("[score]\nlong_side = 50\n", 2, "score.long_side: expected 0 or at least 96"),
        ('[worker]\nmemory = "lots"\n', 2, "worker.memory: expected a size"),
        ('[[roots]]\npath = "~/a"\n[[roots]]\npath = "/home/ann/./a/"\n', 1, "is already roots[0]"),
        ('[upload]\ninbox = "~/a"\n[[roots]]\npath = "~/a"\n', 2, 'is not the path of a root with role = "inbox"'),
        ("[upload]\nmax_bytes = 0\n", 2, "upload.max_bytes: expected more than zero"),
        ("[watch]\nquiet = \n", 2, "not valid TOML"),
        ("[watch]\nquiet = 1\nquiet = 2\n", 3, "not valid TOML"),
    ],
)
def test_refused_with_line_and_expectation(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    file = written(tmp_path, text)
    said = refusal(file)
    assert sentence in said
    assert f"{file}:{line}: " in said


def test_uploads_may_name_any_inbox(tmp_path: Path) -> None:
    text = (
        '[upload]\ninbox = "in"\n[[roots]]\npath = "other"\nrole = "inbox"\n[[roots]]\npath = "./in/"\nrole = "inbox"\n'
    )
    assert load(written(tmp_path, text), HOME).settings.upload.inbox == str(tmp_path / "in")


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "[api]\nport = 70000\nhots = 1\n")
    said = refusal(file, {"PIXSORTD_LOG__LEVEL": "loud"}, watch__quiet="x")
    assert sorted(line.split(": ")[0] for line in said.splitlines()) == [
        f"{file}:2",
        f"{file}:3",
        "command line",
        "environment PIXSORTD_LOG__LEVEL",
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("PIXSORTD_API__PROT", 'unknown setting api.prot; did you mean "api.port"?'),
        ("PIXSORTD_STATEDIR", 'unknown setting statedir; did you mean "state_dir"?'),
        ("PIXSORTD_WATCH", "watch is a table; set PIXSORTD_WATCH__KEY"),
        ("PIXSORTD_WATCH__QUIET__MORE", "unknown setting watch.quiet.more"),
    ],
)
def test_environment_names_are_checked(name: str, sentence: str) -> None:
    said = refusal(None, {name: "1"})
    assert name in said
    assert sentence in said


def test_command_line_names_are_checked() -> None:
    assert 'did you mean "watch.quiet"' in refusal(None, watch__qiet="1s")
    assert "watch is a table" in refusal(None, watch="1s")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "absent.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"# fine\nstate_dir = '\xff'\n")
    assert f"{binary}:2: not UTF-8" in refusal(binary)
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbf[api]\nport = 1\n")
    assert load(marked, HOME).settings.api.port == 1


def test_a_root_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    settings = load(written(tmp_path, '[[roots]]\npath = "/no/such/place"\n'), HOME).settings
    assert settings.roots[0].path == "/no/such/place"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2),
        ("250ms", 0.25),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("90d", 7776000),
        ("1w", 604800),
        (5, 5),
        (0.5, 0.5),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    duration = Duration.parse(text)
    assert duration == seconds
    assert Duration.parse(duration.text) == seconds


@pytest.mark.parametrize("text", ["", "2", "s", "2s 3", "-2s", -1, True, None, float("inf"), "two seconds"])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "size"), [("96MB", 96 * 10**6), ("1GB", 10**9), ("1.5 GB", 1500000000), ("1KiB", 1024), ("7", 7), (7, 7)]
)
def test_sizes(text: object, size: int) -> None:
    parsed = Size.parse(text)
    assert parsed == size
    assert Size.parse(parsed.text) == size


@pytest.mark.parametrize("text", ["", "MB", "1PB", "-1MB", -1, True, 1.5, None])
def test_no_sizes(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        Size.parse(text)


def test_only_live_keys_are_applied_while_running():
    old = Settings()
    new = msgspec.structs.replace(
        old,
        watch=msgspec.structs.replace(old.watch, quiet=Duration(9), hidden=True),
        api=msgspec.structs.replace(old.api, port=1),
    )
    live, restart = live_changes(old, new)
    assert (live, restart) == ({"watch.quiet"}, {"watch.hidden", "api.port"})
    now = applied(old, new, live)
    assert (now.watch.quiet, now.watch.hidden, now.api.port) == (9, False, old.api.port)


def test_what_stands_in_lists_of_tables_has_its_place_too(tmp_path: Path) -> None:
    text = """
[[roots]]
path = "/a"
[[sort.rules]]
name = "one"
[[sort.rules]]
name = "two"
[sort.rules.when]
rating = 5
quality.niqe = "> 80"
"""
    file = written(tmp_path, text)
    loaded = load(file, HOME | {"PIXSORTD_SORT__DELAY": "5s"})
    assert loaded.where("roots[0].path") == f"{file}:3"
    assert loaded.where("sort.rules[0].to") == f"{file}:4"
    assert loaded.where("sort.rules[1].name") == f"{file}:7"
    assert loaded.where("sort.rules[1].when.rating") == f"{file}:9"
    assert loaded.where("sort.rules[1].when.quality.niqe") == f"{file}:10"
    assert loaded.where("sort.delay") == "environment PIXSORTD_SORT__DELAY"
    assert loaded.where("watch.quiet") == loaded.where("nowhere.at.all") == "default"
    rules = {"PIXSORTD_SORT__RULES": "[{name = 'x'}]"}
    assert load(file, HOME | rules).where("sort.rules[0].name") == "environment PIXSORTD_SORT__RULES"


def test_a_key_that_a_rule_does_not_have_is_refused_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, '[[sort.rules]]\nname = "one"\nact = "copy"\n[[sort.rules]]\naction = "mov"\n')
    said = refusal(file)
    assert f'{file}:3: unknown setting sort.rules[0].act; did you mean "sort.rules[0].action"?' in said
    assert f"{file}:4: sort.rules[1].name is missing" in said
    assert f"{file}:5: sort.rules[1].action: expected one of" in said
