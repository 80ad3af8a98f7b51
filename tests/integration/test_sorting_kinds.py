"""Every action and every way to deal with a taken name on the real daemon: done, not done twice, taken back."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.faults.disk_volume import volume_of
from tests.faults.test_daemon_killed import computed
from tests.harness import wait_until
from tests.integration.sorting_house import House, photos

OLD, NEW = 1_000_000_000, 1_100_000_000
"""Times of files, in seconds."""


def put(path: Path, seed: int, size: tuple[int, int], at: int) -> Path:
    write_photo(path, seed, size)
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("policy", "loses", "wins"),
    [
        ("newer", ((160, 120), OLD), ((160, 120), NEW)),
        ("larger", ((160, 120), NEW), ((320, 240), OLD)),
    ],
)
def test_a_file_that_makes_room_is_in_the_trash_and_comes_back_from_it(
    tmp_path: Path, policy: str, loses: tuple[tuple[int, int], int], wins: tuple[tuple[int, int], int]
) -> None:
    house = House(tmp_path, [{"name": "all", "to": str(tmp_path / "library") + "/{name}", "conflict": policy}])
    there = put(house.library / "a.jpg", 1, *loses)
    (house.library / "a.xmp").write_text("settings of the one that was there")
    put(house.inbox / "a.jpg", 2, *wins)
    displaced_and_returned(house, there)


def test_the_better_photo_displaces_the_other(tmp_path: Path) -> None:
    rule = {"name": "all", "to": str(tmp_path / "library") + "/{name}", "conflict": "best"}
    house = House(tmp_path, [rule], score={"metrics": ["piqe"]})
    sharp = put(house.library / "a.jpg", 1, (320, 240), OLD)
    from PIL import Image, ImageFilter

    with Image.open(sharp) as opened:
        opened.filter(ImageFilter.GaussianBlur(5)).save(house.inbox / "a.jpg", quality=20)
    with house.daemon:
        plan = house.waiting(1)
        (step,) = house.detail(plan["id"])["items"]
        # Whichever of the two the metric prefers: one of them goes to the trash, and says why.
        goes = step["displaced"][0]["from"] if step["displaced"] else step["files"][0]["from"]
        assert "better" in step["conflict"]
        before = photos(house.inbox, house.library)
        run = house.sorted(plan["id"])["id"]
        (item,) = house.daemon.get("/api/trash")["items"]
        assert item["path"] == goes
        house.undone(run)
        assert photos(house.inbox, house.library) == before
        house.whole()


def displaced_and_returned(house: House, there: Path) -> None:
    wins = (house.inbox / "a.jpg").read_bytes()
    before = photos(house.inbox, house.library)
    with house.daemon as daemon:
        plan = house.waiting(1)
        (step,) = house.detail(plan["id"])["items"]
        read = computed(daemon)
        assert [one["from"] for one in step["displaced"]] == [str(there), str(there.with_suffix(".xmp"))]
        run = house.sorted(plan["id"])["id"]
        assert (there.read_bytes(), (house.library / "a.xmp").exists()) == (wins, False)
        items = daemon.get("/api/trash")["items"]
        assert [(one["name"], one["companions"]) for one in items] == [("a.jpg", 1)]
        house.undone(run)
        assert photos(house.inbox, house.library) == before
        assert (house.library / "a.xmp").read_text() == "settings of the one that was there"
        assert daemon.get("/api/trash")["items"] == []

        again = house.plans("applied")[0]["id"]
        house.undone(again)
        (item,) = daemon.get("/api/trash")["items"]
        restored = daemon.post("/api/trash/restore", {"ids": [item["id"]]})["items"]
        assert restored[0]["reason"] is None, restored
        assert sorted(path.name for path in house.library.glob("a*.jpg")) == ["a (2).jpg", "a.jpg"]
        assert (house.library / "a (2).xmp").read_text() == "settings of the one that was there"
        assert sorted(photos(house.inbox, house.library).values()) == sorted(before.values())
        daemon.settled()
        assert computed(daemon) == read, "nothing was read again"
        house.whole()


def made(path: Path, source: Path, action: str) -> None:
    """What an action leaves behind."""
    assert path.read_bytes() == source.read_bytes()
    assert path.is_symlink() == (action == "symlink")
    if action == "symlink":
        assert os.readlink(path) == str(source)
    else:
        assert (path.stat().st_ino == source.stat().st_ino) == (action == "hardlink")
        assert path.stat().st_mtime_ns == source.stat().st_mtime_ns


@pytest.mark.parametrize("action", ["copy", "hardlink", "symlink", "reflink"])
def test_what_is_copied_or_linked_is_so_once_and_can_be_taken_back(tmp_path: Path, action: str) -> None:
    once_and_back(tmp_path, action, able=action != "reflink")


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_reflinks_are_made_once_and_can_be_taken_back(tmp_path: Path, kind: str) -> None:
    with volume_of(kind, tmp_path / "volume") as volume:
        once_and_back(volume.place / "home", "reflink", able=True)


def once_and_back(home: Path, action: str, *, able: bool) -> None:
    """``able`` says whether the file system is known to be."""
    house = House(home, [{"name": "all", "to": f"{home}/library/{action}/", "action": action, "auto": True}])
    source = house.drop("a.jpg")[0]
    with house.daemon as daemon:
        run = house.sorted(house.waiting(1)["id"])
        target = house.library / action / "a.jpg"
        if run["refused"]:
            assert not able, run
            (step,) = house.detail(run["id"])["items"]
            assert "cannot make such a link" in step["reason"]
            assert not target.exists()
            assert source.exists()
            assert not (house.library / action).exists(), "no empty directory is left"
            return
        made(target, source, action)
        house.drop("b.jpg")
        wait_until((house.library / action / "b.jpg").exists, why="the second to follow by itself")
        wait_until(lambda: set(house.unmoved()) == {"a.jpg", "b.jpg"}, why="both to be left alone now")
        assert set(house.unmoved().values()) == {"that was done already"}
        assert daemon.post("/api/plans", {"root": None})["items"][0]["steps"] == 0
        assert len(house.plans("applied")) == 2

        back = house.undone(run["id"])["id"]
        assert source.exists()
        assert not os.path.lexists(target)
        daemon.settled()
        wait_until(lambda: house.unmoved().get("a.jpg") == "you said leave it", why="it not to be made again")
        house.undone(back)
        made(target, source, action)
        daemon.settled()
        house.whole()


def test_a_copy_whose_source_is_gone_goes_to_the_trash_when_it_is_taken_back(tmp_path: Path) -> None:
    house = House(tmp_path, [{"name": "all", "to": f"{tmp_path}/library/", "action": "copy"}])
    source = house.drop("a.jpg")[0]
    with house.daemon as daemon:
        run = house.sorted(house.waiting(1)["id"])["id"]
        daemon.settled()
        source.unlink()
        wait_until(lambda: daemon.ledger()["away"] == 1 or len(next(daemon.images())["files"]) == 1)
        house.undone(run)
        assert not (house.library / "a.jpg").exists()
        (item,) = daemon.get("/api/trash")["items"]
        assert item["path"] == str(house.library / "a.jpg")


@pytest.fixture
def other_device(tmp_path: Path):
    """A directory on another file system."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    home = shared / f"pixsortd-{os.getpid()}-{tmp_path.name}"
    home.mkdir()
    yield home
    shutil.rmtree(home)


