"""Commands that need no daemon: help, config, init, run's own part, the bar."""

import io
import json
import re
import subprocess
import sys
import threading
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from pixsortd import errors
from pixsortd.cli import init, main, out, stages
from pixsortd.cli import run as run_module
from pixsortd.cli.exits import exit_codes
from pixsortd.cli.progress import FirstScanBar, first_scan
from pixsortd.config import Settings, default_file, load
from pixsortd.daemon.doctor import checks
from pixsortd.daemon.doctor.finding import Finding, Level
from pixsortd.records import Role


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def commands(command: click.Command, path: str = "pixsortd") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(main)))
def test_everything_has_help(path: str, command: click.Command) -> None:
    assert command.help, path
    assert command.help.split("\n")[0].strip().endswith((".", ":")), path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.name}"
    result = CliRunner().invoke(main, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_every_reading_command_takes_json() -> None:
    asks = {"status", "search", "why", "doctor", "list", "show"}
    for path, command in commands(main):
        if path.split()[-1] in asks:
            assert any("--json" in parameter.opts for parameter in command.params), path


def test_help_loads_nothing_heavy() -> None:
    heavy = ["torch", "numpy", "litestar", "httpx", "rich", "PIL", "lmdb", "faiss", "uvicorn", "pixsortd.config"]
    script = (
        "import sys\nfrom pixsortd.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(*[name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert child.stderr.strip() == ""
    assert "Exit status" in child.stdout


def test_exit_statuses_come_from_the_error_tree() -> None:
    codes = exit_codes()
    assert list(codes) == sorted(codes)
    assert "daemon not reachable" in codes[errors.DaemonUnreachable.exit_code]
    assert "index damaged" in codes[7]
    text = CliRunner().invoke(main, ["--help"]).stdout
    for code, meaning in codes.items():
        assert re.search(rf"^  {code} +{meaning.split()[0]}", text, re.MULTILINE)


def test_config_show(home: Path) -> None:
    file = home / "c.toml"
    file.write_text('[api]\nport = 9\n[spaces."a.b"]\nmodel = "timm:x"\nargs = { x = 1 }\n')
    words = ["config", "show", "--origin", "--config", str(file)]
    text = CliRunner().invoke(main, words).stdout
    assert f"# {file}:2" in next(line for line in text.splitlines() if line.startswith("api.port = 9 "))
    assert 'watch.quiet = "2s"' in text
    rows = [json.loads(line) for line in CliRunner().invoke(main, [*words, "--json"]).stdout.splitlines()]
    by_key = {row["key"]: row for row in rows}
    assert by_key["spaces.a.b.args"]["value"] == {"x": 1}
    assert by_key["log.level"] == {"key": "log.level", "value": "info", "origin": "default"}


def test_config_show_is_a_usable_file(home: Path) -> None:
    text = CliRunner().invoke(main, ["config", "show", "--quiet"]).stdout
    again = home / "again.toml"
    again.write_text(text)
    assert load(again, {}).settings == Settings()


def test_config_check_default_and_schema(home: Path) -> None:
    file = home / "c.toml"
    file.write_text("[api]\nprot = 9\n")
    refused = CliRunner().invoke(main, ["config", "check", "--config", str(file)])
    assert refused.exit_code == 2
    assert 'did you mean "api.port"' in refused.stderr
    assert "correct" in CliRunner().invoke(main, ["config", "check"]).stderr
    assert CliRunner().invoke(main, ["config", "default"]).stdout_bytes == default_file()
    assert json.loads(CliRunner().invoke(main, ["config", "schema"]).stdout)["properties"]["watch"]


def fine(_: Settings) -> Iterator[Finding]:
    yield Finding(check="fine", level=Level.OK, message="all is well")


def bad(_: Settings) -> Iterator[Finding]:
    yield Finding(check="bad", level=Level.FAIL, message="it is broken\x1b", next_step="Mend it.")


EXAMINE = checks.examine


def check_only(monkeypatch: pytest.MonkeyPatch, *only: checks.Check) -> None:
    monkeypatch.setattr(checks, "examine", lambda settings: EXAMINE(settings, only))


def test_doctor_speaks_and_exits_by_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check_only(monkeypatch, fine)
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0
    check_only(monkeypatch, fine, bad)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "ok    fine: all is well",
        "fail  bad: it is broken\\x1b",
        "      → Mend it.",
    ]
    rows = [json.loads(line) for line in CliRunner().invoke(main, ["doctor", "--json"]).stdout.splitlines()]
    assert rows[1] == {"check": "bad", "level": "fail", "message": "it is broken\x1b", "next_step": "Mend it."}
    assert "fine" not in CliRunner().invoke(main, ["doctor", "-q"]).stdout


def test_init_writes_what_load_reads(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_only(monkeypatch, fine)
    pictures, inbox = home / 'My "Pictures" \u00e5', home / "Inbox"
    result = CliRunner().invoke(main, ["init", str(pictures), "--inbox", str(inbox)])
    assert result.exit_code == 0, result.output
    file = home / ".config/pixsortd/pixsortd.toml"
    assert str(file) in result.stderr
    loaded = load(environ={"HOME": str(home)})
    assert loaded.file == file
    assert [(root.path, root.role) for root in loaded.settings.roots] == [
        (str(pictures), Role.LIBRARY),
        (str(inbox), Role.INBOX),
    ]
    assert "# a file unchanged this long" in file.read_text()
    again = CliRunner().invoke(main, ["init", str(home)])
    assert again.exit_code == 1
    assert "there is a configuration already" in again.stderr
    assert CliRunner().invoke(main, ["init", str(home), "--force"]).exit_code == 0
    assert load(environ={"HOME": str(home)}).settings.roots[0].path == str(home)
    assert list(file.parent.iterdir()) == [file]


def test_init_writes_a_service_of_one_s_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init.os, "geteuid", lambda: 1000)
    inbox = home / "in box"
    inbox.mkdir()
    result = CliRunner().invoke(main, ["init", "--inbox", str(inbox), "--systemd"])
    units = home / ".config" / "systemd" / "user"
    assert "/opt/pixsortd" not in (units / "pixsortd.service").read_text()
    extra = (units / "pixsortd.service.d" / "paths.conf").read_text()
    assert f'ReadWritePaths="-{inbox}"' in extra.splitlines()
    assert f"--config {home / '.config' / 'pixsortd' / 'pixsortd.toml'} run" in extra
    assert "systemctl --user enable --now pixsortd" in result.stderr
    again = CliRunner().invoke(main, ["init", "--systemd"])
    assert "there is a configuration already" not in again.stderr, "it is used as it is"
    assert (units / "pixsortd.service.d" / "paths.conf").read_text() == extra


def test_init_refuses_what_toml_cannot_hold(home: Path) -> None:
    with pytest.raises(errors.ConfigError, match="not UTF-8"):
        init.with_roots("", [Path("/photos/\udcff")], [])
    assert tomllib.loads(init.with_roots(default_file().decode(), [Path("/a\x7f\\b")], []))["roots"] == [
        {"path": "/a\x7f\\b"}
    ]


def daemon_that(monkeypatch: pytest.MonkeyPatch, code: int) -> list[tuple[object, ...]]:
    """A daemon in place of the real one; what it was started with."""
    calls: list[tuple[object, ...]] = []
    fake = types.ModuleType("pixsortd.daemon.run")

    def start(loaded: object, extra_roots: object) -> int:
        calls.append((loaded, extra_roots))
        return code

    fake.main = start  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pixsortd.daemon.run", fake)
    return calls


def test_run_needs_no_file_and_passes_paths_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = daemon_that(monkeypatch, 3)
    monkeypatch.chdir(home)
    (home / "photos").mkdir()
    result = CliRunner().invoke(main, ["run", "photos", "--set", "api.port=0"])
    assert result.exit_code == 3
    ((loaded, roots),) = calls
    assert (loaded.settings.api.port, loaded.file, roots) == (0, None, [home / "photos"])
    assert "No photo directory" not in result.stderr
    assert "No photo directory" in CliRunner().invoke(main, ["run"]).stderr


def test_run_refuses_a_path_that_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = daemon_that(monkeypatch, 0)
    (home / "file").write_text("")
    for name, words in (("absent", "does not exist"), ("file", "is not a directory")):
        result = CliRunner().invoke(main, ["run", str(home / name)])
        assert result.exit_code == 2
        assert words in result.stderr
        assert str(home / name) in result.stderr
    assert calls == []
    assert run_module.directory(Path("~")) == home


def status(pending: int, *, running: bool = False, state: str = "online") -> dict[str, object]:
    ledger = {"on_disk": 10, "indexed": 10 - pending, "excluded": 0, "pending": pending, "failed": 0, "away": 0}
    root = {"ledger": ledger, "scan": {"running": running}, "state": state}
    return {"roots": [root], "stages": [stage(name="settle"), stage(depth=pending, growing=running)]}


def stage(**fields: object) -> dict[str, object]:
    plain = {"name": "analyze", "depth": 0, "rate": 2.0, "bytes": 0, "eta": 90.0, "paused": False}
    return {**plain, "growing": False, "away": 0, **fields}


def test_the_first_scan_counts_what_was_looked_at() -> None:
    told = {"done": 6, "total": 10, "pace": "2.0/s", "left": "about 2 min left", "scanning": False}
    assert first_scan(status(4)) == told
    assert first_scan(status(4, running=True)) == told | {"left": "at least 2 min left", "scanning": True}
    assert first_scan(status(0, running=True))["scanning"] is True
    assert first_scan(status(0, state="starting"))["scanning"] is True


def test_the_bar_follows_the_scan_to_its_end() -> None:
    looks = iter([None, first_scan(status(4, running=True)), first_scan(status(4)), first_scan(status(0))])
    seen = threading.Event()

    def look() -> object:
        value = next(looks)
        if value is not None and value["done"] == 10:
            seen.set()
        return value

    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    bar = FirstScanBar(look, console, every=0.001)
    with bar:
        assert seen.wait(10)
        bar._thread.join(10)
    assert "First scan complete: 10 files looked at." in text.getvalue()


def test_the_bar_ends_with_the_daemon() -> None:
    with FirstScanBar(lambda: None, Console(file=io.StringIO(), force_terminal=True), every=0.001) as bar:
        pass
    assert not bar._thread.is_alive()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain å.jpg", "plain å.jpg"),
        ("a\x1b[31m\n", "a\\x1b[31m\\n"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\udcff", "\\udcff"),
    ],
)
def test_names_cannot_talk_to_the_terminal(text: str, shown: str) -> None:
    assert out.safe(text) == shown


