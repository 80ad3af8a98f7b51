"""PIXSORT's defects, each as a test that our daemon passes through HTTP."""

import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import ImageFilter
from PIL.ExifTags import IFD, Base

from pixsortd.grouping.cluster import cluster
from pixsortd.index.spaces import SpaceWriter
from pixsortd.index.store import Store
from pixsortd.records import BatchMetric
from tests.conftest import draw, write_photo
from tests.harness import Daemon, wait_until

BLURS = (3.0, 1.0, 2.0, 1.5)
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


def scenes(root: Path, count: int = 2, shots: int = 8) -> Path:
    """So many scenes of look-alikes."""
    for scene in range(count):
        for shot in range(shots):
            write_photo(root / f"s{scene}" / f"{shot}.jpg", seed=scene, size=(300 + shot, 220))
    return root


def by_scene(daemon: Daemon) -> dict[str, list[str]]:
    """Ids of the photos by the name of their directory."""
    found: dict[str, list[str]] = {}
    for image in daemon.images():
        found.setdefault(Path(image["files"][0]["path"]).parent.name, []).append(image["id"])
    return found


def analyzed(daemon: Daemon, batch: str, **parameters: object) -> dict[str, Any]:
    """The batch once it has been analysed."""
    asked = {"min_cluster_size": 3, "min_samples": 2, **parameters}
    job = daemon.post(f"/api/batches/{batch}/analyze", asked, "PUT")
    assert ended(daemon, job)["state"] == "complete"
    return daemon.get(f"/api/batches/{batch}")


def labels(batch: dict[str, Any]) -> dict[str, str | None]:
    """Label by photo."""
    return {image["id"]: image["batch_group"] for image in batch["images"]}


def test_defect_2_stale_ranks_are_dropped(tmp_path: Path) -> None:
    """There ranks and the badge survive a new analysis although the groups changed."""
    with Daemon(tmp_path / "d", [scenes(tmp_path / "photos")], {"score": {"metrics": ["piqe"]}}) as daemon:
        daemon.settled(16)
        wait_until(lambda: all(image["scores"] for image in daemon.images()), 120, why="scores")
        found = by_scene(daemon)
        batch = daemon.post("/api/batches", {"name": "Ranked", "ids": [*found["s0"], *found["s1"]]})["id"]
        home = labels(analyzed(daemon, batch))[found["s0"][0]]
        assert home

        def ranked() -> tuple[set[str], str | None]:
            """Who has a rank, and the badge of the group."""
            now = daemon.get(f"/api/batches/{batch}")
            badge = next((group["metric"] for group in now["groups_list"] if group["label"] == home), None)
            return {image["id"] for image in now["images"] if image["rank"]}, badge

        def rank() -> None:
            daemon.post(f"/api/batches/{batch}/groups/{home.replace(' ', '%20')}/rank?metric=piqe")
            assert ranked() == (set(found["s0"]), "piqe")

        rank()
        daemon.post(f"/api/batches/{batch}/groups", {"labels": {found["s0"][0]: "Other"}}, "PUT")
        assert ranked() == (set(), None), "a photo went into another group by hand"
        daemon.post(f"/api/batches/{batch}/groups", {"labels": {found["s0"][0]: None}}, "PUT")
        assert ranked() == (set(), None), "and its return does not bring the ranks back"
        rank()
        daemon.post(f"/api/batches/{batch}/images", {"ids": found["s0"][:1]}, "DELETE")
        assert ranked() == (set(), None), "a photo left the batch"
        daemon.post(f"/api/batches/{batch}/images", {"ids": found["s0"][:1]})
        analyzed(daemon, batch)
        rank()
        analyzed(daemon, batch, min_samples=1)
        assert ranked() == (set(found["s0"]), "piqe"), "the group is what it was"
        analyzed(daemon, batch, min_cluster_size=9)
        assert ranked() == (set(), None), "the group is gone"


