"""Rules over HTTP on a running daemon: looked at, tried on the library, written into its file, and in force at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakePhoto
from tests.harness import Daemon, wait_until


@pytest.fixture
def daemon(tmp_path: Path, make_photo: MakePhoto) -> Iterator[Daemon]:
    library, inbox = tmp_path / "library", tmp_path / "inbox"
    for number in range(6):
        make_photo(library / str(number % 2) / f"{number}.jpg", number)
    inbox.mkdir()
    roots = [{"path": str(library), "writable": True}, {"path": str(inbox), "role": "inbox"}]
    with Daemon(tmp_path / "home", roots) as running:
        running.config.write_text("# my own words\n" + running.config.read_text() + "# the end\n")
        wait_until(lambda: len(list(running.images())) == 6)
        yield running


def rule(daemon: Daemon, name: str, to: str, **values: Any) -> dict[str, Any]:
    library = Path(daemon.get("/api/roots")["items"][0]["path"])
    return {"name": name, "to": f"{library}/{to}", **values}


def refused(daemon: Daemon, path: str, method: str, body: object) -> tuple[int, Any]:
    status, _, answer = daemon.request(path, method, body)
    return status, json.loads(answer)


def test_rules_are_tried_written_and_in_force_without_a_restart(daemon: Daemon) -> None:
    assert daemon.get("/api/sort/rules")["items"] == []
    rules = [rule(daemon, "zeros", "0/", when={"stem": ["0", "2", "3"]}), rule(daemon, "rest", "{taken:%Y}/")]
    shown = daemon.post("/api/sort/preview", {"items": rules, "limit": 50})
    assert not shown["problems"]
    assert len(shown["items"]) == 6
    assert {one["name"]: one["rule"] for one in shown["items"]}["0.jpg"] == "zeros"

    job = daemon.post("/api/sort/replay", {"items": rules})
    wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] == "complete")
    tried = daemon.get("/api/sort/replay")
    assert (tried["photos"], tried["matched"]["zeros"]) == (6, 3)
    (one,) = [one for one in tried["examples"] if one["rule"] == "zeros"]
    assert (one["now"].endswith("/1/3.jpg"), one["would"].endswith("/0/3.jpg")) == (True, True)

    written = daemon.post("/api/sort/rules", {"items": rules}, "PUT")
    assert [one["name"] for one in written["items"]] == ["zeros", "rest"]
    assert daemon.get("/api/sort/rules") == written
    text = daemon.config.read_text()
    assert text.startswith("# my own words\n")
    assert text.index("# the end") < text.index("[[sort.rules]]")
    again = daemon.post("/api/sort/rules", {"items": rules[1:]}, "PUT")
    assert [one["name"] for one in again["items"]] == ["rest"]
    assert "zeros" in daemon.config.with_name("pixsortd.toml.before-edit").read_text()


def test_wrong_rules_and_a_file_that_somebody_edits_are_refused_in_words(daemon: Daemon) -> None:
    before = daemon.config.read_text()
    rules = [rule(daemon, "a", "0/", when={"camra": "x"}), {"name": "b", "to": "/nowhere/"}]
    status, problem = refused(daemon, "/api/sort/rules", "PUT", {"items": rules})
    assert (status, [one["key"] for one in problem["problems"]]) == (422, ["when.camra", "to"])
    assert refused(daemon, "/api/sort/replay", "POST", {"items": rules})[0] == 422
    assert len(daemon.post("/api/sort/preview", {"items": rules, "limit": 2})["problems"]) == 2
    assert daemon.config.read_text() == before

    edited = f'{before}[[sort.rules]]\nname = "by hand"\naction = "leave"\n'
    daemon.config.write_text(edited)
    right = [rule(daemon, "a", "0/")]
    status, problem = refused(daemon, "/api/sort/rules", "PUT", {"items": right})
    assert status == 409
    assert 'name = "a"' in problem["toml"]
    assert daemon.config.read_text() == edited
