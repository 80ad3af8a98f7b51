"""The OpenAPI document against the running daemon: schemathesis makes requests from it and checks every answer.

Checked: no server error, documented status codes, content types, headers and bodies as described,
invalid data refused, valid data not refused as unreadable, methods refused with the right ``Allow``.
One run asks with made-up ids, one with ids of what is there. ``-m slow`` asks far more.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

COMMAND = Path(sys.executable).with_name("schemathesis")
REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = """
generation.database = "none"

[checks.not_a_server_error]  # 501: search by text, which is described as not there yet; 503: a room is unwell
expected-statuses = ["2xx", "3xx", "4xx", 501, 503]

[checks.negative_data_rejection]  # 413: that there are too many files is seen before what else is wrong
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 501, 503]

[checks.positive_data_acceptance]  # 422: means nothing here, as a cursor of another list; 413: too many at once
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 413, 422, 429, 501, 503]
"""
# What is deleted can be brought back, and a cancelled job looked at; and the 404 of one id in a request
# is taken for that of another.
NOT_CHECKED = "use_after_free,ensure_resource_availability"
ENDLESS = "/api/events"
"""An event stream has no end that could be waited for; tests/api/test_events.py has it."""

pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="schemathesis is not installed (the test extra has it)")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("fuzz")
    for scene in range(2):
        for shot in range(6):
            write_photo(home / "photos" / f"{scene}-{shot}.jpg", scene, (320 + shot, 240))
    (home / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture at all")
    for number in range(3):
        write_photo(home / "inbox" / f"in-{number}.jpg", 50 + number, (160, 120))
    return home


@pytest.fixture(scope="module")
def daemon(home):
    upload = {"inbox": str(home / "inbox"), "max_bytes": "1MB", "free_floor": "1MB"}
    roots = [{"path": str(home / "photos")}, {"path": str(home / "inbox"), "role": "inbox"}]
    with Daemon(home / "d", roots, {"upload": upload}) as daemon:
        wait_until(lambda: daemon.get("/api/images")["total"] >= 15, 60, why="the photos")
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        yield daemon


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def fuzz(daemon, folder: Path, settings: str, *, examples: int, seed: int, photos: list[str] = ()) -> dict:
    """Run schemathesis; its report. Fails with its findings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schemathesis.toml").write_text(settings)
    report = folder / "report.json"
    command = [str(COMMAND), "--config-file", "schemathesis.toml", "run", daemon.url + "/schema/openapi.json"]
    command += [
        "--checks",
        "all",
        "--exclude-checks",
        NOT_CHECKED,
        "--exclude-path",
        ENDLESS,
        "--request-timeout",
        "20",
    ]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--suppress-health-check", "all"]
    command += ["--report", "json", "--report-json-path", str(report)]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SCHEMATHESIS_HOOKS": "tests.faults.fuzz_hooks"}
    environ |= {"PIXSORTD_TEST_PHOTOS": " ".join(photos), "COLUMNS": "160", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=3000)
    _, _, findings = done.stdout.partition("= FAILURES =")
    assert done.returncode == 0, (findings or done.stdout)[:12_000] + done.stderr[-2000:]
    return json.loads(report.read_text())


def known_ids(daemon) -> tuple[str, list[str]]:
    """Settings that put ids of what is there into every address, and the photos among them."""
    photos = [one["id"] for one in daemon.images()]
    batch = daemon.post("/api/batches", {"name": "Known", "ids": photos})["id"]
    daemon.post(f"/api/batches/{batch}/groups", {"labels": dict.fromkeys(photos[:3], "one")}, "PUT")
    known = {
        "path.image_id": photos[0],
        "path.batch": batch,
        "path.label": "one",
        "path.group_id": daemon.get("/api/groups")["items"][0]["id"],
        "path.job_id": daemon.get("/api/jobs")["items"][0]["id"],
        "path.root_id": daemon.roots()[0]["id"],
        "query.like": photos[1],
    }
    lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in known.items()]
    return "\n".join([SETTINGS, "[parameters]", *lines, ""]), photos


def check(daemon, home, tmp_path, *, examples: int, seed: int) -> None:
    before = digests(home / "photos")
    made_up = fuzz(daemon, tmp_path / "made-up", SETTINGS, examples=examples, seed=seed)
    settings, photos = known_ids(daemon)
    known = fuzz(daemon, tmp_path / "known", settings, examples=examples, seed=seed, photos=photos)
    for run in (made_up, known):
        assert run["operations"]["tested"] == run["operations"]["selected"] == run["operations"]["total"] - 1
        assert run["test_cases"]["unique_failures"] == run["test_cases"]["errored"] == 0
    cases = made_up["test_cases"]["generated"] + known["test_cases"]["generated"]
    print(f"schemathesis: {cases} cases on {known['operations']['tested']} operations, 0 failures")
    assert daemon.request("/health/live")[0] == 200
    assert digests(home / "photos") == before, "a file in a folder that is only read changed"
    log = daemon.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log


def test_the_daemon_answers_as_its_openapi_document_says(daemon, home, tmp_path):
    check(daemon, home, tmp_path, examples=15, seed=1)


@pytest.mark.slow
def test_the_daemon_answers_as_its_openapi_document_says_for_long(daemon, home, tmp_path):
    for seed in (2, 3):
        check(daemon, home, tmp_path / str(seed), examples=100, seed=seed)
