"""Batches on a real daemon, through HTTP: their whole life, and what they survive."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon, wait_until

SCENES, SHOTS = 3, 8
SMALL = {"min_cluster_size": 3, "min_samples": 2}

Json = dict[str, Any]


def scenes(root: Path) -> Path:
    """Three scenes of eight look-alikes each."""
    for scene in range(SCENES):
        for shot in range(SHOTS):
            write_photo(root / f"s{scene}" / f"{shot}.jpg", seed=scene, size=(300 + shot, 220))
    return root


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that has seen the scenes and computes one metric."""
    home = tmp_path_factory.mktemp("batches")
    with Daemon(home / "d", [scenes(home / "photos")], {"score": {"metrics": ["piqe"]}}) as running:
        running.settled(SCENES * SHOTS)
        wait_until(lambda: all("piqe" in image["scores"] for image in running.images()), 120, why="scores")
        yield running


def by_scene(daemon: Daemon) -> list[list[str]]:
    """Ids of the photos of each scene."""
    found: list[list[str]] = [[] for _ in range(SCENES)]
    for image in daemon.images():
        found[int(Path(image["files"][0]["path"]).parent.name[1:])].append(image["id"])
    return found


def create(daemon: Daemon, name: str, ids: list[str]) -> str:
    return daemon.post("/api/batches", {"name": name, "ids": ids})["id"]


def batch(daemon: Daemon, which: str) -> Json:
    return daemon.get(f"/api/batches/{which}")


def analyze(daemon: Daemon, which: str, **parameters: object) -> Json:
    """Analyse and wait until it is over; the batch."""
    job = daemon.post(f"/api/batches/{which}/analyze", {**SMALL, **parameters}, "PUT")
    ended = wait_until(
        lambda: (one := daemon.get(f"/api/jobs/{job['id']}"))["state"] not in ("queued", "running") and one
    )
    assert ended["state"] == "complete", ended
    return batch(daemon, which)


def label(daemon: Daemon, which: str, labels: dict[str, str | None]) -> Json:
    return daemon.post(f"/api/batches/{which}/groups", {"labels": labels}, "PUT")


def labels(found: Json) -> dict[str, str | None]:
    return {one["id"]: one["batch_group"] for one in found["images"]}


def test_a_batch_from_its_making_to_its_groups(daemon: Daemon) -> None:
    first, second, third = by_scene(daemon)
    which = create(daemon, " Weekend  trip ", [*first, *second])
    made = batch(daemon, which)
    assert (made["name"], made["status"], made["size"], made["analyzed"]) == ("Weekend trip", "pending", 16, None)
    assert set(labels(made).values()) == {None}
    asked = daemon.post(f"/api/batches/{which}/analyze", SMALL, "PUT")
    assert asked["kind"] == "batch"
    done = wait_until(lambda: (one := batch(daemon, which))["status"] == "complete" and one)
    assert (done["groups"], done["grouped"], done["left_out"], done["error"], done["job"]) == (2, 16, 0, None, None)
    assert done["parameters"] == {**SMALL, "metric": "cosine", "weights": "shared"}
    assert [one["label"] for one in done["groups_list"]] == ["Group 1", "Group 2"]
    found = labels(done)
    assert len({found[one] for one in first}) == len({found[one] for one in second}) == 1
    assert found[first[0]] != found[second[0]]
    assert len(done["preview"]) == 6
    more = daemon.post(f"/api/batches/{which}/images", {"ids": [*first[:2], *third]})
    assert (more["size"], more["status"]) == (24, "pending")
    again = analyze(daemon, which)
    assert (again["status"], again["groups"]) == ("complete", 3)
    assert {one: labels(again)[one] for one in found} == found, "groups that go on keep their label"
    assert labels(again)[third[0]] == "Group 3"
    fewer = daemon.post(f"/api/batches/{which}/images", {"ids": second}, "DELETE")
    assert (fewer["size"], fewer["status"], fewer["groups"]) == (16, "pending", 2)
    assert {one["id"] for one in daemon.images(batch=which)} == {*first, *third}
    assert {"id": which, "name": "Weekend trip"} in daemon.get(f"/api/images/metadata/{first[0]}")["batches"]


