"""Every command against the real API over a library in memory."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import uvicorn
from click.testing import CliRunner, Result

from pixsortd import records
from pixsortd.api.app import create_app
from pixsortd.cli import jobs, main
from pixsortd.config import ApiSettings
from pixsortd.daemon.lock import Address
from tests.api.fake_library import FakeLibrary, filled

Ask = Callable[..., Result]


class Served:
    """An API over a library on a port of its own, for as long as the context lasts."""

    def __init__(self, library: FakeLibrary, token: str) -> None:
        config = uvicorn.Config(
            create_app(library, ApiSettings(port=0), token), port=0, log_config=None, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> FakeLibrary:
    return filled(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, library: FakeLibrary) -> Iterator[Path]:
    """A home whose state directory leads to the API."""
    home = tmp_path_factory.mktemp("home")
    run = home / ".local/state/pixsortd/run"
    run.mkdir(parents=True)
    with Served(library, "secret") as url:
        (run / "daemon.json").write_bytes(msgspec.json.encode(Address(pid=os.getpid(), url=url, token="secret")))
        yield home


@pytest.fixture
def ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    for name in list(os.environ):
        if name.startswith(("PIXSORTD_", "XDG_", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(jobs, "PAUSE", 0)

    def run(*words: object, code: int = 0, **more: object) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words], **more)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_status(ask: Ask) -> None:
    text = ask("status").stdout
    assert "pixsortd 9.9" in text
    assert "3 ready" in text
    assert "clip unavailable" in text
    assert "`pixsortd roots confirm-gone r1`" in text
    (answer,) = lines(ask("status", "--json"))
    assert answer["wanted_space"] == "clip"


def test_roots(ask: Ask, library: FakeLibrary) -> None:
    header, row, *_ = ask("roots").stdout.splitlines()
    assert header.split()[:5] == ["root", "path", "role", "state", "watch"]
    assert row.split()[:4] == ["r1", str(library.folder), "library", "away"]
    assert [one["id"] for one in lines(ask("roots", "list", "--json"))] == ["r1"]


def test_scan(ask: Ask, library: FakeLibrary) -> None:
    assert "scan queued" in ask("scan").stderr
    assert "scan queued" in ask("scan", library.folder).stderr
    assert lines(ask("roots", "scan", "r1", "--json"))[0]["kind"] == "scan"
    assert "no root nowhere" in ask("scan", "nowhere", code=6).stderr


def test_waiting_for_a_job_that_ends_well_or_not(
    ask: Ask, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = iter([records.JobState.RUNNING, records.JobState.COMPLETE, records.JobState.FAILED])
    real = library.job

    def job(name: str) -> records.Job:
        return msgspec.structs.replace(real(name), state=next(ends), error="out of memory")

    monkeypatch.setattr(library, "job", job)
    assert "scan complete" in ask("scan", "--wait").stderr
    failed = ask("groups", "recluster", "--wait", code=1).stderr
    assert "recluster failed: out of memory" in failed


def test_confirm_gone_asks_first(ask: Ask) -> None:
    asked = ask("roots", "confirm-gone", "r1", code=1, input="n\n")
    assert "7 files" in asked.stderr
    assert "Aborted" in asked.stderr
    assert "7 files forgotten" in ask("roots", "confirm-gone", "r1", "--yes").stderr


def test_groups(ask: Ask) -> None:
    assert "Beach" in ask("groups").stdout
    assert [one["id"] for one in lines(ask("groups", "list", "--json"))] == ["g1"]
    assert "a.jpg" in ask("groups", "show", "g1").stdout
    told = ask("groups", "rename", "Beach", "Sea").stderr
    assert "Named g1 Sea" in told
    assert "takes it back" in told
    assert "g1 None" in ask("groups", "rename", "g1", "--clear").stderr
    assert lines(ask("groups", "rename", "g1", "Beach", "--json"))[0]["name"] == "Beach"
    assert "Usage" in ask("groups", "rename", "g1", code=2).stderr
    assert "Not found" in ask("groups", "show", "g9", code=6).stderr
    assert "recluster queued" in ask("groups", "recluster").stderr


def test_search_by_id_by_path_and_by_content(ask: Ask, library: FakeLibrary, tmp_path: Path) -> None:
    known = library.folder / "a.jpg"
    identity = next(iter(library.entries)).hex()
    copy = tmp_path / "renamed.jpg"
    copy.write_bytes(known.read_bytes())
    answers = [lines(ask("search", "--like", like, "--json")) for like in (identity, identity.upper(), known, copy)]
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]) == 2
    table = ask("search", "--like", known, "--limit", 1).stdout.splitlines()
    assert table[0].split() == ["like", "path", "group"]
    assert len(table) == 2
    other = tmp_path / "other.jpg"
    other.write_bytes(b"never seen")
    assert "no photo with these bytes" in ask("search", "--like", other, code=6).stderr


def test_why_tells_steps_and_escapes_names(ask: Ask, library: FakeLibrary) -> None:
    text = ask("why", library.folder / "a.jpg").stdout
    assert "indexed since" in text
    assert "in group Beach: clustered, strength 0.90, mean likeness 0.800" in text
    assert text.splitlines()[-1].endswith("indexed")
    hostile = os.fsdecode(os.path.join(os.fsencode(library.folder), b"bad\xff\n.jpg"))
    shown = ask("why", hostile).stdout
    assert "bad\\xff\\n.jpg" in shown
    assert library.calls[-1] == ("why_path", os.fsencode(hostile))
    assert lines(ask("why", "--json", next(iter(library.entries)).hex()))[0]["steps"]
    assert "broken.jpg" in ask("why", "q1").stdout
    assert "Not found" in ask("why", library.folder / "nothing.jpg", code=6).stderr


def test_a_path_is_found_through_a_linked_directory(ask: Ask, library: FakeLibrary, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(library.folder)
    assert "indexed since" in ask("why", link / "a.jpg").stdout


def test_quarantine(ask: Ask, library: FakeLibrary) -> None:
    listed = ask("quarantine").stdout
    assert "q1" in listed
    assert "cut short" in listed
    assert lines(ask("quarantine", "list", "--json"))[0]["id"] == "q1"
    assert "Usage" in ask("quarantine", "retry", code=2).stderr
    assert "1 queued" in ask("quarantine", "retry", "--all").stderr
    result = ask("quarantine", "retry", "q1", "--json", code=6)
    assert lines(result)[0]["unknown"] == ["q1"]
    library.fail("q1", b"broken.jpg", records.Reason(code="decode-failed", message="cut short"))


def test_shared_options_work_on_either_side(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'state_dir = "{tmp_path}/elsewhere"\n')
    for words in (["--config", file, "status"], ["status", "--config", file]):
        assert f"{tmp_path}/elsewhere" in ask(*words, code=4).stderr
    assert "no daemon runs" in ask("status", "--set", f"state_dir={tmp_path}/there", code=4).stderr
    assert "is not KEY=VALUE" in ask("--set", "state_dir", "status", code=2).stderr
    assert ask("groups", "recluster", "--quiet").stderr == ""


def test_a_list_needs_no_sub_command(ask: Ask) -> None:
    for listing in ("groups", "trash", "roots", "batches", "quarantine"):
        named = ask(listing, "list", "--json", "--quiet")
        assert (bare := ask(listing, "--json", "--quiet")).exit_code == 0, bare.output
        assert bare.stdout == named.stdout


def test_a_daemon_that_died_or_is_something_else(ask: Ask, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "daemon.json").write_bytes(msgspec.json.encode(Address(pid=1, url="http://127.0.0.1:9")))
    said = ask("--set", f"state_dir={tmp_path}", "status", code=4).stderr
    assert "does not answer" in said
    assert "pixsortd run" in said


def test_a_wrong_token_is_said(ask: Ask, home: Path, tmp_path: Path) -> None:
    note = msgspec.json.decode((home / ".local/state/pixsortd/run/daemon.json").read_bytes(), type=Address)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/daemon.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(note, token="wrong")))
    assert "token" in ask("--set", f"state_dir={tmp_path}", "status", code=1).stderr


def test_colour_only_where_it_is_wanted(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in ask("roots", color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in ask("roots", color=True).stdout


def test_batches(ask: Ask, library: FakeLibrary) -> None:
    first, second, *_ = [sha256.hex() for sha256 in library.entries]
    made = lines(ask("batches", "create", "Summer trip", first, "--json"))[0]
    which = made["id"]
    assert (made["name"], made["size"]) == ("Summer trip", 1)
    assert "2 photos" in ask("batches", "add", "Summer trip", first, second).stderr
    assert "1 photos" in ask("batches", "remove", which, second).stderr
    assert "Winter" in ask("batches", "rename", which, "Winter").stderr
    assert [row.split()[-1] for row in ask("batches").stdout.splitlines()[1:]] == ["Winter"]
    shown = lines(ask("batches", "show", "Winter", "--json"))[0]
    assert [one["id"] for one in shown["images"]] == [first]
    assert first in ask("batches", "show", which).stdout
    job = lines(
        ask("batches", "analyze", which, "--min-samples", 2, "--metric", "euclidean", "--weights", "plain", "--json")
    )[0]
    assert job["kind"] == "batch"
    assert library.batches.held[which].parameters == records.BatchParameters(
        min_samples=2, metric=records.BatchMetric.EUCLIDEAN, weights=records.Weights.PLAIN
    )
    ask("batches", "analyze", which, "--min-cluster-size", 1, code=2)
    assert "no group with that label" in ask("batches", "rank", which, "Cats", "--metric", "niqe", code=6).stderr
    library.batches.members[which] = dict.fromkeys(library.entries, "Cats & dogs")
    ranked = ask("batches", "rank", which, "Cats & dogs", "--metric", "niqe")
    assert ranked.stdout.splitlines()[1].split() == ["1", "1", first]
    assert "ranks again" in ranked.stderr
    ask("batches", "delete", which)
    assert "no batch Winter" in ask("batches", "show", "Winter", code=6).stderr
    assert lines(ask("batches", "restore", which, "--json"))[0]["name"] == "Winter"


def test_batches_of_one_name_are_told_apart_by_id(ask: Ask, library: FakeLibrary) -> None:
    ids = [lines(ask("batches", "create", "Twice", "--json"))[0]["id"] for _ in range(2)]
    refused = ask("batches", "show", "Twice", code=2).stderr
    assert all(one in refused for one in ids)
    assert ask("batches", "show", ids[0]).exit_code == 0
