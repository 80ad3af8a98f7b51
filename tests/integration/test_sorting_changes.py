"""What waits while the world changes: rules, scores, a job that is cancelled, a plan that is undone twice."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_photo
from tests.harness import wait_until
from tests.integration.sorting_house import House, photos

MANY = 400


def targets(detail: dict[str, Any]) -> dict[str, str]:
    """Where the photos of a plan go, by name."""
    files = [one["files"][0] for one in detail["items"]]
    return {one["from"].rpartition("/")[2]: one["to"] for one in files}


def reread(house: House, old: str, new: str) -> None:
    """Change the settings file as an editor would, and have it read again."""
    text = house.daemon.config.read_text()
    assert old in text
    house.daemon.config.write_text(text.replace(old, new))
    house.daemon.core.send_signal(signal.SIGHUP)


def test_what_waits_is_made_anew_when_rules_are_read_again(tmp_path: Path) -> None:
    library = str(tmp_path / "library")
    house = House(tmp_path, [{"name": "all", "to": f"{library}/old/{{name}}", "auto": True}])
    house.drop("a.jpg", "b.jpg")
    with house.daemon as daemon:
        first = house.waiting(2)
        assert targets(house.detail(first["id"])) == {one: f"{library}/old/{one}" for one in ("a.jpg", "b.jpg")}
        reread(house, "/old/", "/new/")
        second = wait_until(lambda: next((one for one in house.plans("waiting") if one["id"] != first["id"]), None))
        assert targets(house.detail(second["id"])) == {one: f"{library}/new/{one}" for one in ("a.jpg", "b.jpg")}
        for path, method in ((f"/api/plans/{first['id']}", "GET"), (f"/api/plans/{first['id']}/apply", "POST")):
            status, problem = house.refusal(path, method, {"steps": None} if method == "POST" else None)
            assert (status, problem["plan"]) == (409, second["id"]), problem
            assert second["id"] in problem["next_step"]
        assert house.refusal("/api/plans/never")[0] == 404
        house.sorted(second["id"])
        assert sorted(path.name for path in (house.library / "new").iterdir()) == ["a.jpg", "b.jpg"]
        assert not (house.library / "old").exists()

        status, problem = house.refusal(f"/api/plans/{first['id']}")
        assert (status, problem["type"]) == (409, "urn:pixsortd:problem:plan-changed")
        assert "Nothing waits" in problem["next_step"]
        house.drop("c.jpg")
        wait_until((house.library / "new" / "c.jpg").exists, why="the approved rule to act by itself")
        reread(house, "/new/", "/newer/")
        wait_until(lambda: daemon.get("/api/sort/rules")["items"][0]["to"].endswith("/newer/{name}"))
        house.drop("d.jpg")
        third = house.waiting(1)
        (step,) = house.detail(third["id"])["items"]
        assert step["waits"] == 'the rule "all" is new, or does something else since you have approved it'
        assert (house.inbox / "d.jpg").exists()
        reread(house, "/newer/", "/new/")
        wait_until((house.library / "new" / "d.jpg").exists, why="the rule to be what was approved again")
        house.whole()


def test_rules_written_while_the_settings_are_read_again_are_in_force_when_the_answer_comes(tmp_path: Path) -> None:
    library = str(tmp_path / "library")
    house = House(tmp_path, [{"name": "all", "to": f"{library}/0/{{name}}"}])
    with house.daemon as daemon:
        over = threading.Event()

        def hang_up() -> None:
            while not over.wait(0.005):
                daemon.core.send_signal(signal.SIGHUP)

        meddling = threading.Thread(target=hang_up)
        meddling.start()
        try:
            for number in range(1, 30):
                rule = {"name": "all", "to": f"{library}/{number}/{{name}}"}
                written = daemon.post("/api/sort/rules", {"items": [rule]}, "PUT")
                for found in (written, daemon.get("/api/sort/rules")):
                    assert [one["to"] for one in found["items"]] == [rule["to"]]
        finally:
            over.set()
            meddling.join()
        assert f"{library}/29/" in daemon.config.read_text()
        assert daemon.get("/api/health/live")


@pytest.mark.parametrize("auto", [False, True])
def test_what_a_cancelled_job_has_not_done_waits_and_can_be_done_or_left(tmp_path: Path, auto: bool) -> None:
    library = str(tmp_path / "library")
    house = House(tmp_path, [{"name": "all", "to": f"{library}/{{stem}}/{{name}}", "auto": auto}])
    for number in range(MANY):
        write_photo(house.inbox / f"{number}.jpg", number, size=(64, 48))
    before = sorted(photos(house.inbox).values())
    with house.daemon as daemon:
        plan = house.waiting(MANY)
        started = house.approve(plan["id"])
        wait_until(lambda: any(house.library.iterdir()), every=0.001, why="the first to be moved")
        daemon.request(f"/api/jobs/{started['job']}", "DELETE")
        wait_until(lambda: daemon.get(f"/api/jobs/{started['job']}")["state"] not in ("queued", "running"))
        run = house.done(started["id"])
        done = run["done"]
        assert 0 < done < MANY, "cancelled in the middle"
        assert run["refused"] == MANY - done
        assert len(photos(house.library)) == done
        assert sorted(photos(house.inbox, house.library).values()) == before

        house.waiting(MANY - done)
        daemon.stop()
        daemon.start()
        rest = house.waiting(MANY - done)
        step, *others = house.detail(rest["id"])["items"]
        assert ("cancelled" in step["waits"]) == auto, step["waits"]
        left = daemon.post(f"/api/plans/{rest['id']}/refuse", {"steps": [step["id"]]})
        assert left["steps"] == MANY - done - 1
        house.sorted(left["id"])
        assert len(photos(house.library)) == MANY - 1
        assert list(house.unmoved().values()) == ["you said leave it"]
        assert others
        house.undone(started["id"])
        assert len(photos(house.inbox)) == done + 1
        assert sorted(photos(house.inbox, house.library).values()) == before
        house.whole()


def test_a_rule_on_quality_waits_for_the_score_and_then_sorts(tmp_path: Path) -> None:
    library = str(tmp_path / "library")
    rule = {"name": "scored", "when": {"score.piqe": ">= 0"}, "to": f"{library}/{{name}}", "auto": True}
    house = House(tmp_path, [rule], score={"metrics": ["piqe"]})
    house.drop("a.jpg")
    with house.daemon as daemon:
        house.sorted(house.waiting(1)["id"])
        daemon.post("/api/pipeline/score/pause")
        house.drop("b.jpg")
        wait_until(lambda: "b.jpg" in house.unmoved(), why="the photo to wait")
        assert "score" in house.unmoved()["b.jpg"]
        assert (house.inbox / "b.jpg").exists()
        daemon.post("/api/pipeline/score/resume")
        wait_until((house.library / "b.jpg").exists, why="the photo to be sorted once it has its score")
        house.whole()


def test_an_undoing_that_is_undone_says_which_plan_it_does_again(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{name}"}])
    house.drop("a.jpg")
    with house.daemon as daemon:
        first = house.sorted(house.waiting(1)["id"])["id"]
        back = house.undone(first)["id"]
        again = house.undone(back)["id"]
        assert (house.library / "a.jpg").exists()
        detail = house.detail(again)
        assert (detail["undoes"], detail["redoes"]) == (back, first)
        assert detail["items"][0]["why"] == [f"it does a step of the plan {first} again"]
        away = house.undone(again)["id"]
        assert house.detail(away)["redoes"] == ""
        assert house.detail(house.undone(away)["id"])["redoes"] == first
        names = {one["id"]: one["redoes"] for one in daemon.get("/api/plans")["items"]}
        assert names[again] == first
