"""What is known of a content so far, and what became of its analysis."""

import time
from collections.abc import Collection, Sequence

import msgspec
import structlog

from pixsortd.index import history, places, rows, scores
from pixsortd.index.backfill import Sweep
from pixsortd.index.codec import encode, number_key
from pixsortd.index.engine import Edit, Engine
from pixsortd.index.files import RowWriter, history_key
from pixsortd.index.rows import Row
from pixsortd.index.schema import Table
from pixsortd.index.spaces import SpaceWriter, current_metrics, spaces_of
from pixsortd.index.thumbs import Thumbnails
from pixsortd.records import Analysis, FileRow, FileState, Photo, Reason

log = structlog.get_logger()

_NUMBER = b"number"
_TAKES = frozenset({FileState.PENDING, FileState.INDEXED})


class Analyses:
    """The part of the store that knows what photos lack and takes in results."""

    _engine: Engine
    _thumbs: Thumbnails
    _sweep: Sweep

    def analysis_of(self, sha256: bytes) -> tuple[bool, frozenset[bytes], frozenset[str]]:
        """(photo and thumbnail are there, keys of the spaces with a vector, metrics with a present-day score)."""
        with self._engine.read() as view:
            return (
                not places.needs_photo(view, sha256),
                spaces_of(view, sha256),
                scores.present(view, sha256, current_metrics(view)),
            )

    def lacking(
        self, space_keys: Collection[bytes], metrics: Collection[str], limit: int, roots: Collection[str]
    ) -> list[FileRow]:
        """One readable file each of up to ``limit`` photos that lack a space, a metric or their thumbnail.

        Call it again while it returns rows: each photo is offered once for one set of arguments, and
        a finished pass costs nothing. Other arguments, or a lost thumbnail, begin a new pass.
        """
        with self._engine.read() as view:
            return self._sweep.next(view, space_keys, metrics, limit, roots)

    def lacking_count(self, space_keys: Collection[bytes], metrics: Collection[str]) -> int:
        """How many photos lack a space, a metric or their thumbnail; looks at every photo, so ask it rarely."""
        with self._engine.read() as view:
            return self._sweep.count(view, space_keys, metrics)

    def sweep_again(self) -> None:
        """Let ``lacking`` look at every photo anew, since some were committed with something left for later."""
        self._sweep.restart()

    def commit(self, results: Sequence[tuple[FileRow, Analysis]]) -> list[Photo]:
        """Take in finished work, in one durable transaction; the photos that are new.

        A result counts for the row's path only while the file there is the one analysed (or the same
        file under a new name); it is dropped otherwise. A file that went away meanwhile is indexed
        when it returns. A failure makes the row failed with its reason, but leaves a photo that is
        already indexed as it is. Raises ``IndexFull`` with no row changed.
        """
        if not results:
            return []
        thumbs = [
            self._thumbs.write(analysis.sha256, analysis.thumbnail) if analysis.thumbnail else None
            for _, analysis in results
        ]
        with self._engine.write() as edit:
            intake = _Intake(edit, time.time())
            for (row, analysis), thumb in zip(results, thumbs, strict=True):
                intake.take(row, analysis, thumb)
            return intake.finish()

    def fail(self, row: FileRow, reason: Reason, sha256: bytes | None = None, attempts: int = 0) -> None:
        """Quarantine a file. One whose photo is already indexed stays so; the failure is noted."""
        with self._engine.write() as edit:
            intake = _Intake(edit, time.time())
            intake.fail(row, reason, sha256, attempts)
            intake.finish()

    def unsettle(self, row: FileRow) -> None:
        """The file changed while it was read: it waits for the watcher to see it rest."""
        with self._engine.write() as edit:
            intake = _Intake(edit, time.time())
            intake.unsettle(row)
            intake.finish()

    def retry(self, root: str, path: bytes) -> bool:
        """Queue a failed file once more; False if it is not failed."""
        key = rows.file_key(rows.root_key(root), path)
        with self._engine.write() as edit:
            old = places.row_at(edit, key)
            if old is None or old.state is not FileState.FAILED or old.stamp is None:
                return False
            writer = RowWriter(edit, time.time())
            new = rows.retried(old, writer.now)
            writer.write(key, path, old, new)
            writer.note(key, new, path, "retried")
            writer.finish()
            return True


