"""Memory given back: the map keeps its contents, the process holds none of its pages."""

import mmap
import os
from pathlib import Path

import pytest

from pixsortd.index.engine import DATA
from pixsortd.index.mapped import release
from pixsortd.index.store import Store


def resident(path: Path) -> int:
    """Kilobytes of the file's maps that are in this process's memory."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text(errors="surrogateescape").splitlines():
        if line[:1].islower() or line[:1].isdigit():
            ours = line.endswith(f" {path}")
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


@pytest.mark.parametrize("name", ["plain", "with a space", "ümlaut"])
def test_pages_are_given_back_and_come_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = os.urandom(1 << 20)
    path.write_bytes(data)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert view[:] == data
        assert resident(path) >= 1024
        release(path)
        assert resident(path) == 0
        assert view[:] == data


def test_only_the_maps_of_that_file_that_are_only_read(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.write_bytes(bytes(1 << 16))
    with (
        one.open("r+b") as file,
        mmap.mmap(file.fileno(), 0) as written,
        other.open("rb") as beside,
        mmap.mmap(beside.fileno(), 0, prot=mmap.PROT_READ) as view,
    ):
        written[:4], kept = b"mine", view[:]
        release(one)
        assert resident(other) >= len(kept) // 1024
        assert written[:4] == b"mine"


def test_the_index_answers_as_before(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "index", map_size=1 << 24)
    try:
        for number in range(200):
            store.meta_set(f"note{number}", bytes([number]) * 1000)
        before = [store.meta_get(f"note{number}") for number in range(200)]
        assert resident(tmp_path / "index" / DATA) > 0
        store.engine.rest()
        assert resident(tmp_path / "index" / DATA) == 0
        assert [store.meta_get(f"note{number}") for number in range(200)] == before
    finally:
        store.close()
