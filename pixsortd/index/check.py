"""Looking for anything that is not as it must be, from the counters down to the bits of the originals."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from pixsortd.errors import explain_os_error
from pixsortd.index import derived, places, rows
from pixsortd.index.engine import View
from pixsortd.index.files import counts
from pixsortd.index.schema import Table
from pixsortd.index.spaces import SPACE
from pixsortd.index.store import Store
from pixsortd.records import FileRow, FileState, Record, Space

_EXAMPLES = 20
_CHUNK = 1 << 20
Progress = Callable[[int, int], None]


class Finding(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One thing that is wrong, in words."""

    code: str
    message: str
    next_step: str
    count: int = 1
    examples: tuple[str, ...] = ()
    """Up to 20 of them: hex of a photo, or a path."""


class Search(Protocol):
    """What is asked of a space's search."""

    @property
    def space(self) -> Space: ...
    def verify(self) -> str: ...


_RENEW = "Run `pixsortd rebuild`: it follows from the rest and is made anew."
_RETAKE = "Nothing to do: it is analysed again."


def check(
    store: Store,
    *,
    read_data: bool = False,
    searches: Sequence[Search] = (),
    online: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Everything that is wrong with the index, its thumbnails and the given searches.

    With ``read_data`` every indexed original below the ``online`` roots (id to absolute path) is
    read and hashed, which finds bits that changed without the file's times changing. ``progress`` is
    called with (done, total). Raises ``IndexDamaged`` for a record that fails its checksum.
    """
    findings: list[Finding] = []
    with store.engine.read() as view:
        findings += _ledgers(view)
        findings += [_difference(found) for found in derived.differences(view) if found.table is not Table.COUNTERS]
        findings += _dangling(view)
    findings += _thumbnails(store, progress or _silent)
    findings += [
        Finding(code="search", message=f"space {search.space.name}: {wrong}", next_step=_RENEW)
        for search in searches
        if (wrong := search.verify())
    ]
    if read_data:
        findings += _originals(store, online or {}, progress or _silent)
    return findings


def _silent(_done: int, _total: int) -> None:
    """No progress wanted."""


def _gather(code: str, message: str, next_step: str, subjects: Sequence[str]) -> Iterator[Finding]:
    if subjects:
        yield Finding(
            code=code, message=message, next_step=next_step, count=len(subjects), examples=tuple(subjects[:_EXAMPLES])
        )


def _ledgers(view: View) -> Iterator[Finding]:
    counted = derived.recount(view)
    for root in sorted(counted.keys() | set(view.keys(Table.COUNTERS))):
        kept, truth = counts(view, root), dict(counted.get(root, {}))
        for state in FileState:
            if kept.get(state, 0) != truth.get(state, 0):
                yield Finding(
                    code="ledger",
                    message=f"root {root.hex()}: {kept.get(state, 0)} files counted as {state}, "
                    f"{truth.get(state, 0)} rows say so",
                    next_step=_RENEW,
                )


def _difference(found: derived.Difference) -> Finding:
    parts = {"missing": found.missing, "too many": found.extra, "wrong": found.wrong}
    said = ", ".join(f"{len(keys)} {word}" for word, keys in parts.items() if keys)
    keys = [key.hex() for kind in parts.values() for key in kind]
    return Finding(
        code="derived",
        message=f"table {found.table}: {said}",
        next_step=_RENEW,
        count=len(keys),
        examples=tuple(keys[:_EXAMPLES]),
    )


def _dangling(view: View) -> Iterator[Finding]:
    """References to photos that are not there, and directories that have no rows."""

    def unknown(table: Table, of: Callable[[bytes], bytes]) -> list[str]:
        return [sha256.hex() for sha256 in map(of, view.keys(table)) if not view.has(Table.PHOTOS, sha256)]

    start = "Run `pixsortd rebuild`: what refers to nothing is dropped, and the files are analysed again."
    where = unknown(Table.PLACES, lambda key: key[: places.SHA])
    yield from _gather("dangling-place", "files stand for a photo that is unknown", start, where)
    grouped = unknown(Table.MEMBERSHIPS, lambda key: key)
    yield from _gather("dangling-member", "photos in groups are unknown", start, grouped)
    vectors = unknown(Table.EMBEDDINGS, lambda key: key[SPACE:])
    yield from _gather("dangling-vector", "vectors belong to no photo", start, vectors)
    scored = unknown(Table.SCORES, lambda key: key[: places.SHA])
    yield from _gather("dangling-score", "scores belong to no photo", start, scored)
    directories = {key[: rows.DIR] for key in view.keys(Table.FILES)}
    lost = [key.hex() for key in directories if not view.has(Table.DIRS, key)]
    yield from _gather("lost-directory", "rows are in a directory without a path", start, lost)


def _thumbnails(store: Store, progress: Progress) -> Iterator[Finding]:
    with store.engine.read() as view:
        photos = list(view.keys(Table.PHOTOS))
    bad = []
    for done, sha256 in enumerate(photos):
        photo = store.photo(sha256)
        if photo is not None and photo.thumbnail_size and store.thumbnail(sha256) is None:
            bad.append(sha256.hex())
        progress(done + 1, len(photos))
    yield from _gather("thumbnail", "thumbnails are missing or damaged", _RETAKE, bad)
    stray = [sha256.hex() for sha256 in store.stray_thumbnails()]
    yield from _gather("stray-thumbnail", "thumbnails belong to no photo", "Run `pixsortd rebuild`.", stray)


def _originals(store: Store, online: Mapping[str, bytes], progress: Progress) -> Iterator[Finding]:
    files = [row for root in online for row in _indexed(store, root)]
    rotten, unreadable = [], []
    for done, row in enumerate(files):
        shown = os.fsdecode(os.path.join(online[row.root], row.path))
        try:
            if not _same(online[row.root], row):
                rotten.append(shown)
        except OSError as error:
            unreadable.append(f"{shown}: {explain_os_error(error)[0]}")
        progress(done + 1, len(files))
    yield from _gather(
        "content",
        "files hold other bytes than when they were indexed, though their times say they are unchanged",
        "The disk may be failing: compare these files with a backup.",
        rotten,
    )
    yield from _gather("unreadable", "files cannot be read", "Look at the disk and the permissions.", unreadable)


def _indexed(store: Store, root: str) -> Iterator[FileRow]:
    for directory in store.directories(root):
        for row in store.listing(root, directory).values():
            if row.state is FileState.INDEXED:
                yield row


def _same(root: bytes, row: FileRow) -> bool:
    """Whether the file still holds the content of its row; one that visibly changed is the scan's business."""
    handle = _open_below(root, row.path)
    with os.fdopen(handle, "rb", buffering=0) as file:
        seen = os.fstat(handle)
        stamp = row.stamp
        if stamp is None or not stat.S_ISREG(seen.st_mode):
            return True
        if (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns) != (stamp.size, stamp.mtime_ns, stamp.ctime_ns):
            return True
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        after = os.fstat(handle)
        return digest.digest() == row.sha256 or after.st_ctime_ns != stamp.ctime_ns


def _open_below(root: bytes, path: bytes) -> int:
    """Open a file for reading without following any link below the root; no path is too long for it."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in path.split(b"/"):
        try:
            inner = os.open(part, flags, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle
