"""Bad input never stops the daemon: hostile files, a file that kills or hangs the decoder, odd names."""

import hashlib
import os
import shutil
import socket
import subprocess

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until


def test_every_hostile_file_is_indexed_or_quarantined_with_a_reason(tmp_path, shared_data):
    root = tmp_path / "photos"
    shutil.copytree(shared_data / "bad", root)
    files = sum(1 for path in root.rglob("*") if path.is_file())
    with Daemon(tmp_path / "d", [root], {"worker": {"timeout": "40s"}}) as daemon:
        ledger = daemon.settled(files, seconds=400)
        assert ledger["indexed"] + ledger["failed"] + ledger["excluded"] == files
        assert ledger["indexed"] >= 40
        failed = daemon.get("/api/quarantine?limit=500")
        assert len(failed["items"]) == failed["total"] == ledger["failed"]
        for entry in failed["items"]:
            assert entry["reason"]["message"], entry
            assert entry["reason"]["next_step"], entry


def test_a_file_that_kills_the_decoder_is_tried_twice_at_most(tmp_path):
    root = tmp_path / "photos"
    for number in range(10):
        write_photo(root / f"{number}.jpg", seed=number, size=(160, 120))
    poison = write_photo(root / "poison.jpg", seed=66, size=(160, 120))
    tries = tmp_path / "tries"
    environ = {"PIXSORTD_TEST_CRASH": "poison", "PIXSORTD_TEST_CRASH_LOG": str(tries)}
    daemon = Daemon(tmp_path / "d", [root], environ=environ)
    with daemon:
        ledger = daemon.settled(11)
        assert (ledger["indexed"], ledger["failed"]) == (10, 1)
        entry = daemon.get("/api/quarantine")["items"][0]
        assert entry["name"] == "poison.jpg"
        assert entry["attempts"] == 2
        assert daemon.get(f"/api/why?path={poison}")["steps"][-1]["what"] == "failed"
        identity = hashlib.sha256(poison.read_bytes()).hexdigest()
        assert [image["id"] for image in daemon.images(status="failed")] == [identity]
        daemon.grouped()
    with daemon:
        assert daemon.settled(11)["failed"] == 1
        assert not daemon.children(), "a quarantined file must not be tried again by a restart"
    daemon.environ.pop("PIXSORTD_TEST_CRASH")
    with daemon:
        entry = daemon.get("/api/quarantine")["items"][0]
        daemon.post("/api/quarantine/retry", {"ids": [entry["id"]]})
        wait_until(lambda: daemon.ledger()["indexed"] == 11, 60)


def test_a_file_that_hangs_the_decoder_costs_its_time_limit_only(tmp_path):
    root = tmp_path / "photos"
    for number in range(4):
        write_photo(root / f"{number}.jpg", seed=number, size=(160, 120))
    write_photo(root / "tarpit.jpg", seed=66, size=(160, 120))
    settings = {"worker": {"timeout": "4s"}}
    with Daemon(tmp_path / "d", [root], settings, {"PIXSORTD_TEST_HANG": "tarpit"}) as daemon:
        ledger = daemon.settled(5, seconds=120)
        assert (ledger["indexed"], ledger["failed"]) == (4, 1)


def test_names_of_any_bytes_and_files_that_are_no_files(tmp_path):
    root = tmp_path / "photos"
    seed = write_photo(tmp_path / "seed.jpg", size=(160, 120)).read_bytes()
    odd = [
        b"\xff\xfe.jpg",
        "Caf\u00e9.jpg".encode(),
        "Cafe\u0301.jpg".encode(),
        b"-rf.jpg",
        b"new\nline.jpg",
        b"a" * 251 + b".jpg",
    ]
    deep = os.fsencode(root) + b"/" + b"/".join([b"d" * 200] * 5)
    os.makedirs(deep)
    for number, name in enumerate(odd):
        with open(os.path.join(deep if number % 2 else os.fsencode(root), name), "wb") as out:
            out.write(seed + bytes([number]))
    os.mkfifo(root / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket.jpg"))
        os.symlink("/etc/hostname", root / "outside.jpg")
        os.symlink("/", root / "slash")
        with Daemon(tmp_path / "d", [root]) as daemon:
            ledger = daemon.settled(len(odd))
            assert ledger["indexed"] == len(odd)
            assert daemon.roots()[0]["skipped"] == {"symlink": 2, "fifo": 1, "socket": 1}


def test_a_full_disk_stops_the_line_and_frees_it_again(tmp_path):
    state = tmp_path / "d" / "state"
    state.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(state)], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        root = tmp_path / "photos"
        for number in range(30):
            write_photo(root / f"{number}.jpg", seed=number, size=(320, 240))
        ballast = state / "ballast"
        daemon = Daemon(tmp_path / "d", [root])
        with daemon:
            daemon.settled(30)
            with ballast.open("wb", buffering=0) as out:
                try:
                    while True:
                        out.write(bytes(4096))
                except OSError:
                    pass
            for number in range(30, 60):
                write_photo(root / f"{number}.jpg", seed=number, size=(320, 240))
            wait_until(lambda: "space" in str(daemon.get("/api/status")), 60, why="the full disk to be said")
            assert daemon.process is not None
            assert daemon.process.poll() is None
            ballast.unlink()
            assert daemon.settled(60)["indexed"] == 60
    finally:
        subprocess.run(["umount", "-l", str(state)], check=False)