def test_figures_for_people() -> None:
    assert [out.size(n) for n in (0, 999, 1500, 123456, 5 * 10**9, 7 * 10**12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 kB",
        "5.0 GB",
        "7.0 TB",
    ]
    assert [out.span(s) for s in (0, 59, 60, 3661, 90000)] == ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h"]
    assert out.instant(None) == "never"
    assert [out.roughly(s) for s in (2, 12, 44, 59, 80, 700, 2900, 8000, 100000)] == [
        "a few seconds",
        "10 s",
        "40 s",
        "1 min",
        "1 min",
        "12 min",
        "50 min",
        "2 h",
        "1 d 4 h",
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"depth": 5, "bytes": 4_200_000_000}, "5 files to analyse (4.2 GB), 2.0/s, about 2 min left"),
        ({"depth": 5, "growing": True, "rate": 0.5}, "5 files to analyse, 30.0/min, at least 2 min left"),
        ({"depth": 5, "eta": None, "rate": 0}, "5 files to analyse, time left not known yet"),
        ({"depth": 5, "away": 5, "rate": 0}, "5 files to analyse, waiting for their directory to return"),
        ({"depth": 5, "away": 2}, "5 files to analyse, 2.0/s, about 2 min left, 2 more when their directory returns"),
        ({"depth": 0, "rate": 0, "paused": True}, "0 files to analyse, paused"),
        ({"name": "group", "depth": 7, "rate": 0, "eta": None}, "7 photos no regrouping has seen"),
    ],
)
def test_stages_in_words(fields: dict[str, object], words: str) -> None:
    assert stages.line(stage(**fields)) == words
