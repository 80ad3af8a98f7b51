"""Sorting with the real daemon: dropped, planned, approved, done, taken back, and nothing read a second time."""

import os
import urllib.request
from pathlib import Path

from tests.conftest import write_photo
from tests.faults.test_daemon_killed import computed
from tests.harness import wait_until
from tests.integration.sorting_house import House, photos


def test_a_dropped_photo_waits_once_and_then_is_sorted_by_itself(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{format}/", "auto": True}])
    house.drop("a.jpg")
    (house.inbox / "a.xmp").write_text("settings")
    with house.daemon as daemon:
        plan = house.waiting(1)
        detail = daemon.get(f"/api/plans/{plan['id']}")
        (step,) = detail["items"]
        assert "first plan" in step["waits"]
        assert [os.path.basename(one["to"]) for one in step["files"]] == ["a.jpg", "a.xmp"]
        assert any(one["code"] == "plan-waits" for one in daemon.get("/api/status")["notices"])
        before = computed(daemon)
        started = house.approve(plan["id"])
        assert house.done(started["id"])["done"] == 1
        assert sorted(path.name for path in (house.library / "JPEG").iterdir()) == ["a.jpg", "a.xmp"]
        house.drop("b.jpg")
        wait_until((house.library / "JPEG" / "b.jpg").exists, why="the second to be sorted by itself")
        last = wait_until(lambda: next((one for one in house.plans("applied") if one["by"] == "rules"), None))
        assert (last["steps"], last["done"]) == (1, 1)
        daemon.settled()
        assert computed(daemon) == before + 1, "what was moved is not read again"
        image = next(one for one in daemon.images() if one["name"] == "a.jpg")
        words = [one["what"] for one in daemon.get(f"/api/why?id={image['id']}")["steps"]]
        assert words[-1] == "sorted"
        assert words.count("found") == 1
        house.whole()


def test_a_plan_is_taken_back_and_that_is_taken_back_after_restarts(tmp_path: Path) -> None:
    rules = [{"name": "all", "to": str(tmp_path / "library") + "/{format}/{stem}.{ext|lower}"}]
    house = House(tmp_path, rules)
    house.drop("a.jpg", "deep/b.JPG", "c.jpg")
    write_photo(house.archive / "kept.jpg", seed=77, size=(160, 120))
    untouched = photos(house.archive)
    before = photos(house.inbox, house.library)
    with house.daemon:
        plan = house.waiting(3)
        run = house.approve(plan["id"])["id"]
        house.done(run)
        after = photos(house.inbox, house.library)
        assert sorted(after.values()) == sorted(before.values())
        assert photos(house.inbox) == {}
    with house.daemon as daemon:
        assert daemon.settled()["pending"] == 0
        back = daemon.post(f"/api/plans/{run}/undo", {"steps": None})["id"]
        house.done(back)
        assert photos(house.inbox, house.library) == before
        assert daemon.get(f"/api/plans/{run}")["state"] == "undone"
        assert not (house.library / "JPEG").exists(), "the directory was made for the plan"
        assert computed(daemon) == 0
    with house.daemon as daemon:
        again = daemon.post(f"/api/plans/{back}/undo", {"steps": None})["id"]
        house.done(again)
        assert photos(house.inbox, house.library) == after
        assert daemon.get(f"/api/plans/{run}")["state"] == "applied"
        status, _, body = daemon.request(f"/api/plans/{back}/undo", "POST", {"steps": None})
        assert status == 409, body
        daemon.settled()
        assert computed(daemon) == 0, "nothing was read again"
        assert photos(house.archive) == untouched
        house.whole()


def test_some_steps_are_approved_and_some_refused(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{name}"}])
    house.drop("a.jpg", "b.jpg", "c.jpg")
    with house.daemon as daemon:
        plan = house.waiting(3)
        steps = {
            one["files"][0]["to"].rpartition("/")[2]: one["id"]
            for one in daemon.get(f"/api/plans/{plan['id']}")["items"]
        }
        fresh = daemon.post(f"/api/plans/{plan['id']}/refuse", {"steps": [steps["a.jpg"]]})
        assert (fresh["steps"], fresh["state"]) == (2, "waiting")
        status, _, body = daemon.request(f"/api/plans/{plan['id']}/apply", "POST", {"steps": None})
        assert status == 409
        assert fresh["id"] in body.decode()
        house.done(house.approve(fresh["id"], [steps["b.jpg"]])["id"])
        left = house.waiting(1)
        detail = daemon.get(f"/api/plans/{left['id']}")
        assert [one["why"] for one in detail["unmoved"]] == ["you said leave it"]
        assert sorted(path.name for path in house.inbox.glob("*.jpg")) == ["a.jpg", "c.jpg"]
        assert daemon.request("/api/plans/nothing/apply", "POST", {"steps": None})[0] == 404
        assert daemon.request(f"/api/plans/{left['id']}/apply", "POST", {"steps": ["nothing"]})[0] == 404
        page = daemon.get("/api/plans?limit=1")
        rest = daemon.get(f"/api/plans?limit=5&cursor={page['next_cursor']}")
        assert [one["state"] for one in (*page["items"], *rest["items"])] == ["waiting", "applied"]
        assert page["total"] == 2
        house.whole()


def test_a_file_that_changes_after_approval_is_left_and_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{name}"}])
    house.drop("a.jpg")
    write_photo(house.library / "A.JPG", seed=5, size=(160, 120))
    with house.daemon as daemon:
        plan = house.waiting(1)
        (step,) = daemon.get(f"/api/plans/{plan['id']}")["items"]
        assert step["files"][0]["to"].endswith("a (2).jpg")
        house.done(house.approve(plan["id"])["id"])
        assert sorted(path.name for path in house.library.glob("*.*g")) == ["a (2).jpg"]
        assert (house.library / "A.JPG").exists()
        house.whole()


def test_an_upload_is_sorted_by_itself(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{name}", "auto": True}])
    house.drop("a.jpg")
    with house.daemon as daemon:
        house.done(house.approve(house.waiting(1)["id"])["id"])
        data = write_photo(tmp_path / "up.jpg", seed=9, size=(160, 120)).read_bytes()
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="up.jpg"\r\n\r\n'
        request = urllib.request.Request(
            daemon.url + "/api/images/upload",
            data=head + data + b"\r\n--x--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status < 300
        wait_until((house.library / "up.jpg").exists, why="the upload to be sorted")
        wait_until(lambda: not list(house.inbox.glob("*.jpg")), why="the inbox to be empty")
        house.whole()


def test_killed_in_the_middle_of_a_plan_it_goes_on_after_the_restart(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{stem}/{name}"}])
    house.drop(*(f"{number}.jpg" for number in range(150)))
    before = sorted(photos(house.inbox).values())
    with house.daemon:
        plan = house.waiting(150)
        run = house.approve(plan["id"])["id"]
        wait_until(lambda: any(house.library.iterdir()), every=0.001, why="the first to be moved")
        house.daemon.kill()
        assert sorted(set(photos(house.inbox, house.library).values())) == before
        house.daemon.start()
        assert house.done(run)["done"] == 150
        assert sorted(photos(house.library).values()) == before
        house.daemon.settled()
        assert computed(house.daemon) == 0
        house.whole()
