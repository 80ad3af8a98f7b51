"""What the line takes up next: orders and files that wait, in turn; then known photos that lack something."""

from collections.abc import Callable, Collection, Container
from typing import Protocol

import msgspec

from pixsortd.api.ports import StageName
from pixsortd.config import Settings
from pixsortd.daemon.pipeline.abilities import Abilities
from pixsortd.daemon.pipeline.orders import Order, Orders
from pixsortd.daemon.pipeline.pace import Pace, room
from pixsortd.daemon.pipeline.wants import Offer, readable, wants
from pixsortd.records import FileRow, Reason, Wants


class Backlog(Protocol):
    """What is asked of the index: everything that is still to be done."""

    def next_batch(
        self, files: int, size: int, roots: Collection[str], skip: Collection[tuple[str, bytes]] = ()
    ) -> list[FileRow]: ...
    def lacking(
        self, space_keys: Collection[bytes], metrics: Collection[str], limit: int, roots: Collection[str]
    ) -> list[FileRow]: ...
    def lacking_count(self, space_keys: Collection[bytes], metrics: Collection[str]) -> int: ...
    def sweep_again(self) -> None: ...
    def locations(self, sha256: bytes) -> list[FileRow]: ...
    def analysis_of(self, sha256: bytes) -> tuple[bool, frozenset[bytes], frozenset[str]]: ...


Scoring = Callable[[Offer], Collection[str]]
"""Which of the metrics on offer are computed at once."""


def _all(offer: Offer) -> Collection[str]:
    return offer.metrics


def _inline(offer: Offer) -> Collection[str]:
    return offer.inline


def _none(_: Offer) -> Collection[str]:
    return ()


