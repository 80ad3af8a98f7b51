"""The token of a running daemon: made, shown, replaced while it runs, and what goes on and what ends."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until


def command(daemon, *words, environ=None):
    return subprocess.run(
        [sys.executable, "-m", "pixsortd", *words, "--config", str(daemon.config)],
        capture_output=True,
        text=True,
        env={**daemon.environ, **(environ or {})},
        timeout=60,
    )


def asked(daemon, token, path="/api/images"):
    return daemon.request(path, headers={"Authorization": f"Bearer {token}"} if token else {})[0]


@pytest.fixture
def root(tmp_path):
    write_photo(tmp_path / "photos" / "a.jpg", size=(160, 120))
    return tmp_path / "photos"


def test_a_token_lives_and_is_replaced_while_the_daemon_runs(tmp_path, root):
    with Daemon(tmp_path / "d", [root], {"api": {"require_token": True}}) as daemon:
        shown = command(daemon, "token")
        token = shown.stdout.strip()
        assert shown.returncode == 0, shown.stderr
        assert str(daemon.state_dir / "token") in shown.stderr
        assert [asked(daemon, one) for one in (None, "wrong", token)] == [401, 401, 200]
        assert asked(daemon, None, "/health/live") == 200
        assert [asked(daemon, one, "/health/ready") for one in (None, token)] == [401, 200]
        assert [asked(daemon, one, "/metrics") for one in (None, token)] == [401, 200]
        assert command(daemon, "status", "--json").returncode == 0

        answer = daemon.request("/api/session", "POST", {"token": token}, {"Origin": daemon.url})
        cookie = {"Cookie": answer[1]["Set-Cookie"].partition(";")[0]}
        assert daemon.request("/api/images", headers=cookie)[0] == 200
        stream = urllib.request.urlopen(urllib.request.Request(daemon.url + "/api/events", headers=cookie), timeout=30)

        replaced = command(daemon, "token", "--new", "--json")
        assert replaced.returncode == 0, replaced.stderr
        assert "Every session ended" in replaced.stderr
        fresh = json.loads(replaced.stdout)["token"]
        assert fresh != token
        assert stream.read().startswith(b"retry:"), "the event stream of the old session did not end"
        assert daemon.request("/api/images", headers=cookie)[0] == 401
        assert [asked(daemon, one) for one in (token, fresh)] == [401, 200]
        assert command(daemon, "token").stdout.strip() == fresh
        assert command(daemon, "status", "--json").returncode == 0, "commands on this machine go on"

        (daemon.state_dir / "token").write_text("too short")
        daemon.core.send_signal(1)
        wait_until(lambda: "token not read again" in daemon.tail(), 20)
        assert asked(daemon, fresh) == 200, "an unusable file leaves the token in force"
        for secret in (token, fresh):
            assert secret not in daemon.log.read_text()


def test_logging_out_outlives_a_restart(tmp_path, root):
    daemon = Daemon(tmp_path / "d", [root], {"api": {"require_token": True}})
    with daemon:
        token = command(daemon, "token").stdout.strip()
        login = [daemon.request("/api/session", "POST", {"token": token}, {"Origin": daemon.url}) for _ in range(2)]
        kept, ended = ({"Cookie": one[1]["Set-Cookie"].partition(";")[0]} for one in login)
        assert daemon.request("/api/session", "DELETE", headers={**ended, "Origin": daemon.url})[0] == 200
    with daemon:
        assert daemon.request("/api/images", headers=kept)[0] == 200
        assert daemon.request("/api/images", headers=ended)[0] == 401


def test_a_credential_is_used_and_not_replaced(tmp_path, root):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "token").write_text("given-by-the-service-manager\n")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    with Daemon(tmp_path / "d", [root], environ=environ) as daemon:
        assert [asked(daemon, one) for one in (None, "given-by-the-service-manager")] == [401, 200]
        without = {key: value for key, value in os.environ.items() if key != "CREDENTIALS_DIRECTORY"}
        daemon.environ = {**without, "HF_HUB_OFFLINE": "1"}
        shown = command(daemon, "token")
        assert shown.stdout.strip() == "given-by-the-service-manager", "asked outside of the service"
        refused = command(daemon, "token", "--new")
        assert refused.returncode == 2
        assert "LoadCredential" in refused.stderr


def test_without_a_token_that_is_said(tmp_path, root):
    with Daemon(tmp_path / "d", [root]) as daemon:
        answer = command(daemon, "token")
        assert answer.returncode != 0
        assert "require_token" in answer.stderr
        assert not answer.stdout
    assert "require_token" in command(daemon, "token").stderr, "nor while it is down"


def test_guesses_are_slowed_down_and_logged(tmp_path, root):
    with Daemon(tmp_path / "d", [root], {"api": {"require_token": True}}) as daemon:
        statuses = [asked(daemon, f"a wrong guess {number}") for number in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        assert "wrong token" in daemon.log.read_text()
        assert "127.0.0.1" in daemon.log.read_text()
        assert "a wrong guess" not in daemon.log.read_text()


def test_below_a_base_path_commands_and_probes_find_the_daemon(tmp_path, root):
    with Daemon(tmp_path / "d", [root], {"api": {"base_path": "/photos"}}) as daemon:
        assert daemon.url.endswith("/photos")
        assert daemon.settled(1)["indexed"] == 1
        assert command(daemon, "status", "--json").returncode == 0
        daemon.url = daemon.url.removesuffix("/photos")
        assert daemon.request("/health/live")[0] == 200
        assert daemon.request("/api/images")[0] == 404
