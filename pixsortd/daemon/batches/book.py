"""All batches: what the user does with them, written down as decisions, and how they stand."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from pixsortd.api.ports import BatchEntry, BatchSummary, Cell, Ranking
from pixsortd.api.text import visible
from pixsortd.daemon.batches import shown
from pixsortd.daemon.batches.analyses import Analyses
from pixsortd.decisions import BatchState, Decisions
from pixsortd.decisions.batches import groups_of
from pixsortd.errors import InvalidRequest, NotFound
from pixsortd.index.store import Store
from pixsortd.records import (
    BatchParameters,
    ChangeBatch,
    CreateBatch,
    Decision,
    DeleteBatch,
    Job,
    LabelBatch,
    RankBatch,
    RenameBatch,
)

LONGEST_NAME = 200
LONGEST_LABEL = 100
"""Characters."""


class Grid(Protocol):
    """Who shows photos."""

    def cells(self, contents: Collection[bytes]) -> Sequence[Cell]:
        """Those of these contents that anything is known of."""
        ...


class Ranks(Protocol):
    """Who ranks photos."""

    def rank_of(self, images: Sequence[bytes], metric: str) -> Ranking:
        """From the best to the worst by what is stored; raises ``InvalidRequest`` for an unknown metric."""
        ...

    def compute_job(
        self, images: Sequence[bytes], metrics: Sequence[str], again: bool, then: Callable[[], None] | None
    ) -> Job | None:
        """Compute what is missing and call ``then``; None where nothing is."""
        ...


class Batches:
    """Implements ``pixsortd.api.ports.Batches``. What a batch is lives in the decisions alone."""

    def __init__(
        self,
        store: Store,
        grid: Grid,
        decisions: Decisions,
        analyses: Analyses,
        ranks: Ranks,
        on_batch: Callable[[str], None],
    ) -> None:
        """``on_batch`` hears the id of a batch that changed."""
        self._store = store
        self._grid = grid
        self._decisions = decisions
        self._analyses = analyses
        self._ranks = ranks
        self._on_batch = on_batch

    # --- asking ------------------------------------------------------------------------------------

    def list(self) -> Sequence[BatchSummary]:
        """Newest first."""
        return summaries(self._decisions.batches(), self._analyses.job_of, self._store.known)

    def get(self, batch: str) -> BatchEntry:
        """One batch with its photos. Raises ``NotFound``."""
        state = self._state(batch)
        return entry(state, self._analyses.job_of(batch), self._grid)

    # --- the set -----------------------------------------------------------------------------------

    def create(self, name: str, images: Sequence[bytes]) -> BatchSummary:
        """A new batch. Raises ``NotFound`` for an unknown photo, ``InvalidRequest`` for a name that is none."""
        chosen, title = self._photos(images), _text(name, "A batch's name", LONGEST_NAME)
        batch = secrets.token_hex(6)
        return self._decide(CreateBatch(batch=batch, name=title, members=chosen, at=time.time()), batch)

    def rename(self, batch: str, name: str) -> BatchSummary:
        """Another name. Raises ``NotFound``, ``InvalidRequest``."""
        title = _text(name, "A batch's name", LONGEST_NAME)
        return self._decide(RenameBatch(batch=self._state(batch).id, name=title, at=time.time()), batch)

    def delete(self, batch: str) -> BatchSummary:
        """Take it off the list, with its analysis if one runs. Raises ``NotFound``."""
        state = self._state(batch)
        self._decisions.append(DeleteBatch(batch=state.id, at=time.time()))
        self._analyses.call_off(batch)
        self._on_batch(batch)
        return self._summary(self._decisions.batches()[batch])

    def restore(self, batch: str) -> BatchSummary:
        """Undo ``delete``. Raises ``NotFound``."""
        state = known_batch(self._decisions.batches(), batch, deleted=True)
        if not state.deleted:
            return self._summary(state)
        return self._decide(DeleteBatch(batch=batch, restored=True, at=time.time()), batch)

    def add(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """Put photos in. Raises ``NotFound``, also for an unknown photo."""
        return self._change(self._state(batch), added=self._photos(images))

    def include(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """As ``add``, for contents that no analysis has seen yet. Raises ``NotFound``."""
        return self._change(self._state(batch), added=images)

    def remove(self, batch: str, images: Sequence[bytes]) -> BatchSummary:
        """Take photos out, with their manual labels. Raises ``NotFound``."""
        return self._change(self._state(batch), removed=images)

    def _change(self, state: BatchState, added: Sequence[bytes] = (), removed: Sequence[bytes] = ()) -> BatchSummary:
        members = frozenset(state.members)
        new = tuple(sha256 for sha256 in dict.fromkeys(added) if sha256 not in members)
        gone = tuple(sha256 for sha256 in dict.fromkeys(removed) if sha256 in members)
        if not new and not gone:
            return self._summary(state)
        return self._decide(ChangeBatch(batch=state.id, added=new, removed=gone, at=time.time()), state.id)

    # --- groups ------------------------------------------------------------------------------------

    def analyze(self, batch: str, parameters: BatchParameters) -> Job:
        """Queue an analysis. Raises ``NotFound``, ``InvalidRequest`` for parameters out of bounds."""
        try:
            checked = msgspec.convert(msgspec.to_builtins(parameters), BatchParameters)
        except msgspec.ValidationError as error:
            raise InvalidRequest(
                f"a batch cannot be analysed so: {error}",
                next_step="A group has at least two photos: use min_cluster_size 2 or more, min_samples 1 or more.",
            ) from error
        return self._analyses.ask(self._state(batch).id, checked)

    def label(self, batch: str, labels: Mapping[bytes, str | None]) -> BatchEntry:
        """Put photos into groups by hand. Raises ``NotFound``, also for a photo that the batch has not."""
        state = self._state(batch)
        if not labels.keys() <= frozenset(state.members):
            raise NotFound("there is no photo with this id in the batch", next_step="Add it to the batch first.")
        by_label: dict[str, list[bytes]] = {}
        for sha256, label in labels.items():
            if label is not None:
                by_label.setdefault(_text(label, "A group's label", LONGEST_LABEL), []).append(sha256)
        freed = tuple(sha256 for sha256, label in labels.items() if label is None and sha256 in state.manual)
        if by_label or freed:
            chosen = {label: tuple(photos) for label, photos in by_label.items()}
            self._decide(LabelBatch(batch=batch, labels=chosen, freed=freed, at=time.time()), batch)
        return self.get(batch)

    def rank(self, batch: str, label: str, metric: str) -> Ranking:
        """Rank a group by what is stored, and again when what is missing has been computed.

        Raises ``NotFound``, ``InvalidRequest``.
        """
        members = groups_of(self._state(batch)).get(label)
        if members is None:
            raise NotFound(f"there is no group {label!r} in the batch", next_step="GET the batch to see its groups.")
        ranking = self._rank(batch, label, metric, members)
        job = self._ranks.compute_job(members, (metric,), False, lambda: self._rank_again(batch, label, metric))
        return msgspec.structs.replace(ranking, job=job)

    def _rank(self, batch: str, label: str, metric: str, members: Sequence[bytes]) -> Ranking:
        """Rank and, where there is a score at all, remember it."""
        ranking = self._ranks.rank_of(members, metric)
        values = tuple(one.value for one in ranking.items if one.rank is not None and one.value is not None)
        if values:
            order = tuple(dict.fromkeys((*(one.id for one in ranking.items), *members)))
            self._decide(
                RankBatch(batch=batch, label=label, metric=metric, order=order, values=values, at=ranking.at), batch
            )
        return ranking

    def _rank_again(self, batch: str, label: str, metric: str) -> None:
        state = self._decisions.batches()[batch]
        members = groups_of(state).get(label)
        if members is not None and not state.deleted:
            self._rank(batch, label, metric, members)

    # --- what all share ----------------------------------------------------------------------------

    def _state(self, batch: str) -> BatchState:
        return known_batch(self._decisions.batches(), batch)

    def _photos(self, images: Sequence[bytes]) -> tuple[bytes, ...]:
        """The photos, each once. Raises ``NotFound`` for an unknown one."""
        chosen = tuple(dict.fromkeys(images))
        if len(self._store.known(chosen)) < len(chosen):
            raise NotFound("there is no photo with this id", next_step="GET /api/images lists the known ones.")
        return chosen

    def _decide(self, decision: Decision, batch: str) -> BatchSummary:
        self._decisions.append(decision)
        self._on_batch(batch)
        return self._summary(self._decisions.batches()[batch])

    def _summary(self, state: BatchState) -> BatchSummary:
        return shown.summary(state, self._analyses.job_of(state.id), self._store.known(list(shown.faces(state))))


def known_batch(states: Mapping[str, BatchState], batch: str, *, deleted: bool = False) -> BatchState:
    """One batch; with ``deleted`` also one that is off the list. Raises ``NotFound``."""
    state = states.get(batch)
    if state is None or (state.deleted and not deleted):
        raise NotFound(f"there is no batch {batch}", next_step="GET /api/batches lists the present ones.")
    return state


def summaries(
    states: Mapping[str, BatchState],
    job_of: Callable[[str], Job | None],
    known: Callable[[Collection[bytes]], Collection[bytes]],
) -> list[BatchSummary]:
    """The batches that are not deleted, newest first; ``known`` says which photos the index knows."""
    present = sorted(
        (state for state in states.values() if not state.deleted), key=lambda state: (-state.created, state.id)
    )
    faces = known({sha256 for state in present for sha256 in shown.faces(state)})
    return [shown.summary(state, job_of(state.id), faces) for state in present]


def entry(state: BatchState, job: Job | None, grid: Grid) -> BatchEntry:
    """A batch with those of its photos that the index knows."""
    return shown.entry(state, job, {bytes.fromhex(cell.id): cell for cell in grid.cells(state.members)})


def _text(text: str, what: str, longest: int) -> str:
    """A name with single spaces. Raises ``InvalidRequest`` for one that cannot be seen or is too long."""
    name = visible(text, what)
    if len(name) > longest:
        raise InvalidRequest(f"{what} has at most {longest} characters, this one has {len(name)}")
    return name
