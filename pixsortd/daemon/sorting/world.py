"""What a plan has to know of the disk and the index, looked up once for each plan."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pixsortd.daemon.places import ABSENT, innermost
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.errors import Unreadable, explain_os_error
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import FileRow, FileStamp, FileState, Place, RootRecord
from pixsortd.sorting.disk import Directories
from pixsortd.sorting.planning.world import Entry, Known, Volume

_ABSENT = (FileNotFoundError, NotADirectoryError)


class Look:
    """Disk and index at the time of one plan; implements ``pixsortd.sorting.planning.world.World``.

    Directories are listed once. Everything raises ``Unreadable`` where the disk does not answer.
    """

    def __init__(
        self,
        store: Store,
        roots: Collection[RootRecord],
        compare: Callable[[Iterable[Scored]], Comparison],
    ) -> None:
        self._store = store
        self._roots: Mapping[str, RootRecord] = {record.id: record for record in roots}
        self._bases = {record.id: record.path for record in roots}
        self._compare = compare
        self._listings: dict[tuple[bytes, bytes], Sequence[Entry]] = {}

    def listing(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        """Every name in a directory; none where there is no such directory."""
        key = (base, directory)
        if key not in self._listings:
            self._listings[key] = self._listed(base, directory)
        return self._listings[key]

    def known(self, place: Place, stamp: FileStamp) -> Known:
        """What the index says of the file that has this stamp, and whether it may be displaced."""
        held = innermost(self._bases, place.absolute)
        if held is None:
            return Known(kept="it lies in no root of the configuration")
        root, path = held
        row, record = self._store.file(root, path), self._roots[root]
        if row is None or row.stamp is None or not _same(row.stamp, stamp):
            return Known(kept="it is not known yet, or is being changed")
        return Known(
            sha256=row.sha256 if row.state is FileState.INDEXED else None,
            composite=self._composite(row),
            kept=_kept(record, row),
        )

    def volume(self, base: bytes, directory: bytes) -> Volume:
        """The file system of a directory, or of the nearest one above it that is there."""
        while True:
            try:
                return _volume(base, directory)
            except _ABSENT as error:
                if not directory:
                    raise _problem(base, error) from error
                directory = directory.rpartition(b"/")[0]
            except OSError as error:
                raise _problem(base + b"/" + directory, error) from error

    def holding(self, image: bytes) -> Sequence[Place]:
        """Where files of that content are now; none in a root that is away."""
        return [
            Place(base=self._bases[row.root], path=row.path)
            for row in self._store.locations(image)
            if row.state is FileState.INDEXED and row.root in self._roots and self._roots[row.root].state not in ABSENT
        ]

    def _listed(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        above = base + b"/" + directory
        try:
            with Directories() as directories, os.scandir(directories.at(base, directory)) as listing:
                found = [_entry(one, directories.at(base, directory), above) for one in listing]
        except _ABSENT:
            return ()
        except OSError as error:
            raise _problem(above, error) from error
        return [entry for entry in found if entry is not None]

    def _composite(self, row: FileRow) -> float | None:
        if row.sha256 is None:
            return None
        photo = self._store.scored([row.sha256]).get(row.sha256)
        found = self._compare([photo]).composite(photo) if photo is not None else None
        return found.value if found is not None else None


def _volume(base: bytes, directory: bytes) -> Volume:
    with Directories() as directories:
        descriptor = directories.at(base, directory)
        room = os.fstatvfs(descriptor)
        return Volume(
            device=os.fstat(descriptor).st_dev,
            free=room.f_bavail * room.f_frsize,
            top=directories.top_of_mount(Place(base=base, path=directory + b"/-" if directory else b"-")),
            longest=room.f_namemax,
        )


def _kept(record: RootRecord, row: FileRow) -> str:
    if not record.writable:
        return f"it lies in {os.fsdecode(record.path)}, which is read-only"
    if record.state in ABSENT:
        return f"the root {os.fsdecode(record.path)} is {record.state}"
    if row.state is not FileState.INDEXED:
        return f"it is {row.state} and not known well enough to be moved"
    return ""


def _same(known: FileStamp, seen: FileStamp) -> bool:
    return (known.size, known.mtime_ns, known.inode) == (seen.size, seen.mtime_ns, seen.inode)


def _entry(one: "os.DirEntry[str]", descriptor: int, above: bytes) -> Entry | None:
    """One name; None where it has just vanished."""
    name = os.fsencode(one.name)
    try:
        seen = one.stat(follow_symlinks=False)
        if stat.S_ISLNK(seen.st_mode):
            target = os.path.join(above, os.readlink(name, dir_fd=descriptor))
            return Entry(name=name, target=os.path.normpath(target))
    except FileNotFoundError:
        return None
    return Entry(
        name=name,
        stamp=FileStamp.of(seen) if stat.S_ISREG(seen.st_mode) else None,
        directory=stat.S_ISDIR(seen.st_mode),
    )


def _problem(path: bytes, error: OSError) -> Unreadable:
    what, advice = explain_os_error(error)
    return Unreadable(what, path=path, next_step=advice)