def test_defect_3_analysis_keeps_manual_groups(tmp_path: Path) -> None:
    """There every analysis renumbers the groups and erases what was grouped by hand."""
    with Daemon(tmp_path / "d", [scenes(tmp_path / "photos", 3)]) as daemon:
        daemon.settled(24)
        found = by_scene(daemon)
        batch = daemon.post("/api/batches", {"name": "By hand", "ids": [*found["s0"], *found["s1"]]})["id"]
        before = labels(analyzed(daemon, batch))
        hand = {found["s0"][0]: "Cats", found["s0"][1]: "Cats", found["s1"][0]: "Ungrouped"}
        daemon.post(f"/api/batches/{batch}/groups", {"labels": hand}, "PUT")
        daemon.post(f"/api/batches/{batch}/images", {"ids": found["s2"]})
        for parameters in ({}, {"min_samples": 1}, {"metric": "euclidean"}, {"min_cluster_size": 100}):
            after = analyzed(daemon, batch, **parameters)
            assert {one: labels(after)[one] for one in hand} == hand
            assert {image["id"] for image in after["images"] if image["manual"]} == hand.keys()
        after = labels(analyzed(daemon, batch))
        assert {one: after[one] for one in before if one not in hand} == {
            one: label for one, label in before.items() if one not in hand
        }, "groups that go on keep their number, even after an analysis that found none"
        assert len({after[one] for one in found["s2"]}) == 1


def test_defect_4_one_photo_without_an_embedding_refuses_nothing(tmp_path: Path) -> None:
    """There one missing embedding refuses the whole batch."""
    daemon = Daemon(tmp_path / "d", [scenes(tmp_path / "photos")])
    with daemon:
        daemon.settled(16)
        found = by_scene(daemon)
        lost = found["s0"][0]
        daemon.post("/api/pipeline/analyze/pause")
    store = Store.open(daemon.state_dir / "index", map_size=1 << 30)
    photo = store.photo(bytes.fromhex(lost))
    assert photo is not None
    with store.engine.write() as edit:
        writer = SpaceWriter(edit)
        writer.remove(photo.sha256, photo.number)
        writer.finish()
    store.close()
    with daemon:
        batch = daemon.post("/api/batches", {"name": "All", "ids": [*found["s0"], *found["s1"]]})["id"]
        done = analyzed(daemon, batch)
        assert (done["status"], done["left_out"], done["grouped"], done["error"]) == ("complete", 1, 15, None)
        assert labels(done)[lost] is None
        daemon.post("/api/pipeline/analyze/resume")
        wait_until(lambda: daemon.request(f"/api/search?like={lost}")[0] == 200, 60, why="the vector")
        again = analyzed(daemon, batch)
        assert (again["left_out"], again["grouped"]) == (0, 16)
        assert labels(again)[lost] == labels(done)[found["s0"][1]]


def test_defect_5_a_group_of_one_cannot_be_asked_for(tmp_path: Path) -> None:
    """There the slider goes down to 1, which HDBSCAN cannot do."""
    with Daemon(tmp_path / "d", [scenes(tmp_path / "photos", 1, 3)]) as daemon:
        daemon.settled(3)
        batch = daemon.post("/api/batches", {"name": "Three", "ids": [image["id"] for image in daemon.images()]})["id"]
        for parameters in (
            {"min_cluster_size": 1},
            {"min_cluster_size": 0},
            {"min_cluster_size": -5},
            {"min_cluster_size": 1001},
            {"min_samples": 0},
        ):
            assert daemon.request(f"/api/batches/{batch}/analyze", "PUT", parameters)[0] in (400, 422), parameters
        now = daemon.get(f"/api/batches/{batch}")
        assert (now["status"], now["parameters"]["min_cluster_size"]) == ("pending", 5)
        assert analyzed(daemon, batch, min_cluster_size=2, min_samples=1)["groups"] == 1


def test_defect_6_exposures_over_a_second(tmp_path: Path) -> None:
    """There an exposure is shown as one over its rounded inverse, so that anything longer than a second is "1/0"."""
    root = tmp_path / "photos"
    root.mkdir()
    exposures = {2.0: "2", 30.0: "30", 1.3: "1.3", 1.0: "1", 0.5: "0.5", 1 / 60: "1/60", 1 / 8000: "1/8000"}
    for number, seconds in enumerate(exposures):
        image = draw(number, (96, 64))
        tags = image.getexif()
        tags.get_ifd(IFD.Exif)[Base.ExposureTime.value] = seconds
        image.save(root / f"{number}.jpg", exif=tags)
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(len(exposures))
        found = [daemon.get(f"/api/images/metadata/{image['id']}")["exif"] for image in daemon.images()]
    assert sorted(exif["exposure"] for exif in found) == sorted(exposures.values())
    assert sorted(exif["exposure_seconds"] for exif in found) == pytest.approx(sorted(exposures), rel=1e-3)


