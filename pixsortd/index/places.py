"""Where photos are: which files hold a content, and so where it stands in the timeline."""

import msgspec

from pixsortd.index import rows
from pixsortd.index.codec import encode, order_of
from pixsortd.index.engine import Edit, View
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, Photo

SHA = 32


class Frame(msgspec.Struct, frozen=True, gc=False):
    """The little of a photo that gives it its place in a list and in a grid."""

    width: int
    height: int
    taken: float = 0.0
    number: int = 0


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When a photo was taken, and who says so."""

    taken: float = 0.0
    taken_from: str = "exif"


_photo = msgspec.msgpack.Decoder(Photo).decode
_moment = msgspec.msgpack.Decoder(Moment).decode
_frame = msgspec.msgpack.Decoder(Frame).decode


def photo(view: View, sha256: bytes) -> Photo | None:
    """The photo of that content, if it was ever analysed."""
    payload = view.get(Table.PHOTOS, sha256)
    return None if payload is None else _photo(payload)


def frame(view: View, sha256: bytes) -> Frame | None:
    """Size, time and number of the photo of that content, in much less time than ``photo`` takes."""
    payload = view.get(Table.PHOTOS, sha256)
    return None if payload is None else _frame(payload)


def moment(view: View, sha256: bytes) -> float | None:
    """When the camera says the photo was taken; None where it says nothing, whatever the file's mtime is."""
    payload = view.get(Table.PHOTOS, sha256)
    found = None if payload is None else _moment(payload)
    return found.taken if found is not None and found.taken_from == "exif" else None


def timeline_key(found: Photo) -> bytes:
    """The photo's place in the timeline, newest first."""
    return order_of(found.taken) + found.sha256


def row_at(view: View, key: bytes) -> rows.Row | None:
    """The stored row at a file's key."""
    payload = view.get(Table.FILES, key)
    return None if payload is None else rows.decode(payload)


def file_at(view: View, key: bytes) -> FileRow | None:
    """The row at a file's key as it travels."""
    row = row_at(view, key)
    return None if row is None else public_at(view, key, row)


def public_at(view: View, key: bytes, row: rows.Row) -> FileRow | None:
    """The same of a row that was read already."""
    directory = view.get(Table.DIRS, key[: rows.DIR])
    return None if directory is None else rows.public(row, key[: rows.ROOT].hex(), directory, name_at(key, row))


def name_at(key: bytes, row: rows.Row) -> bytes:
    """The name of the file at ``key``."""
    return row.name if row.name is not None else key[rows.DIR :]


def places(view: View, sha256: bytes) -> list[bytes]:
    """Keys of the files that hold a photo."""
    return [key[SHA:] for key in view.keys(Table.PLACES, sha256)]


def files_of(view: View, sha256: bytes) -> list[FileRow]:
    """The files that hold a photo."""
    return [row for key in places(view, sha256) if (row := file_at(view, key)) is not None]


def gained(edit: Edit, sha256: bytes, root: bytes) -> None:
    """A file under ``root`` holds the photo now."""
    found = photo(edit, sha256)
    if found is None:
        return
    key = timeline_key(found)
    edit.put(Table.TIMELINE, key)
    edit.put(Table.ROOT_TIMELINE, root + key)
    edit.delete(Table.ORPHANS, sha256)


def lost(edit: Edit, sha256: bytes, root: bytes, now: float) -> None:
    """A file under ``root`` holds the photo no longer; without any file it leaves the timeline."""
    found = photo(edit, sha256)
    if found is None or edit.first(Table.PLACES, sha256 + root, sha256 + root) is not None:
        return
    key = timeline_key(found)
    edit.delete(Table.ROOT_TIMELINE, root + key)
    if edit.first(Table.PLACES, sha256, sha256) is None:
        edit.delete(Table.TIMELINE, key)
        edit.put(Table.ORPHANS, sha256, encode(now))


def save_photo(edit: Edit, new: Photo, now: float) -> None:
    """Write a photo record and put it where its files and its time want it in the timeline."""
    old = photo(edit, new.sha256)
    roots = {key[: rows.ROOT] for key in places(edit, new.sha256)}
    if old is not None and old.taken != new.taken:
        stale = timeline_key(old)
        edit.delete(Table.TIMELINE, stale)
        for root in roots:
            edit.delete(Table.ROOT_TIMELINE, root + stale)
    edit.put(Table.PHOTOS, new.sha256, encode(new))
    for root in roots:
        gained(edit, new.sha256, root)
    if old is None and not roots:
        edit.put(Table.ORPHANS, new.sha256, encode(now))


def needs_photo(view: View, sha256: bytes) -> bool:
    """Whether the content has to be decoded: it never was, or its thumbnail is lost."""
    found = photo(view, sha256)
    return found is None or not found.thumbnail_size or view.has(Table.THUMBLESS, sha256)
