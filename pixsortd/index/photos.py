"""Photos: what is known of one content, where it is, its thumbnail and its passport."""

import math
import time
from array import array
from collections.abc import Collection, Mapping, Sequence

import msgspec
import structlog

from pixsortd.index import groups, history, places, rows, scores
from pixsortd.index.backfill import Sweep
from pixsortd.index.codec import number_key
from pixsortd.index.engine import Edit, Engine
from pixsortd.index.files import history_key
from pixsortd.index.listing import Listing
from pixsortd.index.queries import PhotoCell, PhotoItem, PhotoQuery
from pixsortd.index.schema import Table
from pixsortd.index.spaces import SpaceWriter
from pixsortd.index.thumbs import Thumbnails
from pixsortd.records import FileRow, Photo, Score, Step

log = structlog.get_logger()

_FORGET_AT_ONCE = 256
_seconds = msgspec.msgpack.Decoder(float).decode


class Photos:
    """The part of the store that knows contents."""

    _engine: Engine
    _thumbs: Thumbnails
    _sweep: Sweep

    def photo(self, sha256: bytes) -> Photo | None:
        """What is known of a content, whether or not a file still holds it."""
        with self._engine.read() as view:
            return places.photo(view, sha256)

    def items(self, contents: Sequence[bytes], away_roots: Collection[str] = ()) -> list[PhotoItem]:
        """What is known of each of these photos that is one; away are those all of whose files are."""
        with self._engine.read() as view:
            listing = Listing(view, PhotoQuery(), frozenset(away_roots))
            return [listing.item(sha256) for sha256 in contents if view.has(Table.PHOTOS, sha256)]

    def cells(self, contents: Collection[bytes], away_roots: Collection[str] = ()) -> list[PhotoCell]:
        """What a grid shows of each of these photos that is one; away are those all of whose files are."""
        with self._engine.read() as view:
            listing = Listing(view, PhotoQuery(), frozenset(away_roots))
            return [listing.cell(sha256) for sha256 in contents if view.has(Table.PHOTOS, sha256)]

    def moments(self, contents: bytes) -> bytes:
        """When the camera says each photo was taken, by the hashes one behind the other: packed 64-bit floats.

        NaN where it says nothing. No object is kept for a photo.
        """
        found = array("d")
        with self._engine.read() as view:
            for start in range(0, len(contents), places.SHA):
                at = places.moment(view, contents[start : start + places.SHA])
                found.append(math.nan if at is None else at)
        return found.tobytes()

    def without_file(self) -> list[bytes]:
        """Photos that no file holds any more and that are not yet forgotten, by rising hash."""
        with self._engine.read() as view:
            return list(view.keys(Table.ORPHANS))

    def locations(self, sha256: bytes) -> list[FileRow]:
        """The files that hold a content, away ones included."""
        with self._engine.read() as view:
            return places.files_of(view, sha256)

    def scores(self, sha256: bytes) -> list[Score]:
        """A photo's scores, all metrics side by side."""
        with self._engine.read() as view:
            return scores.of(view, sha256)

    def thumbnail(self, sha256: bytes) -> bytes | None:
        """The stored thumbnail, or None where there is none that passes its checksum.

        A lost one is noted, so that ``lacking`` offers the photo again.
        """
        with self._engine.read() as view:
            found = places.photo(view, sha256)
            noted = view.has(Table.THUMBLESS, sha256)
        if found is None or not found.thumbnail_size:
            return None
        data = self._thumbs.read(sha256, found.thumbnail_crc, found.thumbnail_size)
        if data is None and not noted and not self._engine.readonly:
            log.warning("thumbnail lost or damaged, to be made again", photo=sha256.hex())
            with self._engine.write() as edit:
                edit.put(Table.THUMBLESS, sha256)
            self._sweep.restart()
        return data

    def stray_thumbnails(self) -> list[bytes]:
        """Contents that have a thumbnail file but no photo; those of the last hour may be of one in work."""
        stored = list(self._thumbs.stored(before=time.time() - 3600))
        with self._engine.read() as view:
            return [sha256 for sha256 in stored if not view.has(Table.PHOTOS, sha256)]

    def remove_thumbnails(self, contents: Sequence[bytes]) -> None:
        """Delete thumbnail files."""
        for sha256 in contents:
            self._thumbs.remove(sha256)

    def history(self, sha256: bytes) -> list[Step]:
        """The passport of a photo, oldest step first."""
        with self._engine.read() as view:
            return history.steps(view, history.photo_history(sha256))

    def file_history(self, root: str, path: bytes) -> list[Step]:
        """The passport of the file at a path: its photo's, once its content is known."""
        key = rows.file_key(rows.root_key(root), path)
        with self._engine.read() as view:
            return history.steps(view, history_key(key, places.row_at(view, key)))

    def known(self, contents: Collection[bytes]) -> frozenset[bytes]:
        """Those among ``contents`` that are photos, whether or not a file still holds them."""
        with self._engine.read() as view:
            return frozenset(sha256 for sha256 in contents if view.has(Table.PHOTOS, sha256))

    def add_file_history(self, root: str, steps: Mapping[bytes, Step]) -> None:
        """Add a step to the passport of each file by its path below a root, be it one that is not known yet."""
        prefix = rows.root_key(root)
        with self._engine.write() as edit:
            for path, step in steps.items():
                key = rows.file_key(prefix, path)
                history.merge(edit, history_key(key, places.row_at(edit, key)), [step])

    def add_histories(self, steps: Mapping[bytes, Sequence[Step]]) -> None:
        """Add steps to the passports of many photos, in one transaction."""
        with self._engine.write() as edit:
            for sha256, own in steps.items():
                history.add(edit, history.photo_history(sha256), own)

    def forget(self, older_than: float, keep: Collection[bytes] = ()) -> list[Photo]:
        """Delete photos that lost their last file more than ``older_than`` seconds ago, but those to ``keep``.

        Returns the deleted ones.
        """
        before, forgotten = time.time() - older_than, list[Photo]()
        with self._engine.read() as view:
            due = [sha256 for sha256, at in view.items(Table.ORPHANS) if _seconds(at) < before and sha256 not in keep]
        for start in range(0, len(due), _FORGET_AT_ONCE):
            with self._engine.write() as edit:
                spaces, gone = SpaceWriter(edit), list[Photo]()
                for sha256 in due[start : start + _FORGET_AT_ONCE]:
                    found = places.photo(edit, sha256)
                    if found is not None and edit.has(Table.ORPHANS, sha256):
                        _delete(edit, spaces, found)
                        gone.append(found)
                spaces.finish()
            self.remove_thumbnails([photo.sha256 for photo in gone])
            forgotten += gone
        return forgotten


def _delete(edit: Edit, spaces: SpaceWriter, photo: Photo) -> None:
    sha256 = photo.sha256
    spaces.remove(sha256, photo.number)
    membership = groups.membership_at(edit, sha256)
    if membership is not None:
        groups.assign(edit, sha256, None)
        groups.resize(edit, membership.group, -1)
    for key in list(edit.keys(Table.SCORES, sha256)):
        edit.delete(Table.SCORES, key)
    edit.delete(Table.HISTORY, history.photo_history(sha256))
    edit.delete(Table.NUMBERS, number_key(photo.number))
    for table in (Table.THUMBLESS, Table.ORPHANS, Table.PHOTOS):
        edit.delete(table, sha256)
