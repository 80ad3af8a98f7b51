"""Photos that arrive between two clusterings: back where the user put them, or to their nearest group, or nowhere."""

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from pixsortd.daemon.grouping import effects
from pixsortd.daemon.grouping.book import Book
from pixsortd.daemon.search import Searcher
from pixsortd.grouping.join import NEIGHBOURS, judged
from pixsortd.index.store import Store
from pixsortd.records import Analysis, Group, Membership, Space


class Arrivals:
    """Places newly analysed photos."""

    def __init__(
        self,
        store: Store,
        searcher: Searcher,
        book: Book,
        clustered_in: Callable[[], str],
        on_groups: Callable[[], None],
    ) -> None:
        """``clustered_in`` says the key, in hex, of the last clustering's space; ``on_groups`` hears of changes."""
        self._store = store
        self._searcher = searcher
        self._book = book
        self._clustered_in = clustered_in
        self._on_groups = on_groups

    def place(self, results: Sequence[Analysis]) -> None:
        """Let photos join a group, or stay ungrouped."""
        newcomers = {analysis.sha256: analysis for analysis in results if analysis.embeddings}
        if newcomers and self._place(newcomers):
            self._on_groups()

    def _place(self, newcomers: Mapping[bytes, Analysis]) -> bool:
        with self._book.lock:
            constraints, owners = self._book.constraints(), self._book.owners()
            now = self._book.present(effects.concerned(newcomers, constraints))
            free = [photo for photo in newcomers if photo in now and now[photo] is None]
            joined = {photo: _decided(owners[photo]) for photo in free if photo in owners}
            joined.update(self._votes([newcomers[photo] for photo in free if photo not in owners]))
            moves = effects.goal({photo: joined[photo].group for photo in joined}, now, constraints)
            return bool(
                self._book.move(
                    {
                        photo: None if group is None else (at_home(joined.get(photo), group) or _decided(group))
                        for photo, group in moves.items()
                    }
                )
            )

    def _votes(self, newcomers: Sequence[Analysis]) -> dict[bytes, Membership]:
        """Memberships for those whose neighbours agree."""
        space = self._searcher.active()
        if space is None or self._clustered_in() != space.key.hex():
            return {}
        groups = {group.id: group for group in self._store.groups()}
        found = {}
        for analysis in newcomers if groups else ():
            vector = next((one.vector for one in analysis.embeddings if one.space.key == space.key), None)
            membership = None if vector is None else self._vote(analysis.sha256, vector, space, groups)
            if membership is not None:
                found[analysis.sha256] = membership
        return found

    def _vote(self, sha256: bytes, vector: bytes, space: Space, groups: Mapping[str, Group]) -> Membership | None:
        near = self._searcher.near(space, vector, NEIGHBOURS, exclude=(sha256,))
        barred = self._book.constraints().barred.get(sha256, frozenset())
        membership = judged(near, self._store.membership, groups.get, barred).membership
        return None if membership is None else msgspec.structs.replace(membership, at=time.time())


def at_home(membership: Membership | None, group: str) -> Membership | None:
    """The membership if it is one of this group."""
    return membership if membership is not None and membership.group == group else None


def _decided(group: str) -> Membership:
    """A place that the user's decision gives."""
    return Membership(group=group, strength=1.0, how="decided", at=time.time())