def test_photos_go_from_one_file_system_to_another_and_back(tmp_path: Path, other_device: Path) -> None:
    library = str(tmp_path / "library")
    rules = [
        {"name": "links", "when": {"stem": "link*"}, "to": f"{library}/", "action": "hardlink"},
        {"name": "all", "to": f"{library}/{{format}}/{{name}}"},
    ]
    house = House(tmp_path, rules, inbox=other_device / "inbox")
    house.drop("a.jpg", "deep/b.jpg", "link.jpg")
    (house.inbox / "a.xmp").write_text("settings")
    before = photos(house.inbox)
    with house.daemon as daemon:
        plan = house.waiting(2)
        detail = house.detail(plan["id"])
        assert [one["why"] for one in detail["unmoved"]] == ["a hardlink cannot lead to another file system"]
        assert [one["needed"] > 0 for one in detail["rooms"] if one["base"] == library] == [True]
        run = house.sorted(plan["id"])["id"]
        assert sorted(path.name for path in (house.library / "JPEG").iterdir()) == ["a.jpg", "a.xmp", "b.jpg"]
        assert sorted(photos(house.inbox, house.library).values()) == sorted(before.values())
        assert list(photos(house.inbox)) == [str(house.inbox / "link.jpg")]
        house.undone(run)
        assert photos(house.inbox, house.library) == before
        assert (house.inbox / "a.xmp").read_text() == "settings"
        daemon.settled()
        house.whole()
