"""Groups, search, jobs, roots, quarantine, passports, status, health, metrics."""

import os
from urllib.parse import quote

import msgspec

from pixsortd import records
from pixsortd.errors import PixsortdError
from tests.api.fake_library import client


def test_groups(api, library):
    page = api.get("/api/groups").json()
    exemplar = next(iter(library.entries)).hex()
    assert page["items"] == [
        {
            "id": "g1",
            "name": "Beach",
            "size": 1,
            "kind": "visual",
            "space": "",
            "created": 0.0,
            "exemplars": [exemplar],
            "state": "active",
            "locked": False,
            "touched": False,
            "cohesion": 0.0,
            "lineage": [],
            "waiting": 0,
        }
    ]
    assert (page["total"], page["next_cursor"]) == (1, None)
    assert api.get("/api/groups/g1").json()["name"] == "Beach"
    assert api.get("/api/groups/g2").status_code == 404
    assert api.get("/api/groups/" + "g" * 200).status_code == 404


def test_group_names(api):
    assert api.patch("/api/groups/g1", json={"name": "  Sjö\n1987  "}).json()["name"] == "Sjö 1987"
    assert api.patch("/api/groups/g1", json={"name": None}).json()["name"] is None
    for name in ("", "   ", "x" * 201, "a\u0000b", "\u202eevil", 7):
        assert api.patch("/api/groups/g1", json={"name": name}).status_code == 422, name
    assert api.patch("/api/groups/g2", json={"name": "x"}).status_code == 404


