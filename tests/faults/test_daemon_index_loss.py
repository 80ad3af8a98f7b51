"""Each part of the index truncated or bit-flipped between runs: noticed, mended, said; no photo lost."""

import random
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon

COUNT = 30


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Flip one bit in each of 64 places spread over the file (sparse holes hit nothing, so many are tried)."""
    chance = random.Random(7)
    data = bytearray(path.read_bytes())
    used = [at for at in range(0, len(data), 64) if any(data[at : at + 64])]
    for at in chance.sample(used, min(64, len(used))):
        data[at + chance.randrange(min(64, len(data) - at))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def part(index: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in index.rglob(pattern) if path.is_file())
    assert found, f"nothing in the index matches {pattern}: {[str(p) for p in index.rglob('*')]}"
    return found


@pytest.mark.parametrize("harm", [truncate, flip, empty])
@pytest.mark.parametrize(("pattern", "every"), [("data.mdb", 1), ("*.faiss", 1), ("*.jpg", 3)])
def test_damage_is_noticed_and_mended(tmp_path, harm, pattern, every):
    root = tmp_path / "photos"
    for number in range(COUNT):
        write_photo(root / f"{number}.jpg", seed=number, size=(320, 240))
    daemon = Daemon(tmp_path / "d", [root])
    with daemon:
        daemon.settled(COUNT)
        ids = {image["id"] for image in daemon.images()}
        one = sorted(ids)[0]
        daemon.post(f"/api/images/{one}", {"rating": 3}, "PATCH")
        like = [item["id"] for item in daemon.get(f"/api/search?like={one}&limit=10")["items"]]
        thumbnails = {photo: daemon.request(f"/api/images/thumbnail/{photo}")[2] for photo in ids}
    for path in part(daemon.state_dir / "index", pattern)[::every]:
        harm(path)
    before = daemon.log.stat().st_size
    with daemon:
        assert daemon.settled(COUNT)["indexed"] == COUNT
        assert {image["id"] for image in daemon.images()} == ids
        assert daemon.get(f"/api/images/metadata/{one}")["rating"] == 3
        assert [item["id"] for item in daemon.get(f"/api/search?like={one}&limit=10")["items"]] == like

        from tests.harness import wait_until

        for photo in ids:
            wait_until(lambda photo=photo: daemon.request(f"/api/images/thumbnail/{photo}")[0] == 200, 60)
            assert daemon.request(f"/api/images/thumbnail/{photo}")[2] == thumbnails[photo]
    said = daemon.log.read_bytes()[before:].decode(errors="replace").lower()
    assert any(word in said for word in ("damaged", "rebuilt", "restored", "made again")), said[-2000:]
