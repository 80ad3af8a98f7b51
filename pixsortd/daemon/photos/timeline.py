"""Lists in outline, for the API: the index's buckets and cells with what the user said of each photo."""

from collections.abc import Collection, Sequence

from pixsortd.api.ports import Bucket, Cell, ImageQuery, Outline
from pixsortd.daemon.photos.views import STATUS, Said, Whereabouts, index_query
from pixsortd.index.queries import PhotoCell
from pixsortd.index.store import Store
from pixsortd.records import ColourLabel


class DaemonTimeline:
    """The same lists as ``PhotoViews.images``, in outline."""

    def __init__(self, store: Store, roots: Whereabouts, said: Said) -> None:
        self._store = store
        self._roots = roots
        self._said = said

    def outline(self, query: ImageQuery) -> Outline:
        """Buckets of a list and its length."""
        found = self._store.outline(index_query(query, self._said), self._roots.away())
        buckets = [Bucket(key=bucket.key, count=bucket.count) for bucket in found.buckets]
        return Outline(buckets=buckets, total=found.total)

    def bucket(self, query: ImageQuery, key: str) -> Sequence[Cell]:
        """The photos of one bucket. Raises ``InvalidRequest``."""
        return self._marked(self._store.bucket(index_query(query, self._said), key, self._roots.away()))

    def cells(self, contents: Collection[bytes]) -> Sequence[Cell]:
        """Those of these contents that are photos; one that no file holds any more, such as in the trash, is away."""
        return self._marked(self._store.cells(contents, self._roots.away()))

    def _marked(self, cells: Sequence[PhotoCell]) -> list[Cell]:
        """The cells with what the user said."""
        ratings, labels = self._said.ratings(), self._said.labels()
        return [
            _cell(cell, ratings.get(cell.sha256), labels.get(cell.sha256)) if cell.sha256 else _cell(cell, None, None)
            for cell in cells
        ]


def _cell(cell: PhotoCell, rating: int | None, label: ColourLabel | None) -> Cell:
    return Cell(
        id=cell.sha256.hex() if cell.sha256 is not None else cell.entry,
        name=cell.name,
        status=STATUS[cell.status],
        width=cell.width,
        height=cell.height,
        taken=cell.taken,
        rating=rating,
        label=label,
        group=cell.group,
    )