class Agenda:
    """Chooses batches, and what is computed for each photo of the one in work.

    The line's thread asks; any may add and withdraw orders.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        backlog: Backlog,
        abilities: Abilities,
        holds: Container[StageName],
        on_idle: Callable[[], None],
    ) -> None:
        """``on_idle`` hears that no file waits any more, though photos may still be completed, and that they are."""
        self._settings = settings
        self._backlog = backlog
        self._abilities = abilities
        self._holds = holds
        self._on_idle = on_idle
        self.orders = Orders()
        self.order: Order | None = None
        """The order that the batch in work belongs to."""
        self.lane = StageName.ANALYZE
        """What the batch in work is for: new files, or the completion of known photos."""
        self.backfill = 0
        """Known photos that lack a space, a metric or their thumbnail, while they are being completed or held."""
        self.ahead: list[FileRow] = []
        """Files that will probably be taken up after the batch in work."""
        self._ordered_first = False
        self._paces = {lane: Pace() for lane in (StageName.ANALYZE, StageName.SCORE)}
        self._scoring: Scoring = _all
        self._unscored = 0
        """How many were left without scores since known photos were last gone through."""
        self._complete = False
        """Whether no known photo lacks anything that can be computed."""
        self._counted = False
        """Whether ``backfill`` has been counted since the scoring is held."""
        self._news = False
        """Whether ``on_idle`` has not heard of the last that was done."""
        self._offered = 0

    @property
    def unscored(self) -> int:
        """Photos that were taken in without scores and that ``backfill`` does not count yet."""
        return 0 if self._counted else self._unscored

    def refill(self) -> None:
        """Known photos may lack something."""
        self._complete = False

    def renew(self, offer_changed: bool, news: bool) -> None:
        """The worker has said what it can do; ``news`` when it was not known before."""
        if offer_changed or news:
            self._complete = self._counted = False
        if news:
            # The same metric in another version makes every score of the former one a missing one.
            self._backlog.sweep_again()

    def next_batch(self, roots: Collection[str], in_flight: Collection[tuple[str, bytes]] = ()) -> list[FileRow]:
        """Files to be sent to the worker, of the online ``roots``; none when there is nothing to do.

        ``in_flight`` names files that the index will know more of soon; ask again then if there was nothing.
        """
        self._ordered_first = not self._ordered_first
        both = (self._ordered, self._waiting)
        for rows_of in both if self._ordered_first else reversed(both):
            if rows := rows_of(roots, in_flight):
                return rows
        if in_flight and (self._news or self._unscored):
            return []
        self._tell()
        rows = self._lacking(roots)
        if not in_flight:
            self._tell()
        return rows

    def wants(self, sha256: bytes) -> Wants:
        """What is to be computed for a photo of the batch in work."""
        offer = self._abilities.offer
        photo, spaces, metrics = self._backlog.analysis_of(sha256)
        wanted = wants(offer, photo, spaces, metrics)
        if self.order is not None and sha256 in self.order:
            return msgspec.structs.replace(wanted, metrics=self.order.wants(offer.metrics, metrics))
        at_once = self._scoring(offer)
        now = tuple(name for name in wanted.metrics if name in at_once)
        if now != wanted.metrics:
            self._unscored += 1
            self.backfill += self._counted
            return msgspec.structs.replace(wanted, metrics=now)
        return wanted

    def processed(self, photos: int, seconds: float | None) -> None:
        """The batch in work is dealt with; it took that long, None if that says nothing of the next one."""
        if seconds is not None:
            self._paces[self.lane].took(photos, seconds)
        order, self.order = self.order, None
        if order is not None:
            order.processed(photos)

    def give_up(self, problem: Reason | None) -> None:
        """Whoever waits for the batch in work is told that it cannot be done now, rather than kept waiting."""
        order, self.order = self.order, None
        if order is not None:
            self.orders.remove(order)
            order.give_up(problem)

    def _ordered(self, roots: Collection[str], in_flight: Collection[tuple[str, bytes]]) -> list[FileRow]:
        """Photos whose scores somebody waits for."""
        if StageName.SCORE in self._holds:
            return []
        while (taken := self.orders.take(self._files(StageName.SCORE))) is not None:
            order, contents = taken
            if self._abilities.rule_out(order.metrics):
                self.orders.remove(order)
                order.give_up()
                continue
            found = (readable(self._backlog.locations(sha256), roots) for sha256 in contents)
            rows = [row for row in found if row is not None]
            if len(rows) < len(contents):
                order.out_of_reach(len(contents) - len(rows))
            if rows:
                self.lane, self.order = StageName.SCORE, order
                self.ahead = self._settled(roots, in_flight)
                return rows
        return []

    def _waiting(self, roots: Collection[str], in_flight: Collection[tuple[str, bytes]]) -> list[FileRow]:
        """Settled files, best first."""
        rows = self._settled(roots, in_flight)
        if rows:
            self.lane = StageName.ANALYZE
            self.ahead = self._settled(roots, {*in_flight, *((row.root, row.path) for row in rows)})
            # Other scores cost many times what all the rest does: a backlog is made visible first, they come after.
            self._scoring = _none if StageName.SCORE in self._holds else _inline if self.ahead else _all
            self._news = True
        return rows

    def _settled(self, roots: Collection[str], but: Collection[tuple[str, bytes]]) -> list[FileRow]:
        return self._backlog.next_batch(self._files(StageName.ANALYZE), room(self._settings().worker), roots, but)

    def _files(self, lane: StageName) -> int:
        return self._paces[lane].files(self._settings().worker.batch_files)

    def _tell(self) -> None:
        if self._news:
            self._news = False
            self._on_idle()

    def _lacking(self, roots: Collection[str]) -> list[FileRow]:
        """Known photos that lack a space, a metric or their thumbnail."""
        if self._unscored:
            if self.backfill:
                self.backfill += self.unscored
            self._unscored, self._complete = 0, False
            self._backlog.sweep_again()
        if self._complete:
            return []
        offer = self._abilities.offer
        keys = [space.key for space in offer.spaces]
        if StageName.SCORE in self._holds:
            if not self._counted:
                self._counted = self._news = True
                self.backfill = self._backlog.lacking_count(keys, offer.metrics)
            return []
        self._counted, self._scoring, self.lane = False, _all, StageName.SCORE
        self.ahead = []
        rows = self._backlog.lacking(keys, offer.metrics, self._files(StageName.SCORE), roots)
        self._complete = self._news = not rows
        if rows and not self.backfill:
            self.backfill = self._backlog.lacking_count(keys, offer.metrics)
        else:
            self.backfill = max(len(rows), self.backfill - self._offered) if rows else 0
        self._offered = len(rows)
        return rows