class _Intake:
    """One transaction's worth of results."""

    def __init__(self, edit: Edit, now: float) -> None:
        self._edit = edit
        self._now = now
        self._rows = RowWriter(edit, now)
        self._spaces = SpaceWriter(edit)
        self._new: list[Photo] = []

    def finish(self) -> list[Photo]:
        """Write counters and space states; the new photos."""
        self._rows.finish()
        self._spaces.finish()
        return self._new

    def take(self, row: FileRow, analysis: Analysis, thumb: tuple[int, int] | None) -> None:
        """One result."""
        if analysis.failure is not None:
            self.fail(row, analysis.failure, analysis.sha256, row.attempts)
            return
        found = self._present(row)
        if found is None:
            return
        key, path, old = found
        fresh = not self._edit.has(Table.PHOTOS, analysis.sha256)
        photo = self._photo(analysis, thumb)
        if photo is None:
            log.warning("result without a photo, analysed again later", path=row.path, root=row.root)
            return
        for embedding in analysis.embeddings:
            self._spaces.put(photo.sha256, photo.number, embedding)
        for score in analysis.scores:
            scores.put(self._edit, photo.sha256, score, self._now)
        new = rows.indexed(old, photo.sha256, self._now)
        self._rows.write(key, path, old, new)
        history.hand_over(self._edit, history.file_history(key), history_key(key, new))
        again = rows.holds_photo(old) and old.sha256 == photo.sha256
        what = "indexed" if fresh else "described" if again else "known"
        self._rows.note(key, new, path, what, _contents(analysis))

    def fail(self, row: FileRow, reason: Reason, sha256: bytes | None, attempts: int) -> None:
        """One file that cannot be analysed."""
        found = self._present(row)
        if found is None:
            return
        key, path, old = found
        self._rows.note(key, old, path, "failed", reason.message)
        if not rows.holds_photo(old):
            new = rows.failed(old, old.stamp, self._now, reason=reason, sha256=sha256, attempts=attempts)
            self._rows.write(key, path, old, new)

    def unsettle(self, row: FileRow) -> None:
        """One file that changed under the reader."""
        found = self._present(row)
        if found is not None:
            key, path, old = found
            self._rows.note(key, old, path, "changed", "while it was read")
            self._rows.write(key, path, old, rows.unsettled(old, self._now))

    def _present(self, row: FileRow) -> tuple[bytes, bytes, Row] | None:
        """(key, path, row) that the work on ``row`` counts for: the same file, maybe renamed meanwhile."""
        root, stamp = rows.root_key(row.root), rows.pack_stamp(row.stamp)
        key = rows.file_key(root, row.path)
        old = places.row_at(self._edit, key)
        if old is not None and old.stamp == stamp and {old.state, old.before} & _TAKES:
            return key, row.path, old
        if stamp is None:
            return None
        for entry in list(self._edit.keys(Table.INODES, rows.inode_prefix(root, stamp[3]))):
            key = root + entry[rows.INODE_PREFIX :]
            moved, known = places.row_at(self._edit, key), places.file_at(self._edit, key)
            if moved is None or known is None or moved.stamp is None:
                continue
            if moved.stamp[:2] == stamp[:2] and moved.state is FileState.PENDING:
                return key, known.path, moved
        log.info("result for a file that is another by now", path=row.path, root=row.root)
        return None

    def _photo(self, analysis: Analysis, thumb: tuple[int, int] | None) -> Photo | None:
        """The photo record as it stands after this result."""
        known, described = places.photo(self._edit, analysis.sha256), analysis.photo
        if described is None:
            return known
        crc, size = thumb or ((known.thumbnail_crc, known.thumbnail_size) if known else (0, 0))
        if known is None:
            photo = msgspec.structs.replace(described, number=self._next_number(), added=self._now)
            self._edit.put(Table.NUMBERS, number_key(photo.number), photo.sha256)
        else:
            # A time that is not in the content is the first file's, and stays.
            taken = known.taken if described.taken_from != "exif" else described.taken
            photo = msgspec.structs.replace(described, number=known.number, added=known.added, taken=taken)
        photo = msgspec.structs.replace(photo, thumbnail_crc=crc, thumbnail_size=size)
        places.save_photo(self._edit, photo, self._now)
        if thumb is not None:
            self._edit.delete(Table.THUMBLESS, photo.sha256)
        if known is None:
            self._new.append(photo)
        return photo

    def _next_number(self) -> int:
        payload = self._edit.get(Table.META, _NUMBER)
        number = 1 if payload is None else msgspec.msgpack.decode(payload, type=int)
        self._edit.put(Table.META, _NUMBER, encode(number + 1))
        return number


def _contents(analysis: Analysis) -> str:
    """What a result brought, in a line."""
    parts = []
    if analysis.photo is not None:
        parts.append(f"{analysis.photo.width} x {analysis.photo.height} {analysis.photo.format}")
    parts += [f"space {embedding.space.name}" for embedding in analysis.embeddings]
    parts += [f"{score.metric.name} {score.value:.3g}" for score in analysis.scores]
    return ", ".join(parts)
