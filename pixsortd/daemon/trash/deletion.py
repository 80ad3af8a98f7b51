"""The trash as the API sees it: photos discarded, listed, restored and deleted for good."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import structlog

from pixsortd.api.ports import ImageEntry, MetricKind, Reading, Restored, Trashed, TrashItem, TrashPage
from pixsortd.config import Settings
from pixsortd.daemon.jobs import Progress
from pixsortd.daemon.trash.allowed import absent, refusal
from pixsortd.daemon.trash.cursors import cursor_of, place_of
from pixsortd.errors import NotFound, PixsortdError
from pixsortd.index.store import Store
from pixsortd.records import (
    Place,
    Reason,
    RootRecord,
    RootState,
    root_id,
)
from pixsortd.sorting.contents import Item
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.plans import Wanted
from pixsortd.sorting.trash import Trash

log = structlog.get_logger()

AT_ONCE = 256
"""Photos moved while the watchers of their roots wait."""
LARGE = 0.1
"""The share of a disk from which on a person is told that the trash fills it."""

Tell = Callable[[str, Mapping[str, object]], None]


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]:
        """Every root as it is now."""
        ...

    def quiet(self, roots: Iterable[str]) -> AbstractContextManager[None]:
        """While held, the watchers of these roots look at nothing."""
        ...

    def notice(self, root: str, paths: Sequence[bytes]) -> None:
        """Have paths looked at."""
        ...

    def writable(self) -> Mapping[str, bytes]:
        """Paths of the roots that may be written, whether or not they are there."""
        ...


class Views(Protocol):
    """What is asked of the views."""

    def image(self, sha256: bytes) -> ImageEntry:
        """One photo with its files. Raises ``NotFound``."""
        ...


class DaemonTrash:
    """Implements ``pixsortd.api.ports.Trash``."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        mover: Mover,
        store: Store,
        roots: Roots,
        views: Views,
        extensions: frozenset[bytes],
        tell: Tell,
    ) -> None:
        """``tell`` publishes an event."""
        self._settings = settings
        self._store = store
        self._roots = roots
        self._views = views
        self._tell = tell
        self._mover = mover
        self._trash = Trash(mover, extensions)

    def recover(self) -> None:
        """Before anything is watched: bring what a crash interrupted to its old or new state."""
        self._mover.recover(list(self._roots.writable().values()))

    def root_is_there(self, record: RootRecord) -> None:
        """A root has become readable, and its watcher has not looked yet: what waited for it is brought in order."""
        if record.writable and self._mover.interrupted(record.path):
            self.recover()

    # --- the port ----------------------------------------------------------------------------------

    def list(self, cursor: str | None, limit: int) -> TrashPage:
        """Newest first."""
        with self._trash.lock:
            contents = self._trash.contents
            found = contents.page(place_of(cursor), limit)
            total, size = len(contents), contents.bytes
            items = [self._item(item) for item in found]
            more = bool(found) and bool(contents.page((found[-1].at, found[-1].id), 1))
        return TrashPage(
            items=items,
            next_cursor=cursor_of(found[-1]) if more else None,
            total=total,
            bytes=size,
            retention=self._settings().trash.keep,
        )

    def discard(self, image: bytes, file: str | None = None) -> Trashed:
        """Move every file of a photo to the trash, or the one with that entry id. Raises as the port says."""
        wanted = self._wanted(image, file, self._standing())
        (answer,) = self._discard({image: wanted})
        if isinstance(answer, PixsortdError):
            raise answer
        return answer

    def discard_many(self, images: Sequence[bytes]) -> Sequence[Trashed]:
        """The same for many; each answers for itself."""
        answers: dict[bytes, Trashed] = {}
        distinct, standing = list(dict.fromkeys(images)), self._standing()
        for start in range(0, len(distinct), AT_ONCE):
            wanted: dict[bytes, Sequence[Wanted]] = {}
            for image in distinct[start : start + AT_ONCE]:
                try:
                    wanted[image] = self._wanted(image, None, standing)
                except PixsortdError as error:
                    answers[image] = Trashed(image=image, reason=error.reason())
            for image, answer in zip(wanted, self._discard(wanted), strict=True):
                if isinstance(answer, PixsortdError):
                    answers[image] = Trashed(image=image, reason=answer.reason())
                else:
                    answers[image] = answer
        return [answers[image] for image in images]

    def restore(self, items: Sequence[str]) -> Sequence[Restored]:
        """Bring files back to where they were. Raises ``NotFound`` for an unknown item with nothing moved."""
        answers: list[Restored] = []
        chosen, standing = list(dict.fromkeys(items)), self._standing()
        with self._trash.lock:
            for item in chosen:
                self._known(item)
        for start in range(0, len(chosen), AT_ONCE):
            with self._roots.quiet(standing):
                returned = self._trash.restore(
                    chosen[start : start + AT_ONCE], lambda item: refusal(item.origin.base, standing)
                )
            answers += [
                Restored(
                    id=one.item.id,
                    path=one.place.absolute,
                    reason=one.error.reason() if one.error is not None else None,
                )
                for one in returned
            ]
            self._changed(one.item.image for one in returned if one.error is None)
        return answers

    def purge(self, items: Sequence[str] | None) -> int:
        """Delete for good; bytes freed. Raises ``NotFound``, and ``Conflict`` for a chosen file whose root is away."""
        standing = self._standing()
        with self._trash.lock:
            if items is None:
                chosen = [item.id for item in self._trash.contents.all()]
            else:
                chosen = list(dict.fromkeys(items))
                for item in map(self._known, chosen):
                    refused = refusal(item.origin.base, standing)
                    if refused is not None:
                        raise refused
        return self._purge(chosen, lambda _done, _total: None)

    # --- by the clock ------------------------------------------------------------------------------

    def expire(self, progress: Progress) -> Mapping[str, int]:
        """Delete for good what has been in the trash for longer than it is kept."""
        with self._roots.quiet(self._roots.writable()):
            self.recover()
        with self._trash.lock:
            due = [item.id for item in self._trash.contents.older_than(time.time() - self._settings().trash.keep)]
        return {"bytes": self._purge(due, progress), "files": len(due)}

    # --- what others ask ---------------------------------------------------------------------------

    def images(self) -> frozenset[bytes]:
        """Photos that have a file in the trash; what is known of them is kept."""
        with self._trash.lock:
            return self._trash.contents.images()

    def readings(self) -> Iterator[Reading]:
        """Numbers for ``/metrics``."""
        with self._trash.lock:
            files, size = len(self._trash.contents), self._trash.contents.bytes
        yield Reading(name="trash_files", help="Photos' files in the trash.", value=files, kind=MetricKind.GAUGE)
        yield Reading(name="trash_bytes", help="Bytes in the trash.", value=size, kind=MetricKind.GAUGE)

    def notices(self) -> Iterator[Reason]:
        """Whether the trash fills a disk."""
        with self._trash.lock:
            sizes = self._trash.contents.sizes()
        online = {record.path for record in self._roots.records() if record.state is RootState.ONLINE}
        for base, size in sizes.items():
            if base in online and size > LARGE * shutil.disk_usage(base).total:
                yield Reason(
                    code="trash-large",
                    message=f"the trash of {os.fsdecode(base)} takes {size // 10**6} MB, more than a tenth of its disk",
                    next_step="Empty it, or lower trash.keep in the configuration.",
                )

    # --- inside ------------------------------------------------------------------------------------

    def _standing(self) -> dict[str, RootRecord]:
        return {record.id: record for record in self._roots.records()}

    def _known(self, item: str) -> Item:
        found = self._trash.contents.get(item)
        if found is None:
            raise NotFound(f"there is no {item} in the trash", next_step="GET /api/trash lists what is in it.")
        return found

    def _wanted(self, image: bytes, file: str | None, standing: Mapping[str, RootRecord]) -> Sequence[Wanted]:
        """The files to discard. Raises ``NotFound``, or ``Conflict`` when one of them cannot be moved now."""
        entries = self._views.image(image).files
        if file is not None:
            entries = tuple(entry for entry in entries if entry.id == file)
            if not entries:
                raise NotFound("this photo has no file with this id", next_step="GET /api/images/metadata/{id}")
        found = []
        for row in (entry.row for entry in entries):
            base = standing[row.root].path if row.root in standing else b""
            refused = refusal(base, standing) or absent(base, row)
            if refused is not None:
                raise refused
            assert row.stamp is not None, "a file has a stamp"
            found.append(Wanted(place=Place(base=base, path=row.path), stamp=row.stamp, image=image))
        return found

    def _discard(self, wanted: Mapping[bytes, Sequence[Wanted]]) -> Sequence[Trashed | PixsortdError]:
        """Discard the files of each photo; the watchers of their roots wait meanwhile."""
        roots = {root_id(one.place.base) for group in wanted.values() for one in group}
        with self._roots.quiet(roots):
            moved = self._trash.discard(list(wanted.values()))
        answers: list[Trashed | PixsortdError] = []
        for (image, group), one in zip(wanted.items(), moved, strict=True):
            if one.error is not None:
                for file in group:
                    self._roots.notice(root_id(file.place.base), [file.place.path])
                answers.append(one.error)
            else:
                last = not self._store.locations(image)
                with self._trash.lock:
                    items = tuple(self._item(item) for item in one.items)
                answers.append(Trashed(image=image, items=items, last_copy=last))
        self._changed(answer.image for answer in answers if isinstance(answer, Trashed))
        return answers

    def _purge(self, chosen: Sequence[str], progress: Callable[[int, int], None]) -> int:
        standing, freed = self._standing(), 0
        for start in range(0, len(chosen), AT_ONCE):
            progress(start, len(chosen))
            with self._trash.lock:
                known = [item for item in chosen[start : start + AT_ONCE] if self._trash.contents.get(item)]
                gone = self._trash.purge(known, lambda item: refusal(item.origin.base, standing))
                for item in gone:
                    freed += item.size
                    last = not self._store.locations(item.image) and not self._trash.contents.copies(item.image)
                    log.info("deleted for good", path=item.origin.absolute, photo=item.image.hex(), last_copy=last)
            if gone:
                self._tell("trash", {})
        return freed

    def _item(self, item: Item) -> TrashItem:
        others = self._trash.contents.copies(item.image) > 1 or bool(self._store.locations(item.image))
        return TrashItem(
            id=item.id,
            image=item.image,
            root=root_id(item.origin.base),
            path=item.origin.absolute,
            size=item.size,
            companions=len(item.parcel.steps) - 1,
            at=item.at,
            until=item.at + self._settings().trash.keep,
            last_copy=not others,
        )

    def _changed(self, images: Iterable[bytes]) -> None:
        changed = [image.hex() for image in dict.fromkeys(images)]
        if changed:
            self._tell("trash", {})
            self._tell("photos", {"changed": changed})
