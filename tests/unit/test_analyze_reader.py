"""Files read before they are asked for: used while they are unchanged, forgotten otherwise, never in the way."""

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pixsortd.analyze import reader as module
from pixsortd.analyze.reader import Reader
from pixsortd.records import FileStamp, Fingerprint, WorkItem
from tests.harness import wait_until

ROOM = 10_000


class Disk:
    """Counts what is read; reading a name in ``stuck`` waits until it is let go, one in ``full`` has no memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[bytes] = []
        self.stuck: dict[bytes, threading.Event] = {}
        self.full: dict[bytes, int] = {}
        self._really = module.read_stable
        monkeypatch.setattr(module, "read_stable", self.read)

    def read(self, root: bytes, path: bytes, stamp: FileStamp, max_bytes: int) -> bytes:
        self.reads.append(path)
        if path in self.stuck:
            self.stuck[path].wait(20)
        if self.full.get(path, 0) > 0:
            self.full[path] -= 1
            raise MemoryError
        return self._really(root, path, stamp, max_bytes)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(monkeypatch)
    yield disk
    for event in disk.stuck.values():
        event.set()


@pytest.fixture
def heard() -> list[tuple[str, Any]]:
    return []


@pytest.fixture
def subject(disk: Disk, heard: list[tuple[str, Any]]) -> Iterator[Reader]:
    with ThreadPoolExecutor(2) as pool:
        subject = Reader(pool, 1000, ROOM, lambda stage, ids: heard.append((stage, tuple(ids))))
        yield subject
        subject.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[bytes, WorkItem]:
    """Five files by name, with numbers from 0."""
    for name in "abcde":
        (tmp_path / name).write_bytes(name.encode() * 100)
    return {name: item_of(tmp_path, name, number) for number, name in enumerate(map(os.fsencode, "abcde"))}


def item_of(root: Path, name: bytes, number: int) -> WorkItem:
    stamp = FileStamp.of((root / os.fsdecode(name)).stat())
    return WorkItem(id=number, root=os.fsencode(root), path=name, stamp=stamp)


def read_ahead(subject: Reader, items: list[WorkItem]) -> None:
    """Until all of it is there."""
    subject.look_ahead(items)
    for reading in list(subject._ahead.values()):
        reading.exception(20)


def names(prints: list[Fingerprint]) -> list[bytes | None]:
    return [one.sha256 for one in prints]


def sha(name: bytes) -> bytes:
    return hashlib.sha256(name * 100).digest()


def test_what_was_read_ahead_is_not_read_again(subject: Reader, disk: Disk, files: dict[bytes, WorkItem]) -> None:
    read_ahead(subject, [files[b"a"], files[b"b"]])
    assert disk.reads == [b"a", b"b"]
    prints = list(subject.fingerprint(list(files.values())))
    assert names(prints) == [sha(name) for name in files]
    assert disk.reads == [b"a", b"b", b"c", b"d", b"e"]
    held = subject.take([0, 3])
    assert [one.content.data for one in held] == [b"a" * 100, b"d" * 100]
    assert all(set(one.seconds) == {"read", "hash"} for one in held)
    assert subject.take([0]) == []


def test_the_number_is_the_one_of_the_batch(subject: Reader, disk: Disk, files: dict[bytes, WorkItem]) -> None:
    read_ahead(subject, [files[b"c"]])
    item = WorkItem(id=77, root=files[b"c"].root, path=b"c", stamp=files[b"c"].stamp)
    assert [one.id for one in subject.fingerprint([item])] == [77]
    assert disk.reads == [b"c"]


@pytest.mark.parametrize("what", ["rewritten", "replaced", "gone"])
def test_a_file_that_changed_after_it_was_read_ahead_must_settle_again(
    subject: Reader, files: dict[bytes, WorkItem], tmp_path: Path, what: str
) -> None:
    read_ahead(subject, [files[b"a"]])
    if what == "rewritten":
        (tmp_path / "a").write_bytes(b"b" * 100)
    elif what == "replaced":
        (tmp_path / "new").write_bytes(b"a" * 100)
        os.utime(tmp_path / "new", ns=(1, files[b"a"].stamp.mtime_ns))
        (tmp_path / "new").replace(tmp_path / "a")
    else:
        (tmp_path / "a").unlink()
    assert list(subject.fingerprint([files[b"a"]])) == [Fingerprint(id=0, changed=True)]
    assert subject.take([0]) == []


def test_another_stamp_is_another_file(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem], tmp_path: Path
) -> None:
    read_ahead(subject, [files[b"a"]])
    (tmp_path / "a").write_bytes(b"c" * 100)
    assert names(list(subject.fingerprint([item_of(tmp_path, b"a", 0)]))) == [sha(b"c")]
    assert disk.reads == [b"a", b"a"]


def test_a_failure_ahead_is_tried_again_and_then_told(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem], tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1001)
    large = item_of(tmp_path, b"large", 9)
    disk.full[b"a"] = 1
    read_ahead(subject, [large, files[b"a"]])
    prints = list(subject.fingerprint([large, files[b"a"]]))
    assert prints[0].failure is not None
    assert prints[0].failure.code == "too-large"
    assert prints[1].sha256 == sha(b"a")
    assert disk.reads == [b"large", b"a", b"large", b"a"]


def test_no_more_is_read_ahead_than_there_is_room_for(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "_ahead_bytes", 250)
    read_ahead(subject, list(files.values()))
    assert disk.reads == [b"a", b"b"]


def test_what_is_not_named_any_more_is_forgotten_and_the_rest_kept(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem]
) -> None:
    read_ahead(subject, [files[b"a"], files[b"b"]])
    read_ahead(subject, [files[b"b"], files[b"c"]])
    assert disk.reads == [b"a", b"b", b"c"]
    # A batch of others in between leaves them in place.
    list(subject.fingerprint([files[b"e"]]))
    list(subject.fingerprint([files[b"a"], files[b"b"], files[b"c"]]))
    assert disk.reads == [b"a", b"b", b"c", b"e", b"a"]
    assert not subject._ahead


def test_a_read_that_hangs_ahead_is_that_files_and_nobody_elses(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem], heard: list[tuple[str, Any]]
) -> None:
    disk.stuck[b"b"] = threading.Event()
    subject.look_ahead(list(files.values()))
    wait_until(lambda: b"b" in disk.reads)
    # Those that do not need it pass, and nothing says that it is being read.
    assert names(list(subject.fingerprint([files[b"a"], files[b"c"]]))) == [sha(b"a"), sha(b"c")]
    assert ("read", (1,)) not in heard
    # Files named later are read although the thread that hangs never comes back.
    read_ahead(subject, [files[b"d"], files[b"e"]])
    assert disk.reads[-2:] == [b"d", b"e"]
    # Whoever asks for it waits, and is told for which file.
    subject.look_ahead([files[b"b"]])
    heard.clear()
    prints: list[Fingerprint] = []
    thread = threading.Thread(target=lambda: prints.extend(subject.fingerprint([files[b"d"], files[b"b"]])))
    thread.start()
    wait_until(lambda: ("read", (1,)) in heard)
    assert heard[-1] == ("read", (1,))
    disk.stuck[b"b"].set()
    thread.join(20)
    assert names(prints) == [sha(b"d"), sha(b"b")]


def test_a_file_named_twice_is_read_once_ahead(subject: Reader, disk: Disk, files: dict[bytes, WorkItem]) -> None:
    twice = [files[b"a"], WorkItem(id=5, root=files[b"a"].root, path=b"a", stamp=files[b"a"].stamp)]
    read_ahead(subject, twice)
    assert disk.reads == [b"a"]
    assert names(list(subject.fingerprint(twice))) == [sha(b"a")] * 2


def test_memory_running_out_lets_go_of_what_was_read_ahead(
    subject: Reader, disk: Disk, files: dict[bytes, WorkItem]
) -> None:
    read_ahead(subject, [files[b"d"]])
    disk.full[b"a"] = 1
    assert names(list(subject.fingerprint([files[b"a"]]))) == [sha(b"a")]
    assert not subject._ahead


def test_a_file_too_large_for_the_memory_fails_alone(subject: Reader, disk: Disk, files: dict[bytes, WorkItem]) -> None:
    disk.full[b"a"] = 100
    (alone,) = subject.fingerprint([files[b"a"]])
    assert alone.failure is not None
    assert alone.failure.code == "too-large"
    assert "memory" in alone.failure.message
    # Beside others nobody knows whose fault it is: the worker ends, and each is tried by itself.
    with pytest.raises(MemoryError):
        list(subject.fingerprint([files[b"b"], files[b"a"]]))
