"""The daemon as a service: readiness, signs of life, reload, schedule, a token off loopback."""

import json
import signal
import socket
import time
import urllib.request

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until


def photos(tmp_path):
    root = tmp_path / "photos"
    for number in range(3):
        write_photo(root / f"{number}.jpg", seed=number, size=(160, 120))
    return root


def test_systemd_hears_ready_only_when_requests_are_answered_and_then_signs_of_life(tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(30)
        environ = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        daemon = Daemon(tmp_path / "d", [photos(tmp_path)], environ=environ).start(wait=False)
        try:
            heard: list[str] = []
            while not any("READY=1" in message for message in heard):
                heard.append(systemd.recv(4096).decode())
            ready = next(message for message in heard if "READY=1" in message)
            url = next(line for line in ready.split("\n") if line.startswith("STATUS=")).split()[-1]
            with urllib.request.urlopen(url + "/health/live", timeout=10) as answer:
                assert answer.status == 200
            beats = 0
            while beats < 4:
                beats += "WATCHDOG=1" in systemd.recv(4096).decode()
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in systemd.recv(4096).decode():
                pass
            assert daemon.process.wait(10) == 0
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()


def test_sighup_applies_what_can_change_live_and_names_the_rest(tmp_path):
    with Daemon(tmp_path / "d", [photos(tmp_path)]) as daemon:
        daemon.settled(3)
        text = daemon.config.read_text()
        changed = text.replace('grace = "2s"', 'grace = "1s"').replace("port = 0", "port = 1")
        assert changed != text
        daemon.config.write_text(changed)
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings read again" in daemon.tail(), 20)
        line = next(line for line in daemon.log.read_text().splitlines() if "settings read again" in line)
        said = json.loads(line)
        assert (said["applied"], said["restart_needed"]) == (["watch.grace"], ["api.port"])
        daemon.config.write_text("nonsense = [")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings not read again" in daemon.tail(), 20)
        assert daemon.settled(3)["indexed"] == 3


def test_off_loopback_a_token_is_made_and_needed(tmp_path):
    with Daemon(tmp_path / "d", [photos(tmp_path)], {"api": {"host": "0.0.0.0"}}) as daemon:
        status, _, body = daemon.request("/api/roots")
        assert status == 401
        assert json.loads(body)["title"]
        note = json.loads((daemon.state_dir / "run" / "daemon.json").read_bytes())
        assert (daemon.state_dir / "token").stat().st_mode & 0o077 == 0
        status, _, _ = daemon.request("/api/roots", headers={"Authorization": f"Bearer {note['token']}"})
        assert status == 200
        status, _, _ = daemon.request("/health/live")
        assert status == 200


def test_a_foreign_host_or_origin_is_turned_away(tmp_path):
    with Daemon(tmp_path / "d", [photos(tmp_path)]) as daemon:
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            status, _, _ = daemon.request("/api/roots", headers=headers)
            assert 400 <= status < 500, headers
        assert daemon.get("/api/roots")


def test_a_stuck_port_is_an_error_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        daemon = Daemon(tmp_path / "d", [photos(tmp_path)], {"api": {"port": taken.getsockname()[1]}}).start(wait=False)
        assert daemon.process is not None
        assert daemon.process.wait(60) == 2
        assert "the port is in use" in daemon.tail()


def test_events_tell_of_new_photos(tmp_path):
    root = photos(tmp_path)
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(3)
        with urllib.request.urlopen(daemon.url + "/api/events", timeout=30) as stream:
            write_photo(root / "new.jpg", seed=9, size=(160, 120))
            end = time.monotonic() + 30
            seen: list[str] = []
            while time.monotonic() < end and not any('"added":1' in line.replace(" ", "") for line in seen):
                seen.append(stream.readline().decode())
            ids = [int(line.split(":")[1]) for line in seen if line.startswith("id:")]
            assert ids == sorted(set(ids))
            assert any(line.startswith(("event: photos", "event:photos")) for line in seen)


def test_the_state_directory_may_lie_inside_a_root_and_is_never_scanned(tmp_path):
    root = photos(tmp_path)
    daemon = Daemon(tmp_path / "d", [root])
    inside = root / ".pixsortd"
    daemon.config.write_text(daemon.config.read_text().replace(str(daemon.state_dir), str(inside)))
    daemon.state_dir = inside
    with daemon:
        assert daemon.settled(3)["excluded"] == 0
