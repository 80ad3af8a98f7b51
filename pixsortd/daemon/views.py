"""Photos and files as the API shows them, read from the index alone: rows, records and decisions put together."""

import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from pixsortd.api.ports import (
    FileEntry,
    ImageEntry,
    ImageQuery,
    ImageStatus,
    Page,
    Passport,
    Similar,
    SimilarEntry,
)
from pixsortd.errors import Conflict, NotFound
from pixsortd.index.entries import entry_id
from pixsortd.index.queries import MetricRange, PhotoQuery
from pixsortd.index.store import Store
from pixsortd.records import FileRow, FileState, Group, Space, Step

_BEST = (FileState.INDEXED, FileState.PENDING, FileState.FAILED, FileState.AWAY, FileState.EXCLUDED)
_STATUS = {
    FileState.INDEXED: ImageStatus.INDEXED,
    FileState.PENDING: ImageStatus.PENDING,
    FileState.FAILED: ImageStatus.FAILED,
    FileState.AWAY: ImageStatus.AWAY,
    FileState.EXCLUDED: ImageStatus.AWAY,
}


def index_query(query: ImageQuery) -> PhotoQuery:
    """The API's filters in the index's words."""
    infinite = float("inf")
    ranges: tuple[MetricRange, ...] = ()
    if query.metric is not None:
        low = query.low if query.low is not None else -infinite
        high = query.high if query.high is not None else infinite
        ranges = (MetricRange(metric=query.metric, low=low, high=high),)
    return PhotoQuery(
        root=query.root,
        group=query.group,
        ungrouped=query.ungrouped,
        status=query.status,
        taken_from=query.taken_from,
        taken_until=query.taken_to,
        metrics=ranges,
        sort=query.sort,
    )


class Whereabouts(Protocol):
    """What is asked about roots here."""

    def away(self) -> frozenset[str]:
        """Roots whose files cannot be believed."""
        ...

    def path_of(self, root: str) -> bytes:
        """Absolute path of a root; empty for an unknown one."""
        ...

    def holding(self, path: bytes) -> tuple[str, bytes] | None:
        """The innermost root an absolute path lies in, and the path relative to it."""
        ...


class Neighbours(Protocol):
    """What is asked about likeness here."""

    def active(self) -> Space | None:
        """The space that photos are compared in."""
        ...

    def near(self, space: Space, vector: bytes, k: int, exclude: Collection[bytes] = ()) -> list[tuple[bytes, float]]:
        """The ``k`` photos most like a vector: (sha256, cosine)."""
        ...