def test_recluster_is_a_job(api):
    answer = api.post("/api/groups/recluster")
    assert answer.status_code == 202
    job = answer.json()
    assert {"id", "kind", "state", "done", "total", "error"} <= set(job)
    assert (job["kind"], job["state"], job["error"], job["ended"]) == ("recluster", "queued", None, None)
    assert api.get(f"/api/jobs/{job['id']}").json() == job
    assert [one["id"] for one in api.get("/api/jobs").json()["items"]] == [job["id"]]
    cancelled = api.delete(f"/api/jobs/{job['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert api.get("/api/jobs/none").status_code == 404
    assert api.get("/api/groups/recluster").status_code == 405


def test_a_job_that_ended_cannot_be_cancelled(api, library):
    library.work["j"] = records.Job(id="j", kind="scan", state=records.JobState.COMPLETE, ended=2.0)
    assert api.delete("/api/jobs/j").status_code == 409
    assert api.get("/api/jobs/j").json()["ended"] == 2.0


def test_settings_with_their_origins(api):
    page = api.get("/api/settings").json()
    assert (page["file"], page["total"]) == ("/etc/p.toml", 2)
    assert page["items"][1] == {
        "key": "log.level",
        "value": '"debug"',
        "origin": "/etc/p.toml:3",
        "live": True,
        "waits": False,
        "about": "",
    }


def test_like_search(api, library):
    ids = [digest.hex() for digest in library.entries]
    answer = api.get(f"/api/search?like={ids[0]}&limit=5").json()
    assert [one["id"] for one in answer["items"]] == ids[1:]
    assert (answer["items"][0]["similarity"], answer["space"], answer["total"]) == (0.5, "builtin", 2)
    assert api.get("/api/search?like=x").status_code == 404
    assert api.get("/api/search").status_code == 422


def test_text_search_says_that_it_is_not_there_yet(api):
    answer = api.get("/api/search?q=dog")
    assert answer.status_code == 501
    assert answer.json()["title"] == "Not available yet"
    assert "like=" in answer.json()["next_step"]


def test_roots(api, library):
    page = api.get("/api/roots").json()
    root = page["items"][0]
    assert {"id", "path", "role", "state", "watch", "ledger"} <= set(root)
    assert root["ledger"] == {"on_disk": 4, "indexed": 3, "excluded": 0, "pending": 0, "failed": 1, "away": 0}
    assert (root["path"], root["state"], root["role"], root["watch"]) == (str(library.folder), "away", "library", "off")
    assert api.post("/api/roots/r1/scan").json()["kind"] == "scan"
    assert api.post("/api/roots/r2/scan").status_code == 404
    assert api.post("/api/roots/r1/confirm-gone", json={}).json() == {"root": "r1", "files": 7}
    library.held["r1"] = msgspec.structs.replace(
        library.held["r1"], record=msgspec.structs.replace(library.held["r1"].record, missing=0)
    )
    assert api.post("/api/roots/r1/confirm-gone").status_code == 409


def test_quarantine(api):
    page = api.get("/api/quarantine").json()
    assert [(one["id"], one["name"], one["state"]) for one in page["items"]] == [("q1", "broken.jpg", "failed")]
    assert page["items"][0]["reason"] == {"code": "decode-failed", "message": "cut short", "next_step": ""}
    answer = api.post("/api/quarantine/retry", json={"ids": ["q1", "nope", "q1", "../../etc/passwd"]})
    assert answer.status_code == 202
    assert answer.json() == {"queued": ["q1"], "unknown": ["nope", "../../etc/passwd"]}
    assert api.get("/api/quarantine").json()["total"] == 0
    for body in ({}, {"ids": []}, {"ids": "q1"}, {"ids": [1]}, {"path": "/x"}, {"ids": ["a"] * 1001}):
        assert api.post("/api/quarantine/retry", json=body).status_code == 422, body


def test_why_by_id(api, library):
    photo = next(iter(library.entries)).hex()
    why = api.get(f"/api/why?id={photo}").json()
    assert [step["what"] for step in why["steps"]] == ["found", "indexed"]
    assert (why["image"]["id"], why["membership"]["group"], why["files"][0]["name"]) == (photo, "g1", "a.jpg")
    failed = api.get("/api/why?id=q1").json()
    assert (failed["image"], failed["files"][0]["reason"]["code"]) == (None, "decode-failed")
    assert api.get("/api/why?id=zzz").status_code == 404
    assert api.get("/api/why").status_code == 422
    assert api.get(f"/api/why?id=q1&path={quote('/x')}").status_code == 422


def test_why_by_path_takes_any_bytes(api, library):
    path = os.path.join(os.fsencode(library.folder), b"bad\xff\n.jpg")
    answer = api.get("/api/why?path=" + quote(path))
    assert answer.status_code == 200
    assert library.calls[-1] == ("why_path", path)
    assert api.get("/api/why?path=" + quote(path.replace(b"bad", b"b d"))).status_code == 404
    assert library.calls[-1][1].endswith(b"b d\xff\n.jpg")
    missing = api.get("/api/why?path=/nowhere/%ff.jpg")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "That path is not known: /nowhere/\\xff.jpg"
    for bad in ("relative.jpg", "", "/a%00b", "/" + "a" * 5000):
        assert api.get(f"/api/why?path={bad}").status_code == 422, bad[:20]


def test_status(api):
    status = api.get("/api/status").json()
    assert status["version"] == "9.9"
    assert status["uptime"] > 0
    assert (status["queue"]["ready"], status["worker"]["state"], status["index"]["photos"]) == (3, "off", 3)
    assert [(one["name"], one["state"]) for one in status["spaces"]] == [("clip", "unavailable")]
    assert [(one["name"], one["state"], one["lower_better"]) for one in status["metrics"]] == [("niqe", "ready", True)]
    assert (status["space"], status["wanted_space"]) == ("builtin", "clip")


def test_health(api, library):
    for prefix in ("", "/api"):
        assert api.get(f"{prefix}/health/live").json() == {"status": "ok"}
        assert api.get(f"{prefix}/health/ready").json() == {
            "status": "ok",
            "rooms": {"index": {"ok": True, "reason": None}},
        }

    def broken() -> None:
        raise OSError("gone")

    library.unwell = {"worker": lambda: records.Reason(code="dead", message="it ended"), "watch": broken}
    answer = api.get("/health/ready")
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["detail"] == "Not well: watch, worker"
    assert problem["rooms"]["worker"] == {
        "ok": False,
        "reason": {"code": "dead", "message": "it ended", "next_step": ""},
    }
    assert problem["rooms"]["watch"]["reason"]["code"] == "ping-failed"
    assert problem["rooms"]["index"]["ok"] is True


def test_metrics(api):
    api.get("/api/images")
    for path in ("/metrics", "/api/metrics"):
        answer = api.get(path)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'pixsortd_files{root="r1",state="indexed"} 3.0' in answer.text
        assert "pixsortd_worker_crashes_total 2.0" in answer.text
        assert 'pixsortd_http_requests_total{method="GET",route="/api/images",status="200"}' in answer.text
        assert "process_resident_memory_bytes" in answer.text


def test_unknown_addresses_and_methods_are_problems(api):
    for path in ("/api/nothing", "/api", "/api/images/a/b/c/d", "/nothing.txt", "/assets/x.js", "/docs"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert answer.json()["status"] == 404
    answer = api.put("/api/images", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer.headers["allow"]


def test_a_bug_is_a_problem_without_its_details(library, api, monkeypatch):
    def fail() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(library, "status", fail)
    answer = api.get("/api/status")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:pixsortd:problem:internal")
    assert "secret" not in answer.text


def test_errors_with_odd_bytes_can_still_be_told(library, api, monkeypatch):
    def fail() -> None:
        raise PixsortdError("bad \udcff name \ud800", path=b"/x/\xfe")

    monkeypatch.setattr(library, "status", fail)
    answer = api.get("/api/status")
    assert answer.status_code == 500
    assert "name" in answer.json()["detail"]


def test_every_answer_is_framed(library):
    with client(library) as api:
        answer = api.get("/api/images")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    csp = answer.headers["content-security-policy"]
    assert "default-src 'none'" in csp
    assert "unsafe" not in csp
    assert "date" in answer.headers
