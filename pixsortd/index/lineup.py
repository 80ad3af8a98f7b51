"""Who is next: the settled files that wait for their analysis, in the order in which they are taken up."""

import heapq
from collections.abc import Collection, Iterator
from itertools import islice

from pixsortd.index import places, rows
from pixsortd.index.engine import Edit, Engine, View
from pixsortd.index.schema import Table
from pixsortd.records import FileRow, FileState

_TURN = 8
"""While files that were dropped just now are taken up, every so many-th is the oldest of all that wait."""


class Lineup:
    """The part of the store that hands out work."""

    _engine: Engine

    def next_batch(
        self, files: int, size: int, roots: Collection[str], skip: Collection[tuple[str, bytes]] = ()
    ) -> list[FileRow]:
        """Settled pending rows of these roots, best first: at most ``files``, and ``size`` bytes but for the first.

        What was dropped just now comes before the backlog of a library's first scan, in either the newest photo
        by its mtime, whatever its root. They stay queued until ``commit``, ``fail`` or a change takes them out;
        ``skip`` leaves out (root, path) pairs, those in work already or, to look ahead, those of the batch before.
        The cost is that of the rows given out and left out, however many wait.
        """
        taken, total = list[FileRow](), 0
        met = {rows.file_key(rows.root_key(root), path) for root, path in skip}
        with self._engine.read() as view:
            for key in _in_turn(view, [rows.root_key(root) for root in roots]):
                row = None if key in met else places.file_at(view, key)
                if row is None or row.stamp is None:
                    continue
                met.add(key)
                total += row.stamp.size
                if taken and total > size:
                    break
                taken.append(row)
                if len(taken) == files:
                    break
        return taken

    def queued(self) -> int:
        """Settled files that wait, in all roots."""
        with self._engine.read() as view:
            return view.count(Table.QUEUE)


def line_up(edit: Edit) -> None:
    """The step from format 2, which told what was dropped just now from a backlog by its ctime alone."""
    edit.clear(Table.QUEUE)
    for entry in list(edit.keys(Table.WAITING)):
        if entry.startswith(rows.waiting_prefix(entry[: rows.ROOT], FileState.PENDING)):
            key = _file(entry)
            row = places.row_at(edit, key)
            for table, queued in rows.entries(key, row) if row else ():
                if table is Table.QUEUE:
                    edit.put(table, queued)


def _in_turn(view: View, roots: Collection[bytes]) -> Iterator[bytes]:
    """Keys of the files that wait in these roots; some of them twice."""
    oldest = map(_file, _merged([view.keys_down(Table.QUEUE, root) for root in roots], reverse=True))
    for number, entry in enumerate(_merged([view.keys(Table.QUEUE, root + rows.DROPPED) for root in roots]), 1):
        yield _file(entry)
        if number % (_TURN - 1) == 0:
            yield from islice(oldest, 1)
    yield from map(_file, _merged([view.keys(Table.QUEUE, root + rows.BACKLOG) for root in roots]))


def _merged(lists: list[Iterator[bytes]], *, reverse: bool = False) -> Iterator[bytes]:
    return iter(heapq.merge(*lists, key=lambda entry: entry[rows.ROOT :], reverse=reverse))


def _file(entry: bytes) -> bytes:
    """The key of the file that an entry of the queue or of the waiting stands for."""
    return entry[: rows.ROOT] + entry[rows.WAITING_PREFIX :]
