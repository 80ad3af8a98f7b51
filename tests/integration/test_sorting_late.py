"""Settings and films that come into an inbox when their photo was sorted away already."""

from pathlib import Path

from tests.harness import wait_until
from tests.integration.sorting_house import House


def test_a_late_sidecar_follows_its_photo_by_the_rule_that_sorted_it(tmp_path: Path) -> None:
    library = str(tmp_path / "library")
    house = House(tmp_path, [{"name": "all", "to": f"{library}/{{format}}/new {{name}}", "auto": True}])
    house.drop("a.jpg", "b.jpg")
    with house.daemon as daemon:
        house.sorted(house.waiting(2)["id"])
        (house.inbox / "a.xmp").write_text("settings of a")
        (house.inbox / "nothing.xmp").write_text("of no photo")
        there = house.library / "JPEG"
        wait_until((there / "new a.xmp").exists, why="the sidecar to follow")
        wait_until(lambda: not (house.inbox / "a.xmp").exists(), why="the sidecar to be gone from the inbox")
        run = wait_until(lambda: next((one for one in house.plans("applied") if one["by"] == "rules"), None))
        (step,) = house.detail(run["id"])["items"]
        assert step["why"] == [f"it belongs to a.jpg, which was sorted to {there}/new a.jpg"]
        assert (there / "new a.xmp").read_text() == "settings of a"
        assert (house.inbox / "nothing.xmp").exists()
        house.undone(run["id"])
        assert sorted(path.name for path in house.inbox.iterdir() if path.suffix == ".xmp") == ["a.xmp", "nothing.xmp"]
        wait_until(lambda: "you said leave it" in house.unmoved().get("a.xmp", ""), why="it to be left")

        (there / "new b.xmp").write_text("there already")
        (house.inbox / "b.jpg.xmp").write_text("settings of b")
        (house.inbox / "b.xmp").write_text("more settings of b")
        wait_until((there / "new b.jpg.xmp").exists, why="the second to follow")
        wait_until(lambda: "another new b.xmp beside it already" in house.unmoved().get("b.xmp", ""))
        assert daemon.settled()["pending"] == 0
        house.whole()


def test_a_late_sidecar_waits_where_its_rule_asks_or_is_another_now_and_is_remembered_over_restarts(
    tmp_path: Path,
) -> None:
    library = str(tmp_path / "library")
    house = House(tmp_path, [{"name": "all", "to": f"{library}/{{name}}"}])
    house.drop("a.jpg")
    with house.daemon:
        house.sorted(house.waiting(1)["id"])
    (house.inbox / "a.aae").write_text("edits")
    with house.daemon as daemon:
        plan = house.waiting(1)
        (step,) = house.detail(plan["id"])["items"]
        assert step["waits"] == 'the rule "all" asks each time'
        rule = {"name": "all", "to": f"{library}/other/{{name}}", "auto": True}
        daemon.post("/api/sort/rules", {"items": [rule]}, "PUT")
        wait_until(lambda: "says something else now" in house.unmoved().get("a.aae", ""))
        assert f"which was sorted to {library}/a.jpg" in house.unmoved()["a.aae"]
        rule = {"name": "all", "to": f"{library}/{{name}}"}
        daemon.post("/api/sort/rules", {"items": [rule]}, "PUT")
        house.sorted(house.waiting(1)["id"])
        assert (house.library / "a.aae").read_text() == "edits"
        house.whole()
