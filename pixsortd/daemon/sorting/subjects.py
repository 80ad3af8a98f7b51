"""What rules can ask of files: each file with all that is known of its photo, read from the index in stretches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

import structlog

from pixsortd.api.ports import COMPOSITE
from pixsortd.daemon.photos.views import Said
from pixsortd.daemon.quality.comparison import Comparison
from pixsortd.daemon.quality.composites import Composites
from pixsortd.daemon.sorting.beside import companions
from pixsortd.daemon.sorting.roles import Standing
from pixsortd.grouping import best
from pixsortd.index.queries import PhotoItem, PhotoQuery
from pixsortd.index.scored import Scored
from pixsortd.index.store import Store
from pixsortd.records import Companion, FileRow, FileState, Photo, Place, Rank, Role, RootRecord, Subject

log = structlog.get_logger()

T = TypeVar("T")

AT_ONCE = 250
"""Photos read in one transaction."""


class Roots(Protocol):
    """What is asked of the roots."""

    def records(self) -> list[RootRecord]: ...
    def away(self) -> frozenset[str]: ...


class Roles(Protocol):
    """Who knows duplicates and bursts."""

    def of(self, contents: Sequence[bytes]) -> dict[bytes, Standing]: ...


class Chosen(NamedTuple):
    """A file that becomes a subject."""

    item: PhotoItem
    photo: Photo
    row: FileRow
    companions: tuple[Companion, ...] = ()


class Subjects:
    """Reads subjects. Callable from any thread; nothing is kept from one call to the next."""

    def __init__(
        self,
        store: Store,
        roots: Roots,
        said: Said,
        roles: Roles,
        compare: Callable[[Iterable[Scored]], Comparison],
        photos: Collection[bytes],
    ) -> None:
        """``compare`` tells what scores mean in the library; ``photos`` are extensions, lower-case with dot."""
        self._store = store
        self._roots = roots
        self._said = said
        self._roles = roles
        self._compare = compare
        self._composites = Composites(store, compare)
        self._photos = photos

    def of_inbox(self, root: str) -> Iterator[Subject]:
        """Every analysed file of a root with its companions on disk, in no particular order.

        A directory that cannot be read is left out, and so is a root that is not configured.
        """
        look = _Look(self._roots, self._said)
        base = look.bases.get(root)
        found = self._rows(root, base) if base is not None else iter(())
        for run in _runs(found, AT_ONCE):
            beside = {row.path: also for row, also in run}
            items = self._store.items(sorted({row.sha256 for row, _ in run if row.sha256}), self._roots.away())
            yield from self._told(
                look,
                (
                    Chosen(item, item.photo, row, beside[row.path])
                    for item in items
                    for row in item.files
                    if item.photo and row.root == root and row.path in beside and row.state is FileState.INDEXED
                ),
            )

    def of(self, images: Sequence[bytes]) -> Iterator[Subject]:
        """Every file of these photos, without its companions; unknown photos are passed over."""
        look = _Look(self._roots, self._said)
        for run in _runs(iter(images), AT_ONCE):
            items = self._store.items(run, self._roots.away())
            yield from self._told(
                look, (Chosen(item, item.photo, row) for item in items for row in item.files if item.photo)
            )

    def library(self, since: float | None = None) -> Iterator[Subject]:
        """One file of each photo that a library root holds, the newest first, without its companions.

        ``since``, in seconds, leaves out photos taken earlier; where the camera says nothing the file's time counts.
        """
        look, cursor = _Look(self._roots, self._said), None
        while True:
            page = self._store.page(PhotoQuery(taken_from=since), cursor, AT_ONCE, self._roots.away())
            firsts = ((item, look.first(item.files)) for item in page.items)
            yield from self._told(
                look,
                (
                    Chosen(item, item.photo, row)
                    for item, row in firsts
                    if item.photo and row is not None and row.root in look.bases and row.root not in look.inboxes
                ),
            )
            cursor = page.next_cursor
            if cursor is None:
                return

    def count(self, since: float | None = None) -> int:
        """About how many photos ``library`` reads."""
        return self._store.page(PhotoQuery(taken_from=since), None, 1).total

    def _rows(self, root: str, base: bytes) -> Iterator[tuple[FileRow, tuple[Companion, ...]]]:
        """The analysed files of a root, one directory after the other."""
        for directory in self._store.directories(root):
            listing = self._store.listing(root, directory)
            rows = {name: row for name, row in listing.items() if row.state is FileState.INDEXED}
            try:
                beside = companions(base, directory, rows.keys(), self._photos) if rows else {}
            except OSError as error:
                log.warning("directory of an inbox cannot be read", path=base + b"/" + directory, error=str(error))
                continue
            yield from ((rows[name], also) for name, also in beside.items())

    def _told(self, look: "_Look", chosen: Iterable[Chosen]) -> Iterator[Subject]:
        """What is known of a stretch of files."""
        files = list(chosen)
        photos = {one.item.sha256: _scored(one.item, one.photo) for one in files if one.item.sha256}
        comparison, composites = self._compare(photos.values()), self._composites.rising()
        roles = self._roles.of(list(photos))
        for one in files:
            sha256 = one.photo.sha256
            if one.row.stamp is not None and one.row.root in look.bases:
                yield look.subject(one, roles[sha256], comparison, composites, photos[sha256])


class _Look:
    """Roots and the user's word at one moment."""

    def __init__(self, roots: Roots, said: Said) -> None:
        records = roots.records()
        self.bases = {record.id: record.path for record in records}
        self.inboxes = frozenset(record.id for record in records if record.role is Role.INBOX)
        self._ratings, self._labels, self._captions = said.ratings(), said.labels(), said.captions()
        batches = sorted(said.batches().values(), key=lambda batch: (batch.created, batch.id))
        self._batches = [(batch.name, frozenset(batch.members)) for batch in batches if not batch.deleted]

    def first(self, files: Iterable[FileRow]) -> FileRow | None:
        """The file that stands for a content: one in a library, one that is there, the one known for longest."""
        return min(
            files,
            key=lambda row: (row.root in self.inboxes, row.state is FileState.AWAY, row.first_seen, row.root, row.path),
            default=None,
        )

    def subject(
        self, one: Chosen, standing: Standing, comparison: Comparison, composites: Sequence[float], scored: Scored
    ) -> Subject:
        """One file."""
        item, photo, row, also = one
        exif, membership, sha256 = photo.exif, item.membership, photo.sha256
        assert row.stamp is not None, "a file that is analysed has a stamp"
        scores = comparison.scores(scored)
        composite = comparison.composite(scored)
        percentiles = {name: comparison.percentile(score) for name, score in scores.items()}
        if composite is not None:
            percentiles[COMPOSITE] = best.percentile(composites, composite.value, lower_better=False)
        label = self._labels.get(sha256)
        return Subject(
            place=Place(base=self.bases[row.root], path=row.path),
            stamp=row.stamp,
            image=sha256,
            companions=also,
            format=photo.format,
            width=photo.width,
            height=photo.height,
            taken=exif.taken,
            make=exif.camera_make,
            model=exif.camera_model,
            lens=exif.lens,
            latitude=exif.latitude,
            longitude=exif.longitude,
            group=membership.group if membership else None,
            group_name=item.group_name,
            strength=membership.strength if membership else None,
            scores={name: score.value for name, score in scores.items()},
            percentiles=percentiles,
            composite=composite.value if composite is not None else None,
            duplicate=self._duplicate(item.files, row, standing.duplicate),
            burst=standing.burst,
            batches=tuple(name for name, members in self._batches if sha256 in members),
            rating=self._ratings.get(sha256, exif.rating),
            label=label.value if label is not None else None,
            caption=self._captions.get(sha256, exif.description),
        )

    def _duplicate(self, files: Sequence[FileRow], row: FileRow, among_alike: Rank | None) -> Rank | None:
        """Best is the one file that stands for the content, where that is the best of its near-duplicates."""
        if len(files) < 2:
            return among_alike
        return Rank.OTHER if self.first(files) != row else among_alike or Rank.BEST


def _scored(item: PhotoItem, photo: Photo) -> Scored:
    return Scored(sha256=photo.sha256, pixels=photo.width * photo.height, taken=photo.taken, scores=tuple(item.scores))


def _runs(found: Iterator[T], length: int) -> Iterator[list[T]]:
    while run := list(islice(found, length)):
        yield run