class PhotoViews:
    """Reads of photos, files and passports. Writes nothing, opens no original."""

    def __init__(
        self, store: Store, roots: Whereabouts, searcher: Neighbours, ratings: Callable[[], Mapping[bytes, int]]
    ) -> None:
        """``ratings`` are the user's stars by photo, as they are now."""
        self._store = store
        self._roots = roots
        self._searcher = searcher
        self._ratings = ratings

    # --- lists ---------------------------------------------------------------------------------

    def images(self, query: ImageQuery, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """One page of photos, or of pending or failed files."""
        away = self._roots.away()
        page = self._store.page(index_query(query), cursor, limit, away)
        names = {group.id: group.name for group in self._store.groups()}
        items = []
        for item in page.items:
            if item.sha256 is None or item.status in (FileState.PENDING, FileState.FAILED):
                rows = [row for place in item.files if (row := self._store.file(place.root, place.path)) is not None]
                items.append(self._unknown(item.sha256, rows, away))
            else:
                items.append(self._known(item.sha256, away, names))
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    def image(self, sha256: bytes) -> ImageEntry:
        """One photo, or the failed files of one content. Raises ``NotFound``."""
        away = self._roots.away()
        if self._store.photo(sha256) is None:
            rows = self._store.locations(sha256) or self._failed_with(sha256)
            if not rows:
                raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
            return self._unknown(sha256, rows, away)
        return self._known(sha256, away, None)

    def _known(self, sha256: bytes, away: frozenset[str], names: Mapping[str, str | None] | None) -> ImageEntry:
        rows = self._store.locations(sha256)
        membership = self._store.membership(sha256)
        name = None
        if membership is not None:
            group = None if names is not None else self._store.group(membership.group)
            name = names.get(membership.group) if names is not None else group.name if group else None
        return ImageEntry(
            sha256=sha256,
            status=best_status(rows, away),
            photo=self._store.photo(sha256),
            files=self._entries(rows),
            # A metric that has no answer for a photo stores NaN, so that it is not asked again.
            scores=tuple(score for score in self._store.scores(sha256) if math.isfinite(score.value)),
            membership=membership,
            group_name=name,
            rating=self._ratings().get(sha256),
        )

    def _unknown(self, sha256: bytes | None, rows: Sequence[FileRow], away: frozenset[str]) -> ImageEntry:
        return ImageEntry(sha256=sha256, status=best_status(rows, away), files=self._entries(rows))

    def _failed_with(self, sha256: bytes) -> list[FileRow]:
        return [row for row in self._store.quarantine(1000).items if row.sha256 == sha256]

    def _entries(self, rows: Iterable[FileRow]) -> tuple[FileEntry, ...]:
        ordered = sorted(rows, key=lambda row: (_BEST.index(row.state), row.path))
        return tuple(self.file_entry(row) for row in ordered)

    def file_entry(self, row: FileRow) -> FileEntry:
        """A row with its id and its root's path."""
        return FileEntry(id=entry_id(row), row=row, root_path=self._roots.path_of(row.root))

    # --- likeness --------------------------------------------------------------------------------

    def similar(self, sha256: bytes, limit: int) -> Similar:
        """Photos most like one. Raises ``NotFound``, or ``Conflict`` while it has no vector."""
        space = self._searcher.active()
        vector = self._store.embedding(space.key, sha256) if space is not None else None
        if space is None or vector is None:
            if self._store.photo(sha256) is None:
                raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
            raise Conflict("this photo has no vector yet", next_step="Try again when it has been analysed.")
        near = self._searcher.near(space, vector, limit, exclude=(sha256,))
        away = self._roots.away()
        names = {group.id: group.name for group in self._store.groups()}
        items = [SimilarEntry(image=self._known(other, away, names), similarity=cosine) for other, cosine in near]
        return Similar(items=items, space=space.name)

    # --- passports -------------------------------------------------------------------------------

    def why_photo(self, sha256: bytes) -> Passport:
        """What happened to a photo. Raises ``NotFound``."""
        image = self.image(sha256)
        steps = self._store.history(sha256)
        if image.photo is None:
            steps = self._steps_of(entry.row for entry in image.files)
        return Passport(files=image.files, image=image, steps=tuple(steps))

    def why_file(self, entry: str) -> Passport:
        """What happened to a file, by its entry's id. Raises ``NotFound``."""
        row = self._store.entry(entry)
        if row is None:
            raise NotFound("there is no file with this id", next_step="GET /api/quarantine lists the failed ones.")
        return self._why_row(row)

    def why_path(self, path: bytes) -> Passport:
        """What happened to the file at an absolute path, looked up in the index only. Raises ``NotFound``."""
        for candidate in dict.fromkeys((os.path.normpath(path), os.path.realpath(path))):
            held = self._roots.holding(candidate)
            row = self._store.file(*held) if held is not None else None
            if row is not None:
                return self._why_row(row)
            excluded = self._excluded_above(*held) if held is not None else None
            if excluded is not None:
                return Passport(files=(self.file_entry(excluded),), excluded_by=excluded.reason)
        raise NotFound(
            "this path is not known",
            path=path,
            next_step="It lies in no configured root, or no scan has seen it yet: try `pixsortd scan`.",
        )

    def _excluded_above(self, root: str, path: bytes) -> FileRow | None:
        directory = path
        while directory:
            directory, _, _ = directory.rpartition(b"/")
            row = self._store.file(root, directory) if directory else None
            if row is not None and row.state is FileState.EXCLUDED:
                return row
        return None

    def _why_row(self, row: FileRow) -> Passport:
        if row.sha256 is not None and self._store.photo(row.sha256) is not None:
            return self.why_photo(row.sha256)
        return Passport(
            files=(self.file_entry(row),),
            steps=tuple(self._steps_of([row])),
            excluded_by=row.reason if row.state is FileState.EXCLUDED else None,
        )

    def _steps_of(self, rows: Iterable[FileRow]) -> list[Step]:
        steps = [step for row in rows for step in self._store.file_history(row.root, row.path)]
        return sorted(steps, key=lambda step: step.at)


def best_status(rows: Iterable[FileRow], away: frozenset[str]) -> ImageStatus:
    """The best state among the files of one content; files in absent roots are away."""
    states = [FileState.AWAY if row.root in away else row.state for row in rows]
    return _STATUS[min(states, key=_BEST.index, default=FileState.AWAY)]


def known_group(store: Store, group_id: str) -> Group:
    """One group; raises ``NotFound``."""
    group = store.group(group_id)
    if group is None:
        raise NotFound(f"there is no group {group_id}", next_step="GET /api/groups lists the present ones.")
    return group
