"""Quality on a real daemon: rankings of real groups, jobs for what is missing, stages that are held."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

SCENES = ("bursts/et/et000.jpg", "photos/misc/barrel_image_0044.jpg")
BLURS = {"blur1.5": 1.5, "blur2.5": 2.5, "blur4": 4.0}
NOISES = {"noise25": 25.0, "noise40": 40.0, "noise60": 60.0}

Json = dict[str, Any]


def versions(photo: Path) -> dict[str, Image.Image]:
    """A photo as it is, blurred more and more, and with more and more noise."""
    with Image.open(photo) as opened:
        sharp = opened.convert("RGB")
    sharp.thumbnail((512, 512))
    random, pixels = np.random.default_rng(0), np.asarray(sharp, np.float32)
    noisy = {
        name: Image.fromarray((pixels + random.normal(0, sigma, pixels.shape)).clip(0, 255).astype(np.uint8))
        for name, sigma in NOISES.items()
    }
    blurred = {name: sharp.filter(ImageFilter.GaussianBlur(radius)) for name, radius in BLURS.items()}
    return {"sharp": sharp, **blurred, **noisy}


def some_photos(root: Path, count: int = 3) -> Path:
    for number in range(count):
        write_photo(root / f"{number}.jpg", seed=number, size=(320, 240))
    return root


def ended(daemon: Daemon, job: Json) -> Json:
    """The job once it is over."""
    active = ("queued", "running")
    return wait_until(lambda: (found := daemon.get(f"/api/jobs/{job['id']}"))["state"] not in active and found, 120)


def stage(daemon: Daemon, name: str) -> Json:
    return next(item for item in daemon.get("/api/pipeline")["items"] if item["name"] == name)


def test_a_group_of_versions_is_ranked_from_sharp_to_spoiled(tmp_path: Path, shared_data: Path) -> None:
    root = tmp_path / "photos"
    root.mkdir()
    for number, scene in enumerate(SCENES):
        for name, image in versions(shared_data / scene).items():
            image.save(root / f"{number}-{name}.png")
    weights = {
        "niqe": str(shared_data / "weights" / "niqe_modelparameters.mat"),
        "brisque": str(shared_data / "weights" / "brisque_svm_weights.pth"),
    }
    settings = {
        "score": {"metrics": ["brisque", "niqe", "piqe"], "weights": weights, "composite": {"niqe": 2, "piqe": 1}},
        "cluster": {"min_cluster_size": 4, "min_samples": 2},
    }
    with Daemon(tmp_path / "d", [root], settings) as daemon:
        daemon.settled(14)
        wait_until(lambda: all(len(image["scores"]) == 3 for image in daemon.images()), 180, why="scores")
        groups = wait_until(lambda: len(found := daemon.get("/api/groups")["items"]) == 2 and found, 60)
        for group in groups:
            names = {image["id"]: image["name"][2:-4] for image in daemon.images(group=group["id"])}
            assert set(names.values()) == {"sharp", *BLURS, *NOISES}
            for metric in ("brisque", "niqe", "piqe", "composite"):
                ranking = daemon.post(f"/api/groups/{group['id']}/rank?metric={metric}")
                order = [names[item["id"]] for item in ranking["items"]]
                assert order[0] == "sharp", (metric, order)
                assert [name for name in order if name in BLURS] == list(BLURS), (metric, order)
                assert [name for name in order if name in NOISES] == list(NOISES), (metric, order)
                assert ranking["lower_better"] is (metric != "composite")
                assert ranking["job"] is None
        best = next(image["id"] for image in daemon.images() if image["name"] == "0-sharp.png")
        report = daemon.get(f"/api/images/quality/{best}")
        assert {item["metric"]: item["group_percentile"] for item in report["items"]} == {
            "brisque": 100.0,
            "niqe": 100.0,
            "piqe": 100.0,
        }
        assert {part["metric"]: round(part["weight"], 3) for part in report["composite"]["parts"]} == {
            "niqe": 0.667,
            "piqe": 0.333,
        }
        plots = {plot["metric"]: plot for plot in daemon.get("/api/overview")["quality"]}
        assert all(sum(plots[name]["counts"]) == plots[name]["count"] == 14 for name in ("brisque", "niqe", "piqe"))


def test_a_metric_that_a_reload_brings_is_computed(tmp_path: Path) -> None:
    with Daemon(tmp_path / "d", [some_photos(tmp_path / "photos")]) as daemon:
        daemon.settled(3)
        ids = [image["id"] for image in daemon.images()]
        status, _, body = daemon.request(f"/api/images/quality/{ids[0]}?metric=piqe")
        assert status == 422
        assert "score.metrics" in json.loads(body)["next_step"]
        daemon.post("/api/pipeline/score/pause")
        daemon.config.write_text(daemon.config.read_text().replace("metrics = []", 'metrics = ["piqe", "musiq"]'))
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        unavailable = wait_until(
            lambda: next(
                (
                    missing
                    for missing in daemon.get(f"/api/images/quality/{ids[0]}?compute=false").get("missing", [])
                    if missing["metric"] == "musiq" and "musiq" in json.dumps(daemon.get("/api/status")["notices"])
                ),
                None,
            ),
            120,
            why="the new worker to say what it can do",
        )
        assert unavailable["reason"]["code"] == "paused-score"
        assert all(not image["scores"] for image in daemon.images())
        daemon.post("/api/pipeline/score/resume")
        said = daemon.post("/api/images/quality/batch", {"ids": ids})
        if said["job"] is not None:  # the sweep over all photos may have been faster
            assert ended(daemon, said["job"])["state"] == "complete"
        wait_until(lambda: all("piqe" in image["scores"] for image in daemon.images()), 60, why="scores")
        report = daemon.get(f"/api/images/quality/{ids[0]}")
        assert [item["metric"] for item in report["items"]] == ["piqe"]
        assert [(missing["metric"], missing["reason"]["code"]) for missing in report["missing"]] == [
            ("musiq", "weights-missing")
        ]
        assert report["job"] is None


def test_a_held_analysis_takes_nothing_in_until_it_is_resumed_also_after_a_restart(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "photos")
    daemon = Daemon(tmp_path / "d", [root], {"worker": {"idle": "1s"}})
    with daemon:
        daemon.settled(3)
        daemon.post("/api/pipeline/analyze/pause")
        write_photo(root / "late.jpg", seed=9)
        wait_until(lambda: stage(daemon, "analyze")["depth"] == 1, 30)
        wait_until(lambda: daemon.get("/api/status")["worker"]["state"] == "off", 30, why="the worker to end")
        assert "paused-analyze" in [notice["code"] for notice in daemon.get("/api/status")["notices"]]
    with daemon:
        wait_until(lambda: daemon.ledger().get("pending") == 1 and not daemon.ledger()["away"], 30)
        analyze = stage(daemon, "analyze")
        assert (analyze["paused"], analyze["depth"], analyze["eta"]) == (True, 1, None)
        assert daemon.get("/api/status")["worker"]["state"] == "off"
        metrics = daemon.request("/metrics")[2].decode()
        assert 'pixsortd_stage_paused{stage="analyze"} 1' in metrics
        assert 'pixsortd_stage_depth{stage="analyze"} 1' in metrics
        daemon.post("/api/pipeline/analyze/resume")
        assert daemon.settled(4)["indexed"] == 4
        assert "paused-analyze" not in [notice["code"] for notice in daemon.get("/api/status")["notices"]]


def test_held_scoring_lets_photos_in_without_scores_and_fills_them_in_afterwards(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "photos")
    with Daemon(tmp_path / "d", [root], {"score": {"metrics": ["piqe"]}}) as daemon:
        daemon.post("/api/pipeline/score/pause")
        write_photo(root / "late.jpg", seed=9)
        daemon.settled(4)
        late = next(image for image in daemon.images() if image["name"] == "late.jpg")
        assert late["scores"] == {}
        wait_until(lambda: stage(daemon, "score")["depth"] >= 1, 30)
        daemon.post("/api/pipeline/score/resume")
        wait_until(lambda: all(image["scores"] for image in daemon.images()), 120, why="scores")
        wait_until(lambda: stage(daemon, "score")["depth"] == 0, 30)


def test_held_grouping_refuses_by_hand_and_catches_up_when_resumed(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    root.mkdir()
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(0)
        daemon.post("/api/pipeline/group/pause")
        for number in range(24):
            write_photo(root / f"{number}.jpg", seed=number // 8, size=(300 + number, 220))
        daemon.settled(24)
        assert stage(daemon, "group")["depth"] == 24
        status, _, body = daemon.request("/api/groups/recluster", "POST")
        assert status == 409
        assert "resume" in json.loads(body)["next_step"]
        assert daemon.get("/api/groups")["items"] == []
        daemon.post("/api/pipeline/group/resume")
        wait_until(lambda: daemon.get("/api/groups")["items"], 60, why="groups")
        wait_until(lambda: stage(daemon, "group")["depth"] == 0, 30)
        status, _, _ = daemon.request("/api/pipeline/settle/pause", "POST")
        assert status == 409


def test_a_quality_job_can_be_cancelled_and_keeps_no_other_job_waiting(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "photos", 40)
    with Daemon(tmp_path / "d", [root], {"score": {"metrics": ["piqe"]}, "worker": {"batch_files": 1}}) as daemon:
        daemon.settled(40)
        wait_until(lambda: all(image["scores"] for image in daemon.images()), 180, why="scores")
        ids = [image["id"] for image in daemon.images()]
        job = daemon.post("/api/images/quality/batch", {"ids": ids, "again": True})["job"]
        assert ended(daemon, daemon.post("/api/groups/recluster"))["state"] == "complete"
        if daemon.get(f"/api/jobs/{job['id']}")["state"] == "running":
            assert daemon.post(f"/api/jobs/{job['id']}", method="DELETE")["state"] == "cancelled"
            wait_until(lambda: stage(daemon, "score")["depth"] == 0, 30, why="the order to be withdrawn")


def test_photos_that_are_away_are_reported_and_hold_nothing_up(tmp_path: Path) -> None:
    here, there = some_photos(tmp_path / "here", 2), tmp_path / "there"
    write_photo(there / "gone.jpg", seed=7)
    with Daemon(tmp_path / "d", [here, there], {"score": {"metrics": ["piqe"]}}) as daemon:
        daemon.settled(3)
        wait_until(lambda: all(image["scores"] for image in daemon.images()), 120, why="scores")
        ids = [image["id"] for image in daemon.images()]
        there.rename(tmp_path / "elsewhere")
        wait_until(lambda: "away" in {image["status"] for image in daemon.images()}, 30)
        job = daemon.post("/api/images/quality/batch", {"ids": ids, "again": True})["job"]
        assert ended(daemon, job)["result"] == {"photos": 3, "scored": 2, "away": 1}


@pytest.mark.parametrize("path", ["/api/images/quality/" + "0" * 64, "/api/groups/nobody/rank?metric=piqe"])
def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    root = tmp_path / "photos"
    root.mkdir()
    with Daemon(tmp_path / "d", [root]) as daemon:
        status, _, _ = daemon.request(path, "POST" if "rank" in path else "GET")
        assert status == 404