@pytest.mark.parametrize("metric", list(BatchMetric))
def test_defect_9_no_metric_needs_the_matrix_of_all_pairs(metric: BatchMetric) -> None:
    """There cosine needs the full pairwise matrix: 80 GB for 100,000 photos."""

    def peak(count: int) -> int:
        generator = np.random.default_rng(9)
        centres = np.repeat(generator.normal(size=(count // 20, 64)), 20, axis=0)
        vectors = (centres + 0.3 * generator.normal(size=(count, 64))).astype(np.float16)
        tracemalloc.start()
        try:
            found = cluster(vectors, 5, 5, metric)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(found.cohesions) > count // 30
        return most

    peak(60)  # what is loaded once is not counted
    few, many = peak(3000), peak(12_000)
    assert many < 6 * few, f"{few / 1e6:.0f} MB, then {many / 1e6:.0f} MB: all pairs would take 16 times as much"


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


def test_defect_8_two_simultaneous_uploads_of_one_file_are_one_photo(tmp_path: Path) -> None:
    """There check and insert race, and the limit of 10 MB and the list of extensions are constants nobody checks."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    content = write_photo(tmp_path / "a.jpg", seed=8).read_bytes()
    settings = {"upload": {"max_bytes": "1MB", "free_floor": 0}}
    with Daemon(tmp_path / "d", [{"path": str(inbox), "role": "inbox"}], settings) as daemon:
        limits = wait_until(lambda: (found := daemon.get("/api/images/upload"))["inbox"] and found)
        assert limits["max_bytes"] == 1_000_000
        batch = daemon.post("/api/batches", {"name": "Uploaded", "ids": []})["id"]

        def upload(path: str, name: str, content: bytes) -> dict[str, Any]:
            answer = httpx.post(daemon.url + path, files={"files": (name, content)}, timeout=60)
            assert answer.status_code == 200
            return answer.json()["items"][0]

        places = ["/api/images/upload", f"/api/batches/{batch}/upload-and-add"]
        with ThreadPoolExecutor(2) as threads:
            both = list(threads.map(upload, places, ["one.jpg", "two.jpg"], [content] * 2))
        assert sorted(one["status"] for one in both) == ["duplicate", "stored"]
        assert both[0]["id"] == both[1]["id"]
        large = upload(places[0], "large.jpg", content + bytes(1_000_000))
        film = upload(places[0], "film.mov", content)
        text = upload(places[0], "text.jpg", b"not a photo")
        assert [one["reason"]["code"] for one in (large, film, text)] == ["too-large", "type", "content"]
        daemon.settled(2)  # the photo and the marker
        assert [image["id"] for image in daemon.images()] == [both[0]["id"]]
        assert [image["id"] for image in daemon.get(f"/api/batches/{batch}")["images"]] == [both[0]["id"]]
        assert len([path for path in inbox.iterdir() if path.suffix == ".jpg"]) == 1


def test_defect_10_delete_is_reversible_and_nothing_wipes_all(tmp_path: Path) -> None:
    """There delete is immediate and for good, and a call without any check wipes everything."""
    root = tmp_path / "photos"
    for number in range(3):
        write_photo(root / f"{number}.jpg", seed=number, size=(160, 120))
    truth = {path: path.read_bytes() for path in root.iterdir()}
    with Daemon(tmp_path / "d", [{"path": str(root), "writable": True}]) as daemon:
        daemon.settled(4)  # with the root's marker
        images = [image["id"] for image in daemon.images()]
        for path in ("/api/admin/truncate-all", "/admin/truncate-all"):
            status, _, _ = daemon.request(path, "DELETE")
            assert status in (404, 405), path
        assert daemon.request("/api/admin/truncate-all", "DELETE")[0] == 404
        for image in images:
            assert daemon.request(f"/api/images/{image}", "DELETE")[0] == 200
        assert list(daemon.images()) == []
        assert not any(path.exists() for path in truth)
        items = daemon.get("/api/trash")["items"]
        assert all(item["until"] - item["at"] > 86400 for item in items), "kept for more than a day"
        daemon.post("/api/trash/restore", {"ids": [item["id"] for item in items]})
        assert {path: path.read_bytes() for path in truth} == truth
        assert sorted(image["id"] for image in daemon.images()) == sorted(images)
