"""PIXSORT's defects, each as a test that our daemon passes through HTTP."""

import json
from pathlib import Path
from typing import Any

from PIL import ImageFilter

from tests.conftest import draw, write_photo
from tests.harness import Daemon, wait_until

BLURS = (4.0, 0.0, 2.0, 1.0)
"""Pixels, in an order that is nobody's ranking."""


def ended(daemon: Daemon, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over."""
    active = ("queued", "running")
    return wait_until(lambda: (found := daemon.get(f"/api/jobs/{job['id']}"))["state"] not in active and found, 120)


def test_defect_1_rank_1_is_the_best_in_the_metrics_own_direction(tmp_path: Path) -> None:
    """There every metric ranks descending, so that with BRISQUE, where less is better, rank 1 is the worst frame."""
    root = tmp_path / "photos"
    root.mkdir()
    for blur in BLURS:
        draw(4).filter(ImageFilter.GaussianBlur(blur)).save(root / f"blur{blur}.png")
    with Daemon(tmp_path / "d", [root], {"score": {"metrics": ["piqe", "entropy"]}}) as daemon:
        daemon.settled(len(BLURS))
        names = {image["id"]: image["name"] for image in daemon.images()}
        batch = daemon.post("/api/batches", {"name": "Frames", "ids": list(names)})["id"]
        daemon.post(f"/api/batches/{batch}/groups", {"labels": dict.fromkeys(names, "Frames")}, "PUT")

        def ranked(metric: str) -> dict[str, Any]:
            found = daemon.post(f"/api/batches/{batch}/groups/Frames/rank?metric={metric}")
            return found if all(item["rank"] for item in found["items"]) else {}

        piqe = wait_until(lambda: ranked("piqe"), 120, why="scores")
        assert piqe["lower_better"] is True
        values = [item["value"] for item in piqe["items"]]
        assert values == sorted(values)
        assert [names[item["id"]] for item in piqe["items"]] == [f"blur{blur}.png" for blur in sorted(BLURS)]
        entropy = wait_until(lambda: ranked("entropy"), 120, why="scores")
        assert entropy["lower_better"] is False
        values = [item["value"] for item in entropy["items"]]
        assert values == sorted(values, reverse=True)
        assert [item["rank"] for item in entropy["items"]] == [1, 2, 3, 4]


def test_defect_7_no_request_waits_for_analysis(tmp_path: Path) -> None:
    """There clustering, quality and EXIF run inside the request; here each answers with a job or what is known."""
    root = tmp_path / "photos"
    for number in range(8):
        write_photo(root / f"{number}.jpg", seed=number % 2, size=(300 + number, 220))
    with Daemon(tmp_path / "d", [root], {"score": {"metrics": ["piqe"]}}) as daemon:
        daemon.settled(8)
        ids = [image["id"] for image in daemon.images()]
        wait_until(lambda: all(image["scores"] for image in daemon.images()), 120, why="scores")
        # While the line is held nothing can be computed, and still everything is answered.
        daemon.post("/api/pipeline/analyze/pause")
        status, _, body = daemon.request("/api/images/quality/batch", "POST", {"ids": ids, "again": True})
        assert status == 202
        said = json.loads(body)
        assert len(said["items"]) == 8
        assert said["job"] is None
        assert daemon.get(f"/api/images/metadata/{ids[0]}")["id"] == ids[0]
        daemon.post("/api/pipeline/analyze/resume")
        # Afterwards the answer is a job that has not ended: the scores in the answer are those of before.
        status, _, body = daemon.request("/api/images/quality/batch", "POST", {"ids": ids, "again": True})
        said = json.loads(body)
        assert (status, said["job"]["state"]) == (202, "running")
        before = {item["id"]: item["items"][0]["at"] for item in said["items"]}
        assert ended(daemon, said["job"])["result"] == {"photos": 8, "scored": 8, "away": 0}
        after = {one: daemon.get(f"/api/images/quality/{one}")["items"][0]["at"] for one in ids}
        assert all(after[one] > before[one] for one in ids)
        batch = daemon.post("/api/batches", {"name": "Eight", "ids": ids})["id"]
        parameters = {"min_cluster_size": 2, "min_samples": 1}
        status, _, body = daemon.request(f"/api/batches/{batch}/analyze", "PUT", parameters)
        job = json.loads(body)
        assert (status, job["state"] in ("queued", "running")) == (202, True)
        assert daemon.get(f"/api/batches/{batch}")["status"] in ("processing", "complete")
        assert ended(daemon, job)["state"] == "complete"
