"""Photos and files as the API shows them, read from the index alone: rows, records and decisions put together."""

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

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
from pixsortd.decisions import BatchState
from pixsortd.errors import Conflict, NotFound
from pixsortd.index.entries import entry_id
from pixsortd.index.queries import MetricRange, PhotoItem, PhotoQuery
from pixsortd.index.store import Store
from pixsortd.records import ColourLabel, FileRow, FileState, Group, Space, Step

STATUS = {
    FileState.INDEXED: ImageStatus.INDEXED,
    FileState.PENDING: ImageStatus.PENDING,
    FileState.FAILED: ImageStatus.FAILED,
    FileState.AWAY: ImageStatus.AWAY,
    FileState.EXCLUDED: ImageStatus.AWAY,
}


class Said(Protocol):
    """What is asked about the user's decisions here."""

    def ratings(self) -> Mapping[bytes, int]:
        """Stars by photo."""
        ...

    def labels(self) -> Mapping[bytes, ColourLabel]:
        """Colour labels by photo."""
        ...

    def captions(self) -> Mapping[bytes, str]:
        """Captions by photo."""
        ...

    def batches(self) -> Mapping[str, BatchState]:
        """Every batch by its id, deleted ones included."""
        ...


def index_query(query: ImageQuery, said: Said) -> PhotoQuery:
    """The API's filters in the index's words; what the user decided becomes a set of photos."""
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
        among=_among(query, said),
        sort=query.sort,
    )


def _among(query: ImageQuery, said: Said) -> frozenset[bytes] | None:
    """The photos that the batch, rating and label of a query leave; None where it names none of them."""
    chosen: list[frozenset[bytes]] = []
    if query.batch is not None:
        batch = said.batches().get(query.batch)
        chosen.append(frozenset(batch.members if batch is not None and not batch.deleted else ()))
    if query.rating is not None:
        chosen.append(frozenset(sha256 for sha256, stars in said.ratings().items() if stars >= query.rating))
    if query.label is not None:
        chosen.append(frozenset(sha256 for sha256, label in said.labels().items() if label is query.label))
    return frozenset.intersection(*chosen) if chosen else None


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

    def __init__(self, store: Store, roots: Whereabouts, searcher: Neighbours, said: Said) -> None:
        self._store = store
        self._roots = roots
        self._searcher = searcher
        self._said = said

    # --- lists ---------------------------------------------------------------------------------

    def images(self, query: ImageQuery, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """One page of photos, or of pending or failed files."""
        page = self._store.page(index_query(query, self._said), cursor, limit, self._roots.away())
        items = [self._entry(item) for item in page.items]
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    def image(self, sha256: bytes) -> ImageEntry:
        """One photo, or the failed files of one content. Raises ``NotFound``."""
        found = self._store.items([sha256], self._roots.away())
        if found and found[0].files:
            return msgspec.structs.replace(self._entry(found[0]), batches=self._batches_with(sha256))
        rows = self._failed_with(sha256)
        if not rows:
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        return ImageEntry(sha256=sha256, status=ImageStatus.FAILED, files=self._files(rows))

    def entries(self, contents: Sequence[bytes]) -> list[ImageEntry]:
        """Those of these contents that are photos; one that no file holds any more, such as in the trash, is away."""
        return [self._entry(item) for item in self._store.items(contents, self._roots.away())]

    def _entry(self, item: PhotoItem) -> ImageEntry:
        said, sha256 = self._said, item.sha256
        return ImageEntry(
            sha256=sha256,
            status=STATUS[item.status],
            photo=item.photo,
            files=self._files(item.files),
            # A metric that has no answer for a photo stores NaN, so that it is not asked again.
            scores=tuple(score for score in item.scores if math.isfinite(score.value)),
            membership=item.membership,
            group_name=item.group_name,
            rating=said.ratings().get(sha256) if sha256 is not None else None,
            label=said.labels().get(sha256) if sha256 is not None else None,
            caption=said.captions().get(sha256) if sha256 is not None else None,
        )

    def _batches_with(self, sha256: bytes) -> tuple[str, ...]:
        """Ids of the batches a photo is in, the newest first."""
        found = [batch for batch in self._said.batches().values() if not batch.deleted and sha256 in batch.members]
        return tuple(batch.id for batch in sorted(found, key=lambda batch: (-batch.created, batch.id)))

    def _failed_with(self, sha256: bytes) -> list[FileRow]:
        return [row for row in self._store.quarantine(1000).items if row.sha256 == sha256]

    def _files(self, rows: Iterable[FileRow]) -> tuple[FileEntry, ...]:
        return tuple(self.file_entry(row) for row in rows)

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
        cosines = dict(near)
        found = self._store.items(list(cosines), self._roots.away())
        items = [
            SimilarEntry(image=self._entry(one), similarity=cosines[one.sha256])
            for one in found
            if one.sha256 and one.files
        ]
        return Similar(items=items, space=space.name)

    # --- passports -------------------------------------------------------------------------------

    def why_photo(self, sha256: bytes) -> Passport:
        """What happened to a photo, also to one whose files are all gone. Raises ``NotFound``."""
        steps = self._store.history(sha256)
        try:
            image = self.image(sha256)
        except NotFound:
            if not steps:
                raise
            return Passport(files=(), steps=tuple(steps))
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


def known_group(store: Store, group_id: str) -> Group:
    """One group; raises ``NotFound``."""
    group = store.group(group_id)
    if group is None:
        raise NotFound(f"there is no group {group_id}", next_step="GET /api/groups lists the present ones.")
    return group
