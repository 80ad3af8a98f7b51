"""What is done with single photos: their originals opened, their thumbnails handed out."""

import os
import stat

from pixsortd.api.ports import Original
from pixsortd.daemon.roots import Roots
from pixsortd.errors import ChangedWhileReading, Conflict, NotFound, Unreadable, unreadable
from pixsortd.index.store import Store
from pixsortd.records import FileRow, FileState


class Originals:
    """Originals and thumbnails."""

    def __init__(self, store: Store, roots: Roots) -> None:
        self._store = store
        self._roots = roots

    def original(self, sha256: bytes) -> Original:
        """Open a file that holds the photo and is what its row says it is.

        Raises ``NotFound``, ``Conflict`` when all its roots are away, ``FileProblem``.
        """
        rows = self._store.locations(sha256)
        if not rows:
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        online = self._roots.online()
        present = [row for row in rows if row.root in online and row.state is FileState.INDEXED]
        if not present:
            raise Conflict(
                "every file of this photo is away",
                next_step="Bring the disk or share back; GET /api/roots says which root is missing.",
            )
        photo = self._store.photo(sha256)
        trouble: Unreadable | ChangedWhileReading | None = None
        for row in present:
            try:
                return _open(online[row.root], row, photo.format if photo else "")
            except (Unreadable, ChangedWhileReading) as error:
                trouble = error
                self._roots.settle_again(row.root, row.path)
        assert trouble is not None
        raise trouble

    def thumbnail(self, sha256: bytes) -> bytes | None:
        """The stored thumbnail; None while it has to be made again. Raises ``NotFound``."""
        if self._store.photo(sha256) is None:
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        return self._store.thumbnail(sha256)


def _open(root: bytes, row: FileRow, image_format: str) -> Original:
    """Open a row's file without following any link, and only if it still is the file of its stamp."""
    path = root.rstrip(b"/") + b"/" + row.path
    try:
        descriptor = _open_beneath(root, row.path)
    except OSError as error:
        raise unreadable(error, path) from error
    seen = os.fstat(descriptor)
    stamp = row.stamp
    if (
        stamp is None
        or not stat.S_ISREG(seen.st_mode)
        or (seen.st_size, seen.st_mtime_ns) != (stamp.size, stamp.mtime_ns)
    ):
        os.close(descriptor)
        raise ChangedWhileReading(
            "the file is not the one that was indexed", path=path, next_step="It is looked at again; try later."
        )
    return Original(
        descriptor=descriptor,
        size=seen.st_size,
        name=row.path.rpartition(b"/")[2],
        format=image_format,
    )


def _open_beneath(root: bytes, path: bytes) -> int:
    """Open ``path`` below ``root`` step by step, following no link on the way. Raises ``OSError``."""
    *above, name = path.split(b"/")
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            os.close(directory)
            directory = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    finally:
        os.close(directory)
