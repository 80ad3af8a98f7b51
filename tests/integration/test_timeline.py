"""Outlines and the overview of a real daemon follow what arrives, and agree with the paged list."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.library import make
from tests.conftest import write_photo
from tests.harness import Daemon, wait_until


def shot(path: Path, seed: int, taken: str) -> None:
    """A photo whose camera wrote the time."""
    write_photo(path, seed=seed, size=(160, 120), DateTime=taken, Make="Canon", Model="EOS 6D")


def outlined(daemon: Daemon, query: str = "") -> list[dict[str, Any]]:
    """All cells of all buckets, whose counts must be right."""
    outline = daemon.get(f"/api/images/timeline?{query}")
    found = []
    for bucket in outline["items"]:
        cells = daemon.get(f"/api/images/timeline/{bucket['key']}?{query}")["items"]
        assert len(cells) == bucket["count"]
        found += cells
    assert outline["total"] == len(found)
    return found


def test_the_outline_follows_arrivals_and_agrees_with_the_list(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for number in range(10):
        shot(root / f"a{number}.jpg", number, f"2021:0{number % 3 + 1}:10 12:00:0{number}")
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(10)
        first = daemon.get("/api/images/timeline")
        assert [(b["key"], b["count"]) for b in first["items"]] == [("2021-03", 3), ("2021-02", 3), ("2021-01", 4)]
        for number in range(10, 14):
            shot(root / "more" / f"b{number}.jpg", number, f"2022:01:31 23:59:{number}")
        (root / "a0.jpg").unlink()
        (root / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
        os.utime(root / "broken.jpg", (datetime(2020, 5, 1, tzinfo=UTC).timestamp(),) * 2)
        wait_until(lambda: daemon.get("/api/images/timeline")["total"] == 13, 60, why="arrivals in the outline")
        wait_until(lambda: daemon.get("/api/images/timeline?status=failed")["total"] == 1, 60, why="the failed file")
        newest = daemon.get("/api/images/timeline")["items"][0]
        assert newest == {"key": "2022-01", "count": 4}
        rated = daemon.get("/api/images?limit=2")["items"]
        for image, stars in zip(rated, (5, 2), strict=True):
            daemon.post(f"/api/images/{image['id']}", {"rating": stars}, "PATCH")
        for query, count in (
            ("", 13),
            ("sort=taken", 13),
            ("sort=-added", 13),
            ("status=failed", 1),
            ("rating=3", 1),
            ("group=none", 13),
            ("from=2021-02-01&sort=taken", 10),
        ):
            given = dict(part.split("=") for part in query.split("&") if part)
            listed = list(daemon.images(**given))
            assert len(listed) == count, query
            cells = outlined(daemon, query)
            assert [cell["id"] for cell in cells] == [image["id"] for image in listed], query
            for cell, image in zip(cells, listed, strict=True):
                assert cell == {key: image[key] for key in cell}, query
        status, _, body = daemon.request("/api/images/timeline/n0")
        assert (status, b"invalid-request" in body) == (422, True)

        report = daemon.get("/api/overview")
        assert (report["photos"], report["ratings"]) == (13, {"2": 1, "5": 1})
        assert report["months"][-1] == {"month": "2022-01", "count": 4}
        assert [(one["name"], one["count"]) for one in report["formats"]] == [("JPEG", 13)]
        assert [(one["name"], one["count"]) for one in report["cameras"]] == [("Canon EOS 6D", 13)]
        assert sum(point["count"] for point in report["throughput"]) == 14


def test_a_made_library_is_known_to_the_daemon_and_nothing_is_read_again(tmp_path: Path) -> None:
    made = make(tmp_path / "library", 60)
    with made as daemon:
        assert daemon.settled(60)["indexed"] == 60
        wait_until(lambda: daemon.roots()[0]["scan"]["ended"], 30, why="the first scan")
        cells = outlined(daemon)
        assert len(cells) == 60
        assert daemon.children() == [], "no worker was started"
        status = daemon.get("/api/status")
        assert (status["queue"]["backfill"], status["worker"]["state"]) == (0, "off")
        image = daemon.get(f"/api/images/metadata/{cells[7]['id']}")
        assert set(image["scores"]) == {"brisque", "niqe", "piqe"}
        code, headers, body = daemon.request(f"/api/images/thumbnail/{cells[7]['id']}")
        assert (code, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
        code, _, body = daemon.request(f"/api/images/{cells[7]['id']}")
        assert (code, hashlib.sha256(body).hexdigest()) == (200, cells[7]["id"])
