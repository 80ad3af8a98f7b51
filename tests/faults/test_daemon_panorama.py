"""Pictures of 200 megapixels in a library of small ones: everything is taken in, within the memory that is allowed."""

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import write_photo
from tests.harness import Daemon

MEGABYTE = 10**6


def panorama(path: Path, width: int = 20_000, height: int = 10_000) -> None:
    """A valid PNG of that size in some hundred kilobytes, written without ever being held."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    squeeze = zlib.compressobj(1)
    tone = path.name.encode()[0]
    data = b"".join(squeeze.compress(b"\0" + bytes([y % 251, tone, 9]) * width) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data + squeeze.flush()) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def taken_in(daemon: Daemon, photos: int, failed: int = 0, seconds: float = 600) -> int:
    """Wait until all is settled, with so many failures; the most memory the worker ever had, in bytes."""
    ledger = daemon.settled(photos, seconds=seconds)
    assert (ledger["indexed"], ledger["failed"]) == (photos - failed, failed)
    status = daemon.get("/api/status")
    assert status["worker"]["crashes"] == 0
    text = Path(f"/proc/{status['worker']['pid']}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def library(root: Path, small: int) -> None:
    for number in range(small):
        write_photo(root / f"{number % 20}" / f"{number}.jpg", seed=number, size=(160, 120))


def limits(memory: str) -> Mapping[str, Mapping[str, object]]:
    return {"worker": {"memory": memory, "batch_files": 256}}


def test_a_panorama_beside_small_photos_stays_within_the_memory(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    library(root, 60)
    panorama(root / "0.png")
    with Daemon(tmp_path / "d", [root], limits("2GB")) as daemon:
        assert taken_in(daemon, 61) < 2000 * MEGABYTE


def test_a_panorama_the_memory_is_too_small_for_fails_alone_and_says_why(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    library(root, 60)
    panorama(root / "0.png")
    with Daemon(tmp_path / "d", [root], limits("600MB")) as daemon:
        assert taken_in(daemon, 61, failed=1) < 600 * MEGABYTE
        (entry,) = daemon.get("/api/quarantine")["items"]
        assert entry["path"].endswith("0.png")
        assert entry["reason"]["code"] == "too-large"
        assert "memory" in entry["reason"]["message"]


@pytest.mark.slow
def test_panoramas_among_ten_thousand_photos_hold_nobody_up(tmp_path: Path, shared_data: Path) -> None:
    root = tmp_path / "photos"
    library(root, 10_000)
    for name in "abcd":
        panorama(root / f"{name}.png")
    (root / "e.heic").write_bytes((shared_data / "bad" / "huge" / "200MP.heic").read_bytes())
    with Daemon(tmp_path / "d", [root], limits("3GB")) as daemon:
        assert taken_in(daemon, 10_005, seconds=3000) < 3000 * MEGABYTE