@pytest.mark.parametrize("weights", ["shared", "plain"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_either_metric_finds_the_scenes(daemon: Daemon, metric: str, weights: str) -> None:
    batch = create(daemon, f"{metric} {weights}", [one for scene in by_scene(daemon) for one in scene])
    found = analyze(daemon, batch, metric=metric, weights=weights)
    assert (found["parameters"]["metric"], found["parameters"]["weights"]) == (metric, weights)
    assert f"{'plain' if weights == 'plain' else 'shared neighbours by'} {metric} distance" in found["method"]
    assert ("% proved" in found["method"]) == (weights == "plain")
    assert Counter(labels(found).values()) == {f"Group {n}": SHOTS for n in (1, 2, 3)}


def test_names_deletion_and_return(daemon: Daemon) -> None:
    first, *_ = by_scene(daemon)
    which = create(daemon, "One", first[:3])
    assert daemon.post(f"/api/batches/{which}", {"name": "Two"}, "PUT")["name"] == "Two"
    assert daemon.get("/api/batches")["items"][0]["id"] == which
    daemon.post(f"/api/batches/{which}", method="DELETE")
    assert which not in {one["id"] for one in daemon.get("/api/batches")["items"]}
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("POST", "/images", {"ids": first}),
        ("PUT", "/analyze", SMALL),
    ):
        assert daemon.request(f"/api/batches/{which}{path}", method, body)[0] == 404
    assert not list(daemon.images(batch=which))
    assert daemon.post(f"/api/batches/{which}/restore")["name"] == "Two"
    assert batch(daemon, which)["size"] == 3


def test_what_is_refused_changes_nothing(daemon: Daemon) -> None:
    first, second, _ = by_scene(daemon)
    which = create(daemon, "Refusals", first)
    before = batch(daemon, which)
    for status, method, path, body in (
        (404, "POST", "/images", {"ids": [second[0], "0" * 64]}),
        (404, "PUT", "/groups", {"labels": {first[0]: "Cats", second[0]: "Cats"}}),
        (422, "PUT", "/groups", {"labels": {first[0]: "Cats", first[1]: " \t"}}),
        (422, "PUT", "/groups", {"labels": {first[0]: "x" * 101}}),
        (422, "PUT", "", {"name": "x" * 201}),
        (422, "PUT", "", {"name": "a\0b"}),
        (422, "PUT", "/analyze", {"metric": "chebyshev"}),
        (404, "POST", "/groups/Nowhere/rank?metric=piqe", None),
    ):
        assert daemon.request(f"/api/batches/{which}{path}", method, body)[0] == status, (path, body)
    assert daemon.request("/api/batches", "POST", {"name": "x", "ids": ["0" * 64]})[0] == 404
    assert batch(daemon, which) == before


def test_too_few_photos_for_a_group_are_ungrouped(daemon: Daemon) -> None:
    first, *_ = by_scene(daemon)
    for ids in (first[:2], []):
        found = analyze(daemon, create(daemon, "Few", ids))
        assert (found["status"], found["groups"], found["error"]) == ("complete", 0, None)
        assert set(labels(found).values()) <= {"Ungrouped"}


def test_a_label_by_hand_draws_the_group_to_it(daemon: Daemon) -> None:
    first, second, _ = by_scene(daemon)
    which = create(daemon, "Cats and dogs", [*first, *second])
    found = analyze(daemon, which)
    named = label(daemon, which, dict.fromkeys(first[:5], "Cats") | {second[0]: "Ungrouped"})
    assert Counter(labels(named).values()) == {
        "Cats": 5,
        labels(found)[first[7]]: 3,
        labels(found)[second[1]]: 7,
        "Ungrouped": 1,
    }
    assert named["groups_list"][-1]["label"] == "Ungrouped"
    assert {one["id"] for one in named["images"] if one["manual"]} == {*first[:5], second[0]}
    again = analyze(daemon, which, min_samples=1)
    assert {labels(again)[one] for one in first} == {"Cats"}
    assert labels(again)[second[0]] == "Ungrouped"
    freed = label(daemon, which, {second[0]: None})
    assert labels(freed)[second[0]] == labels(freed)[second[1]]


def test_a_ranking_by_a_stored_metric(daemon: Daemon) -> None:
    first, *_ = by_scene(daemon)
    which = create(daemon, "Best", first)
    analyze(daemon, which)
    ranking = daemon.post(f"/api/batches/{which}/groups/Group%201/rank?metric=piqe")
    assert ranking["lower_better"] is True
    values = [one["value"] for one in ranking["items"]]
    assert values == sorted(values)
    shown = batch(daemon, which)
    assert [(one["id"], one["rank"]) for one in shown["images"]] == [
        (one["id"], place) for place, one in enumerate(ranking["items"], 1)
    ]
    assert shown["groups_list"][0]["metric"] == "piqe"
    assert shown["groups_list"][0]["cover"] == ranking["items"][0]["id"]


def test_a_cancelled_analysis_leaves_the_batch_pending_and_is_not_run_again(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "d", [scenes(tmp_path / "photos")])
    with daemon:
        daemon.settled(SCENES * SHOTS)
        which = create(daemon, "Cancelled", [one for scene in by_scene(daemon) for one in scene])
        job = daemon.post(f"/api/batches/{which}/analyze", SMALL, "PUT")
        same = daemon.post(f"/api/batches/{which}/analyze", SMALL, "PUT")
        assert same["id"] == job["id"]
        assert batch(daemon, which)["status"] == "processing"
        daemon.post(f"/api/jobs/{job['id']}", method="DELETE")
        wait_until(lambda: daemon.get(f"/api/jobs/{job['id']}")["state"] == "cancelled", 20)
        wait_until(lambda: batch(daemon, which)["status"] == "pending", 20)
    with daemon:
        daemon.settled(SCENES * SHOTS)
        assert (batch(daemon, which)["status"], batch(daemon, which)["job"]) == ("pending", None)
        first = daemon.post(f"/api/batches/{which}/analyze", SMALL, "PUT")
        other = daemon.post(f"/api/batches/{which}/analyze", {**SMALL, "min_samples": 1}, "PUT")
        assert other["id"] != first["id"], "other parameters take the place of the analysis under way"
        done = wait_until(lambda: (one := batch(daemon, which))["status"] == "complete" and one)
        assert done["parameters"]["min_samples"] == 1
        assert daemon.get(f"/api/jobs/{first['id']}")["state"] == "cancelled"


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_analysis_that_the_daemons_end_cut_short_is_done_after_the_restart(tmp_path: Path, end: str) -> None:
    daemon = Daemon(tmp_path / "d", [scenes(tmp_path / "photos")])
    with daemon:
        daemon.settled(SCENES * SHOTS)
        which = create(daemon, "Cut short", [one for scene in by_scene(daemon) for one in scene])
        daemon.post(f"/api/batches/{which}/analyze", SMALL, "PUT")
        getattr(daemon, end)()
    with daemon:
        done = wait_until(lambda: (one := batch(daemon, which))["status"] == "complete" and one, 60)
        assert done["groups"] == SCENES
    with daemon:
        assert batch(daemon, which)["status"] == "complete", "and not once more"
        assert not [job for job in daemon.get("/api/jobs")["items"] if job["kind"] == "batch"]


def test_batches_come_back_whole_after_the_index_is_deleted(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "d", [scenes(tmp_path / "photos")], {"score": {"metrics": ["piqe"]}})
    with daemon:
        daemon.settled(SCENES * SHOTS)
        wait_until(lambda: all("piqe" in image["scores"] for image in daemon.images()), 120, why="scores")
        first, second, third = by_scene(daemon)
        which = create(daemon, "Kept", [*first, *second, *third])
        analyze(daemon, which)
        label(daemon, which, {first[0]: "Cats"})
        shown = labels(batch(daemon, which))[second[0]]
        daemon.post(f"/api/batches/{which}/groups/{shown.replace(' ', '%20')}/rank?metric=piqe")
        before = batch(daemon, which)
        assert any(one["rank"] for one in before["images"])
    shutil.rmtree(daemon.state_dir / "index")
    shutil.rmtree(daemon.state_dir / "backups", ignore_errors=True)
    with daemon:
        daemon.settled(SCENES * SHOTS)
        after = batch(daemon, which)
        kept = ("id", "batch_group", "manual", "rank", "value")
        assert [[one[name] for name in kept] for one in after["images"]] == [
            [one[name] for name in kept] for one in before["images"]
        ]
        assert {**after, "images": 0} == {**before, "images": 0}


def test_a_photo_whose_file_is_gone_keeps_its_place(tmp_path: Path) -> None:
    root = scenes(tmp_path / "photos")
    with Daemon(tmp_path / "d", [root]) as daemon:
        daemon.settled(SCENES * SHOTS)
        first, *_ = by_scene(daemon)
        which = create(daemon, "Away", first)
        analyze(daemon, which)
        lost = next(one for one in daemon.images() if one["id"] == first[0])
        Path(lost["files"][0]["path"]).unlink()
        wait_until(lambda: first[0] not in {one["id"] for one in daemon.images()}, 30)
        found = next(one for one in batch(daemon, which)["images"] if one["id"] == first[0])
        assert (found["status"], found["batch_group"]) == ("away", "Group 1")
        assert batch(daemon, which)["status"] == "complete"
        assert first[0] not in {one["id"] for one in daemon.images(batch=which)}
