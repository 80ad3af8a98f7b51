"""The trash: photos' files are moved into a directory on their own file system, and can come back.

A discarded file lies in ``.pixsortd-trash`` at the top of its root, or of the mount inside the root
that holds it, so that no byte is copied. It is called ``<id>-<old name>`` there, its companions
``<id>.1-<name>`` and so on; the journal says where each came from. Where even that directory turns
out to be on another file system (a bind mount of a part), the file is copied, compared and removed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

import structlog

from pixsortd.errors import Conflict, NotFound, PixsortdError
from pixsortd.records import Place, Record
from pixsortd.sorting.contents import DIRECTORIES, FILES, Item, in_runs
from pixsortd.sorting.disk import Directories
from pixsortd.sorting.journal import Move
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.plans import Plans, Wanted

log = structlog.get_logger()

_TRIES = 8
"""Names tried for a file that comes back while others take them."""


class Discarded(Record, frozen=True, kw_only=True):
    """What became of a photo's files."""

    items: tuple[Item, ...] = ()
    error: PixsortdError | None = None
    """Why nothing was moved."""


class Returned(Record, frozen=True, kw_only=True):
    """What became of an item that was to come back."""

    item: Item
    place: Place
    """Where the photo's file is now, or was."""
    error: PixsortdError | None = None
    """Why it stays in the trash."""


Refuse = Callable[[Item], PixsortdError | None]
"""Why an item cannot be restored or purged now, if so."""


class Trash:
    """Discards, restores and purges. Any thread may call; one of them at a time does something."""

    def __init__(self, mover: Mover, photos: Collection[bytes]) -> None:
        """``photos`` are the extensions of photos, lower-case with dot."""
        self.mover = mover
        self._photos = photos
        self.lock = mover.lock
        """Held while anything is done; to be held while :attr:`contents` are read."""
        self.contents = mover.contents

    def discard(self, groups: Sequence[Sequence[Wanted]]) -> list[Discarded]:
        """Move groups of files to the trash, each group with its companions wholly or not at all."""
        leaving = {wanted.place for group in groups for wanted in group}
        answers: list[Discarded] = []
        with self.lock:
            rest = iter(groups)
            for count in in_runs(([one.place for one in group] for group in groups), FILES, DIRECTORIES):
                with Directories() as directories:
                    plans = Plans(directories, self._photos)
                    planned = [plans.discard(group, leaving) for group in islice(rest, count)]
                    refused = self._do(planned, directories)
                answers += [_discarded(move, refused) for move in planned]
        return answers

    def restore(self, items: Sequence[str], refuse: Refuse) -> list[Returned]:
        """Bring items back to where they were, under other names where theirs are taken.

        Raises ``NotFound`` with nothing moved.
        """
        with self.lock:
            chosen = self._chosen(items)
            answers: list[Returned] = []
            rest = iter(chosen)
            for count in in_runs(([item.origin] for item in chosen), FILES, DIRECTORIES):
                run = list(islice(rest, count))
                answers += self._restore(run, refuse)
            return answers

    def _restore(self, items: Sequence[Item], refuse: Refuse) -> list[Returned]:
        answers: dict[str, Returned] = {}
        for _ in range(_TRIES):
            waiting = [item for item in items if item.id not in answers]
            with Directories() as directories:
                plans = Plans(directories, self._photos)
                planned = [(item, refuse(item) or plans.restore(item)) for item in waiting]
                refused = self._do([move for _, move in planned], directories)
            for item, move in planned:
                error = refused[move.id] if isinstance(move, Move) else move
                if error is not None and isinstance(error.__cause__, FileExistsError):
                    continue  # somebody was faster: the next round sees it
                place = item.origin if error or not isinstance(move, Move) else move.steps[0].destination
                answers[item.id] = Returned(item=item, place=place or item.origin, error=error)
        never = Conflict("other files take its name again and again", next_step="Try again.")
        return [answers.get(item.id, Returned(item=item, place=item.origin, error=never)) for item in items]

    def purge(self, items: Sequence[str], refuse: Refuse) -> list[Item]:
        """Delete items for good; those that are gone now. Raises ``NotFound`` with nothing deleted."""
        with self.lock:
            chosen = [item for item in self._chosen(items) if refuse(item) is None]
            gone: list[Item] = []
            rest = iter(chosen)
            for count in in_runs(([item.origin] for item in chosen), FILES, DIRECTORIES):
                run = list(islice(rest, count))
                with Directories() as directories:
                    plans = Plans(directories, self._photos)
                    planned = [plans.purge(item) for item in run]
                    refused = self._do(planned, directories)
                for item, move in zip(run, planned, strict=True):
                    error = refused[move.id] if isinstance(move, Move) else move
                    if error is None:
                        gone.append(item)
                    else:
                        log.warning("not purged", item=item.id, error=str(error), next_step=error.next_step)
            return gone

    def _chosen(self, items: Sequence[str]) -> list[Item]:
        found = {item: self.contents.get(item) for item in items}
        unknown = [item for item, known in found.items() if known is None]
        if unknown:
            raise NotFound(f"there is no {unknown[0]} in the trash", next_step="`pixsortd trash` lists what is in it.")
        return [item for item in found.values() if item is not None]

    def _do(
        self, planned: Sequence[Move | PixsortdError], directories: Directories
    ) -> Mapping[str, PixsortdError | None]:
        """Why each move was not done, by its id."""
        moves = [move for move in planned if isinstance(move, Move)]
        try:
            return self.mover.do(moves, directories)
        except PixsortdError as error:
            return dict.fromkeys((move.id for move in moves), error)


def _discarded(move: Move | PixsortdError, refused: Mapping[str, PixsortdError | None]) -> Discarded:
    if not isinstance(move, Move):
        return Discarded(error=move)
    error = refused[move.id]
    if error is not None:
        return Discarded(error=error)
    return Discarded(items=tuple(Item(parcel=parcel, at=move.at) for parcel in move.parcels))
