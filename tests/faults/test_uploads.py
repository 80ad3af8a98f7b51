"""Uploads against the real daemon: whatever happens, the inbox holds whole files only, and the daemon answers."""

import contextlib
import hashlib
import http.client
import io
import json
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import draw
from tests.harness import Daemon, wait_until

BOUNDARY = "8f0c2a"
UPLOAD = "/api/images/upload"
END = f"--{BOUNDARY}--\r\n".encode()
JPEG = b"\xff\xd8\xff\xe0"
OURS = (".pixsortd-root", ".pixsortd-upload")


@cache
def photo(seed: int) -> bytes:
    """A small JPEG."""
    out = io.BytesIO()
    draw(seed, (96, 64)).save(out, "JPEG")
    return out.getvalue()


def large(seed: int, size: int) -> bytes:
    """Bytes that begin as a JPEG does and cannot be guessed."""
    return JPEG + random.Random(seed).randbytes(size - len(JPEG))


def head(name: str) -> bytes:
    """The start of a part."""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()


def form(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A form, piece by piece."""
    for name, content in files:
        yield head(name)
        yield content
        yield b"\r\n"
    yield END


def connect(daemon: Daemon) -> http.client.HTTPConnection:
    """A connection of one's own."""
    place = urlsplit(daemon.url)
    return http.client.HTTPConnection(place.hostname, place.port, timeout=120)


def send(daemon: Daemon, body: bytes | Iterable[bytes], path: str = UPLOAD, length: int | None = None):
    """Upload a form: (status, JSON). Chunked unless it is bytes or its ``length`` is said."""
    connection = connect(daemon)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if length is not None:
        headers["Content-Length"] = str(length)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before we had said all
            connection.request("POST", path, body, headers, encode_chunked=length is None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def stored(inbox: Path) -> dict[str, str]:
    """Every file in the inbox that is not our own, with its content's hash."""
    found = [path for path in inbox.rglob("*") if path.is_file() and path.name not in OURS]
    return {str(path.relative_to(inbox)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def hashes(contents: Iterable[bytes]) -> set[str]:
    return {hashlib.sha256(one).hexdigest() for one in contents}


def only_whole(inbox: Path, contents: Iterable[bytes]) -> dict[str, str]:
    """What is in the inbox, of which each is one of ``contents``."""
    found = stored(inbox)
    assert set(found.values()) <= hashes(contents)
    assert not list((inbox / ".pixsortd-upload").glob("*"))
    return found


def answers(daemon: Daemon) -> None:
    """It lives, and takes an upload."""
    content = photo(random.getrandbits(31))
    status, answer = send(daemon, b"".join(form([("lives.jpg", content)])))
    assert (status, [one["status"] for one in answer["items"]]) == (200, ["stored"])
    os.unlink(answer["items"][0]["path"])


def statuses(answer) -> list[str]:
    return [one["status"] for one in answer["items"]]


def opened(home: Path, inbox: Path, **upload: object) -> Daemon:
    """A daemon with this inbox, started and ready for uploads."""
    inbox.mkdir(exist_ok=True)
    daemon = Daemon(home / "d", [{"path": str(inbox), "role": "inbox"}], {"upload": {"free_floor": 0, **upload}})
    daemon.start()
    wait_until(lambda: daemon.get(UPLOAD)["inbox"], why="the inbox to be looked at")
    return daemon


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[tuple[Daemon, Path]]:
    """One daemon for all tests that neither kill nor configure it."""
    home = tmp_path_factory.mktemp("uploads")
    with opened_in(home, home / "inbox", max_bytes="50MB") as daemon:
        yield daemon, home / "inbox"


class opened_in:  # noqa: N801 - reads as the function it stands for
    """`opened`, stopped at the end."""

    def __init__(self, home: Path, inbox: Path, **upload: object) -> None:
        self._make = lambda: opened(home, inbox, **upload)

    def __enter__(self) -> Daemon:
        self._daemon = self._make()
        return self._daemon

    def __exit__(self, *_: object) -> None:
        self._daemon.__exit__()


def test_a_thousand_files_in_folders_at_once_and_again(tmp_path):
    inbox = tmp_path / "inbox"
    files = [(f"trip/day {one % 7}/IMG_{one:04}.jpg", photo(one)) for one in range(1000)]
    with opened_in(tmp_path, inbox) as daemon:
        body = b"".join(form(files))
        status, answer = send(daemon, body)
        assert (status, set(statuses(answer)), len(answer["items"])) == (200, {"stored"}, 1000)
        assert stored(inbox) == {name: hashlib.sha256(content).hexdigest() for name, content in files}
        status, answer = send(daemon, body)
        assert (status, set(statuses(answer))) == (200, {"duplicate"})
        assert all(one["duplicate_of"] == one["id"] for one in answer["items"])
        daemon.settled(1001)  # and the marker
        assert {image["id"] for image in daemon.images()} == hashes(content for _, content in files)
        status, answer = send(daemon, b"".join(form((f"again/{one}.jpg", photo(one)) for one in range(1000))))
        assert (status, set(statuses(answer))) == (200, {"duplicate"})
        assert len(stored(inbox)) == 1000


def test_the_passport_begins_with_the_upload(running):
    daemon, _ = running
    content = photo(10_001)
    _, answer = send(daemon, b"".join(form([("passport.jpg", content)])))
    image = answer["items"][0]["id"]
    wait_until(lambda: daemon.request(f"/api/images/metadata/{image}")[0] == 200)
    assert daemon.get(f"/api/why?id={image}")["steps"][0]["what"] == "uploaded"


def test_two_gigabytes_over_the_limit(running):
    daemon, inbox = running
    before = stored(inbox)
    rss = daemon.core.memory_info().rss

    def body() -> Iterator[bytes]:
        yield head("huge.jpg") + JPEG
        for _ in range(2000):
            yield bytes(1_000_000)
        yield b"\r\n" + END

    length = sum(len(one) for one in (head("huge.jpg"), JPEG, b"\r\n", END)) + 2_000_000_000
    status, problem = send(daemon, body(), UPLOAD + "?files=1", length)
    assert (status, problem.get("items")) == (413, None)
    for given in (length, None):
        status, problem = send(daemon, body(), UPLOAD, given)
        assert status == 413
        assert [(one["status"], one["reason"]["code"]) for one in problem["items"]] == [("refused", "too-large")]
    assert daemon.core.memory_info().rss - rss < 64 * 10**6
    assert stored(inbox) == before
    answers(daemon)


def test_a_connection_cut_anywhere_leaves_whole_files_only(running):
    daemon, inbox = running
    contents = [large(100 + one, 300_000) for one in range(4)]
    body = b"".join(form((f"cut {one}.jpg", content) for one, content in enumerate(contents)))
    place = urlsplit(daemon.url)
    request = (
        f"POST {UPLOAD} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    ).encode()
    others = set(stored(inbox).values())
    cuts = [0, 10, 60, 100, 5000, 299_000, 300_100, 450_000, 900_000, len(body) - len(END) - 2, len(body) - 3]
    for cut in cuts:
        with socket.create_connection((place.hostname, place.port)) as client:
            client.sendall(request + body[:cut])
    status, answer = send(daemon, b"".join(form([("after.jpg", contents[0])])))
    assert status == 200
    assert set(stored(inbox).values()) - others <= hashes(contents)
    status, answer = send(daemon, body)
    assert (status, len(answer["items"])) == (200, 4)
    assert "refused" not in statuses(answer)
    found = stored(inbox)
    assert set(found.values()) - others == hashes(contents)
    assert len(found) == len(set(found.values()))
    answers(daemon)


@pytest.mark.parametrize("clients", [2, 8])
def test_simultaneous_uploads_of_one_file_are_one_photo(running, clients):
    daemon, inbox = running
    content = large(200 + clients, 2_000_000)
    ready = threading.Barrier(clients)

    def one(number: int) -> str:
        def body() -> Iterator[bytes]:
            yield head(f"same {number}.jpg") + content[:-1]
            ready.wait()
            yield content[-1:] + b"\r\n" + END

        status, answer = send(daemon, body())
        assert status == 200
        return statuses(answer)[0]

    with ThreadPoolExecutor(clients) as threads:
        assert sorted(threads.map(one, range(clients))) == ["duplicate"] * (clients - 1) + ["stored"]
    assert list(stored(inbox).values()).count(hashlib.sha256(content).hexdigest()) == 1


def test_a_link_in_the_inbox_leads_nowhere(running, tmp_path):
    daemon, inbox = running
    outside = tmp_path / "outside"
    outside.mkdir()
    (inbox / "elsewhere").symlink_to(outside)
    status, answer = send(daemon, b"".join(form([("elsewhere/a.jpg", photo(301)), ("../b.jpg", photo(302))])))
    assert (status, [one["reason"]["code"] for one in answer["items"]]) == (200, ["path", "name"])
    assert not list(outside.iterdir())
    assert not (inbox.parent / "b.jpg").exists()
    answers(daemon)


def test_what_would_be_ignored_is_refused(running):
    daemon, inbox = running
    names = ["a.mov", "b", ".c.jpg", "@eaDir/d.jpg", "~$e.jpg", "f.jpg.part"]
    status, answer = send(daemon, b"".join(form((name, photo(400)) for name in names)))
    assert status == 200
    assert [(one["status"], bool(one["reason"]["message"])) for one in answer["items"]] == [("refused", True)] * 6
    assert photo(400) not in [path.read_bytes() for path in inbox.rglob("*") if path.is_file()]


def test_killed_in_mid_upload_nothing_half_is_left(tmp_path):
    inbox = tmp_path / "inbox"
    contents = [large(500 + one, 1_000_000) for one in range(3)]
    daemon = opened(tmp_path, inbox)
    try:
        for cut in (0.2, 0.5, 0.8):
            held = threading.Event()

            def body(cut: float = cut, held: threading.Event = held) -> Iterator[bytes]:
                whole = b"".join(form((f"{one}.jpg", content) for one, content in enumerate(contents)))
                yield whole[: int(len(whole) * cut)]
                held.wait(30)
                yield whole[int(len(whole) * cut) :]

            def upload(body: Iterator[bytes]) -> None:
                with pytest.raises((OSError, http.client.HTTPException)):
                    send(daemon, body)

            client = threading.Thread(target=upload, args=(body(),))
            client.start()
            wait_until(lambda cut=cut: len(stored(inbox)) >= int(3 * cut), why="the first files to be stored")
            daemon.kill()
            held.set()
            client.join(30)
            only_whole(inbox, contents)
            (inbox / ".pixsortd-upload").mkdir(exist_ok=True)
            (inbox / ".pixsortd-upload" / ("f" * 32 + ".part")).write_bytes(b"of a file system without unnamed files")
            daemon.start()
            wait_until(lambda: daemon.get(UPLOAD)["inbox"])
            wait_until(lambda: not (inbox / ".pixsortd-upload").exists(), why="the left-over to be removed")
        status, answer = send(daemon, b"".join(form((f"{one}.jpg", content) for one, content in enumerate(contents))))
        assert status == 200
        assert "refused" not in statuses(answer)
        assert only_whole(inbox, contents) == {
            f"{one}.jpg": hashlib.sha256(content).hexdigest() for one, content in enumerate(contents)
        }
        answers(daemon)
    finally:
        daemon.__exit__()


def test_stopped_in_mid_upload_it_says_so_and_keeps_what_is_whole(tmp_path):
    inbox = tmp_path / "inbox"
    contents = [large(550 + one, 500_000) for one in range(2)]
    stopping = threading.Event()
    with opened_in(tmp_path, inbox) as daemon, ThreadPoolExecutor(1) as threads:

        def body() -> Iterator[bytes]:
            yield head("a.jpg") + contents[0] + b"\r\n" + head("b.jpg") + contents[1][:-1]
            stopping.wait(30)
            yield contents[1][-1:] + b"\r\n" + END

        client = threads.submit(send, daemon, body())
        wait_until(lambda: (inbox / "a.jpg").exists())
        assert daemon.stop() == 0
        stopping.set()
        status, problem = client.result(30)
        assert (status, statuses(problem)) == (503, ["stored"])
        assert list(only_whole(inbox, contents)) == ["a.jpg"]
        assert "Traceback" not in daemon.tail(100_000)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """An inbox of 24 MB."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(inbox)], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield inbox
    finally:
        subprocess.run(["umount", "-l", str(inbox)], check=False, capture_output=True)


@pytest.mark.parametrize("floor", [0, "8MB"])
def test_a_disk_that_fills_up(tmp_path, small_disk, floor):
    contents = [large(600 + one, 5_000_000) for one in range(8)]
    body = b"".join(form((f"{one}.jpg", content) for one, content in enumerate(contents)))
    with opened_in(tmp_path, small_disk, free_floor=floor) as daemon:
        status, answer = send(daemon, body)
        assert status == 200
        seen = statuses(answer)
        assert seen == ["stored"] * seen.count("stored") + ["refused"] * seen.count("refused")
        assert 2 <= seen.count("stored") <= 5
        assert {one["reason"]["code"] for one in answer["items"] if one["reason"]} == {"no-space"}
        assert len(only_whole(small_disk, contents)) == seen.count("stored")
        (small_disk / "0.jpg").unlink()
        status, answer = send(daemon, b"".join(form([("7.jpg", contents[7])])))
        assert (status, statuses(answer)) == (200, ["stored"])
        (small_disk / "7.jpg").unlink()
        answers(daemon)


def test_a_disk_that_is_read_only_or_leaves_in_mid_upload(tmp_path, small_disk):
    contents = [large(700 + one, 3_000_000) for one in range(2)]
    with opened_in(tmp_path, small_disk) as daemon:
        daemon.settled(1)
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        status, answer = send(daemon, b"".join(form([("a.jpg", contents[0])])))
        assert (status, answer["items"][0]["reason"]["code"]) == (200, "read-only")
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)

        def body() -> Iterator[bytes]:
            yield head("a.jpg") + contents[0] + b"\r\n" + head("b.jpg") + contents[1][:-1]
            wait_until(lambda: (small_disk / "a.jpg").exists())
            subprocess.run(["umount", "-l", str(small_disk)], check=True)
            yield contents[1][-1:] + b"\r\n" + END

        status, answer = send(daemon, body())
        assert (status, statuses(answer)) == (200, ["stored", "refused"])
        assert answer["items"][1]["reason"]["code"] == "inbox-away"
        assert stored(small_disk) == {}
        wait_until(lambda: daemon.get(UPLOAD)["inbox"] is None, why="the inbox to be away")
        status, problem = send(daemon, b"".join(form([("c.jpg", contents[0])])))
        assert status == 409
        assert problem["next_step"]


def test_without_an_inbox_the_way_to_one_is_said(tmp_path, make_photo):
    make_photo(tmp_path / "photos" / "a.jpg")
    with Daemon(tmp_path / "d", [tmp_path / "photos"]) as daemon:
        status, problem = send(daemon, b"".join(form([("b.jpg", photo(1))])))
        assert status == 409
        assert 'role = "inbox"' in problem["next_step"]
        assert daemon.get(UPLOAD)["reason"]["code"] == "no-inbox"
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.jpg"]
