"""systemd units: the shipped ones are sound and hardened, and `init --systemd` opens exactly the configured paths."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.cli import units
from pixsortd.config import ApiSettings, RootSettings, Settings
from pixsortd.records import Role

SHIPPED = Path(__file__).parents[2] / "systemd"
EXPOSURE = 2.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")


def settings(**api):
    roots = (
        RootSettings(path="/home/anna/Pictures"),
        RootSettings(path='/srv/My 100% "best"', writable=True),
        RootSettings(path="/srv/inbox", role=Role.INBOX),
    )
    return Settings(roots=roots, api=ApiSettings(**api))


def test_the_drop_in_opens_what_is_written_to_and_nothing_else():
    lines = units.drop_in(settings(), "/opt/p/bin/pixsortd", Path("/etc/p x.toml")).splitlines()
    assert 'ExecStart=/opt/p/bin/pixsortd --config "/etc/p x.toml" run' in lines
    assert [line for line in lines if line.startswith("ReadWritePaths")] == [
        r'ReadWritePaths="-/srv/My 100%% \"best\""',
        "ReadWritePaths=-/srv/inbox",
    ]
    assert "ReadOnlyPaths=-/home/anna/Pictures" in lines
    assert not any(line.startswith("IPAddress") for line in lines)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4"])
def test_another_address_opens_the_network(host):
    assert "IPAddressAllow=any" in units.drop_in(settings(host=host), "/p", Path("/c")).splitlines()


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), min_size=1))
def test_quoted_paths_stay_one_word_with_no_specifier(path):
    text = units.quoted("/" + path)
    assert "%" not in text.replace("%%", "")
    if text.startswith('"'):
        assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', text)
        assert re.sub(r"\\(.)", r"\1", text[1:-1]).replace("%%", "%") == "/" + path
    else:
        assert not set(text) & set(" \"'\\;$")


def test_what_needs_a_reason_has_it_in_the_line_above():
    reasons = (
        "ProtectSystem",
        "ProtectHome",
        "PrivateUsers",
        "OOMPolicy",
        "MemoryHigh",
        "SystemCallFilter",
        "PrivateMounts",
    )
    lines = (SHIPPED / "pixsortd@.service").read_text().splitlines()
    for reason in reasons:
        first = next(number for number, line in enumerate(lines) if line.startswith(reason + "="))
        above = lines[first - 1]
        assert above.startswith("#") or "=" in above, reason
    assert "MemoryDenyWriteExecute=" not in [line.strip() for line in lines]


@pytest.fixture
def root(tmp_path):
    """A directory with the units as `init --systemd` writes them, and a program to start."""
    directory = tmp_path / "system"
    program = tmp_path / "my programs" / "pixsortd"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    for where in (units.for_machine("anna"), units.for_user(Path("/home/anna"))):
        directory.mkdir(exist_ok=True)
        (directory / where.unit).write_text(units.unit_text(where.unit, str(program)))
        extra = directory / f"{where.instance}.service.d"
        extra.mkdir()
        (extra / "paths.conf").write_text(units.drop_in(settings(), str(program), Path("/etc/p.toml")))
    extra = directory / "pixsortd@.service.d"
    extra.mkdir()
    (extra / "gpu.conf").write_bytes((SHIPPED / "gpu.conf").read_bytes())
    return directory


def analyze(*arguments, directory):
    runtime = directory.parent / "runtime"
    runtime.mkdir(exist_ok=True)
    environ = {**os.environ, "SYSTEMD_UNIT_PATH": f"{directory}:", "XDG_RUNTIME_DIR": str(runtime)}
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], env=environ, capture_output=True, text=True, timeout=60
    )


@needs_systemd
@pytest.mark.parametrize(
    ("scope", "unit"), [(("--man=no",), "pixsortd@anna.service"), (("--man=no", "--user"), "pixsortd.service")]
)
def test_systemd_accepts_the_units(root, scope, unit):
    file = root / unit
    if "@" in unit:
        shutil.copy(root / "pixsortd@.service", file)
    done = analyze("verify", *scope, str(file), directory=root)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot run here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_service_is_hardly_exposed(root):
    shutil.rmtree(root / "pixsortd@.service.d")
    done = analyze("security", "--offline=yes", str(root / "pixsortd@.service"), directory=root)
    if done.returncode and "Overall" not in done.stdout:
        pytest.skip(f"systemd-analyze cannot run here: {done.stderr.strip()}")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    print(found[0])
    assert float(found[1]) <= EXPOSURE
