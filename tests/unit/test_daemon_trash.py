"""The trash's retention, its cursor and what the index keeps meanwhile, without a daemon."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pixsortd.api.ports import FileEntry, ImageEntry, ImageStatus
from pixsortd.config import Settings
from pixsortd.config.tree import Duration, TrashSettings
from pixsortd.daemon import moved
from pixsortd.daemon.trash import DaemonTrash
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.index.entries import entry_id
from pixsortd.index.store import Store
from pixsortd.records import FileStamp, FileState, Found, RootRecord, RootState, root_id
from tests.unit.index_material import MAP, adds_up, analysis


class Library:
    """A root with photos that are indexed, and all that the trash asks of a daemon."""

    def __init__(self, home: Path, count: int = 3) -> None:
        self.root = home / "root"
        self.root.mkdir()
        self.base = os.fsencode(self.root)
        self.id = root_id(self.base)
        self.record = RootRecord(id=self.id, path=self.base, writable=True, state=RootState.ONLINE)
        self.store = Store.open(home / "index", map_size=MAP)
        self.settings = Settings()
        self.told: list[str] = []
        for number in range(count):
            self.add(f"{number}.jpg", b"photo %d" % number)
        self.trash = self.opened(home)

    def opened(self, home: Path) -> DaemonTrash:
        self.mover = moved.opened(home / "journal", self.store, self)
        return DaemonTrash(
            lambda: self.settings,
            self.mover,
            self.store,
            self,
            self,
            frozenset((b".jpg",)),
            lambda kind, _: self.told.append(kind),
        )

    def add(self, name: str, content: bytes) -> bytes:
        path = self.root / name
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).digest()
        self.store.record(self.id, [Found(path=os.fsencode(name), stamp=FileStamp.of(path.stat()), settled=True)])
        row = self.store.file(self.id, os.fsencode(name))
        assert row is not None
        self.store.commit([(row, analysis(sha256))])
        return sha256

    # --- what the trash asks ---

    def records(self) -> list[RootRecord]:
        return [self.record]

    def writable(self) -> dict[str, bytes]:
        return {self.id: self.base}

    def online(self) -> dict[str, bytes]:
        return self.writable()

    def quiet(self, _roots: object) -> Any:
        return nullcontext()

    def notice(self, _root: str, _paths: object) -> None:
        self.told.append("look")

    def image(self, sha256: bytes) -> ImageEntry:
        rows = self.store.locations(sha256)
        if not rows:
            raise NotFound("there is no photo with this id")
        files = tuple(FileEntry(id=entry_id(row), row=row, root_path=self.base) for row in rows)
        return ImageEntry(sha256=sha256, status=ImageStatus.INDEXED, files=files)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    one = Library(tmp_path)
    yield one
    one.mover.close()
    one.store.close()


SHAS = [hashlib.sha256(b"photo %d" % number).digest() for number in range(3)]


def progress(_done: int, _total: int) -> None:
    """Nobody looks."""


def test_what_was_kept_long_enough_is_deleted_for_good(library: Library) -> None:
    library.trash.discard(SHAS[0])
    assert library.trash.expire(progress) == {"bytes": 0, "files": 0}  # type: ignore[arg-type]
    page = library.trash.list(None, 10)
    assert page.retention == 30 * 86400
    assert page.items[0].until == pytest.approx(time.time() + 30 * 86400, abs=60)
    library.settings = msgspec.structs.replace(library.settings, trash=TrashSettings(keep=Duration(0)))
    assert library.trash.expire(progress) == {"bytes": 7, "files": 1}  # type: ignore[arg-type]
    assert library.trash.list(None, 10).items == []
    assert list((library.root / ".pixsortd-trash").iterdir()) == []


def test_the_index_keeps_what_it_knows_while_a_photo_is_in_the_trash(library: Library) -> None:
    answer = library.trash.discard(SHAS[0])
    assert library.store.locations(SHAS[0]) == []
    assert adds_up(library.store, [library.id])
    assert library.store.forget(-1, keep=library.trash.images()) == []
    assert [photo.sha256 for photo in library.store.forget(-1)] == [SHAS[0]], "without the trash it would be forgotten"
    (back,) = library.trash.restore([answer.items[0].id])
    assert back.reason is None
    row = library.store.file(library.id, b"0.jpg")
    assert row is not None
    assert row.state is FileState.PENDING, "what is not known any more is analysed again"
    assert library.told.count("look") == 1
    assert adds_up(library.store, [library.id])


def test_a_restored_photo_is_indexed_at_once(library: Library) -> None:
    answer = library.trash.discard(SHAS[1])
    library.trash.restore([answer.items[0].id])
    (row,) = library.store.locations(SHAS[1])
    assert row.state is FileState.INDEXED
    assert row.stamp == FileStamp.of((library.root / "1.jpg").stat()), "so that the watcher finds nothing to do"
    assert [step.what for step in library.store.history(SHAS[1])][-2:] == ["trashed", "restored"]
    assert adds_up(library.store, [library.id])


def test_a_file_changed_in_the_trash_is_not_taken_for_what_it_was(library: Library) -> None:
    answer = library.trash.discard(SHAS[0])
    (stored,) = (library.root / ".pixsortd-trash").iterdir()
    stored.write_bytes(b"edited")
    library.trash.restore([answer.items[0].id])
    assert (library.root / "0.jpg").read_bytes() == b"edited"
    assert library.store.file(library.id, b"0.jpg") is None, "the watcher finds it as a new file"


def test_a_file_taken_out_of_the_trash_by_hand_can_only_be_taken_off_the_list(library: Library) -> None:
    answer = library.trash.discard(SHAS[0])
    (stored,) = (library.root / ".pixsortd-trash").iterdir()
    stored.unlink()
    (back,) = library.trash.restore([answer.items[0].id])
    assert back.reason is not None
    assert "not in the trash directory" in back.reason.message
    library.trash.purge([answer.items[0].id])
    assert library.trash.list(None, 10).total == 0


def test_a_changed_file_is_not_moved_and_looked_at(library: Library) -> None:
    (library.root / "0.jpg").write_bytes(b"edited since")
    answers = library.trash.discard_many([SHAS[0], SHAS[1], SHAS[0]])
    assert [answer.reason is None for answer in answers] == [False, True, False]
    assert (library.root / "0.jpg").read_bytes() == b"edited since"
    assert library.told.count("look") == 1


def test_the_list_goes_on_where_it_was_though_items_leave(library: Library) -> None:
    for sha256 in SHAS:
        library.trash.discard(sha256)
    first = library.trash.list(None, 1)
    assert first.next_cursor is not None
    library.trash.restore([first.items[0].id])
    rest = library.trash.list(first.next_cursor, 10)
    assert [item.image for item in rest.items] == [SHAS[1], SHAS[0]]
    assert rest.next_cursor is None
    for wrong in ("", "x", "nan", "1e999-\x00", "-"):
        with pytest.raises(InvalidRequest):
            library.trash.list(wrong, 1)


def test_a_root_that_is_not_writable_any_more_is_left_alone(library: Library, tmp_path: Path) -> None:
    answer = library.trash.discard(SHAS[0])
    library.record = msgspec.structs.replace(library.record, writable=False)
    (back,) = library.trash.restore([answer.items[0].id])
    assert back.reason is not None
    assert "read-only" in back.reason.message
    with pytest.raises(Conflict, match="read-only"):
        library.trash.purge([answer.items[0].id])
    assert library.trash.purge(None) == 0
    with pytest.raises(NotFound):
        library.trash.restore(["nothing"])


def test_last_copies_are_told(library: Library) -> None:
    library.add("twin.jpg", b"photo 0")
    row = next(row for row in library.store.locations(SHAS[0]) if row.path == b"twin.jpg")
    one = library.trash.discard(SHAS[0], entry_id(row))
    assert (one.last_copy, one.items[0].last_copy) == (False, False)
    both = library.trash.discard(SHAS[0])
    assert (both.last_copy, both.items[0].last_copy) == (True, False), "the other one is in the trash as well"
    library.trash.purge([one.items[0].id])
    assert library.trash.list(None, 10).items[0].last_copy
