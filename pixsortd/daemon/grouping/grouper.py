"""Forming groups anew: when it is due, and as a job. What comes of it is for :mod:`.outcome` to apply."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from pixsortd.api.ports import StageName
from pixsortd.config import Settings
from pixsortd.daemon.clustering import clustered
from pixsortd.daemon.grouping.likeness import LearnedLikeness
from pixsortd.daemon.grouping.outcome import Outcomes
from pixsortd.daemon.jobs import Jobs, Progress
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.rates import Rate
from pixsortd.daemon.search import Searcher
from pixsortd.errors import Conflict
from pixsortd.grouping.request import Request
from pixsortd.index.store import Store
from pixsortd.records import Job, Selection, Space

log = structlog.get_logger()

FIRST_LOOK = 250
"""Twice as many photos are grouped for the first time even while more arrive."""

STALE_SHARE = 0.1
STALE_PHOTOS = 20
"""Photos that arrived since the last clustering, as a share and at least, before it is done again by itself."""


class Grouper:
    """Decides when groups are formed anew, and has it done."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        searcher: Searcher,
        outcomes: Outcomes,
        likeness: LearnedLikeness,
        jobs: Jobs,
        scratch: Path,
        kept: Path,
        on_groups: Callable[[], None],
        on_recluster: Callable[[], None],
        holds: Holds,
    ) -> None:
        """``kept`` is the directory for what a clustering leaves to the next.

        ``on_groups`` hears that groups changed, ``on_recluster`` that a clustering has just been done.
        """
        self._settings = settings
        self._store = store
        self._searcher = searcher
        self._outcomes = outcomes
        self._likeness = likeness
        self._jobs = jobs
        self._scratch = scratch
        self._kept = kept
        self._on_groups = on_groups
        self._on_recluster = on_recluster
        self._holds = holds
        self._put_off = False
        """Whether a clustering was due while the grouping was held."""
        self._tried = 0
        self.grouped = Rate(bursts=True)
        """Photos that a clustering has considered."""

    def submit(self) -> Job:
        """Queue a reclustering, or return the one that waits or runs. Raises ``Conflict`` while grouping is held."""
        held = self._holds.reason(StageName.GROUP)
        if held is not None:
            raise Conflict(held.message, next_step=held.next_step)
        return self._jobs.submit("recluster", self._recluster)

    def submit_unless_held(self) -> None:
        """Queue a reclustering that is due by itself; while grouping is held it waits for ``resume``."""
        if StageName.GROUP in self._holds:
            self._put_off = True
        else:
            self.submit()

    def resume(self) -> None:
        """Grouping is held no more: do what was put off, or what is worth doing after a restart."""
        if self._put_off:
            self._put_off = False
            self.submit_unless_held()
        else:
            self.submit_if_stale()

    def unconsidered(self) -> int:
        """Photos whose vectors came since the last clustering, in the space that is used for groups now."""
        space = self._searcher.active()
        if space is None:
            return 0
        known, key = self._outcomes.last()
        return max(0, self._vectors(space) - (known if key == space.key.hex() else 0))

    def submit_if_stale(self) -> None:
        """Recluster when many photos have come since the last time, or the space in use has changed."""
        space = self._searcher.active()
        if space is None or self._jobs.busy("recluster"):
            return
        vectors = self._vectors(space)
        known, key = self._outcomes.last()
        fresh = abs(vectors - known)
        if vectors < self._settings().cluster.min_cluster_size:
            return
        if key != space.key.hex() or not known or fresh >= max(STALE_PHOTOS, STALE_SHARE * known):
            self.submit_unless_held()

    def submit_if_doubled(self) -> None:
        """Recluster in the middle of a long first scan each time the library has doubled, so that groups show early."""
        space = self._searcher.active()
        if space is None or self._jobs.busy("recluster"):
            return
        known, key = self._outcomes.last()
        vectors = self._vectors(space)
        if vectors >= 2 * max(known if key == space.key.hex() else 0, self._tried, FIRST_LOOK):
            self._tried = vectors  # a run that fails is not begun anew with every commit
            self.submit_unless_held()

    def _vectors(self, space: Space) -> int:
        state = self._store.space_state(space.key)
        return state.count if state is not None else 0

    def _recluster(self, progress: Progress) -> Mapping[str, int | float | str]:
        space = self._searcher.active()
        if space is None:
            return {"groups": 0, "photos": 0}
        settings = self._settings().cluster
        count = self._vectors(space)

        def asked(path: str, contents: bytes) -> Request:
            earlier = self._outcomes.earlier(contents)
            return Request(
                vectors=path,
                contents=contents,
                previous=earlier.members,
                exemplars=earlier.exemplars,
                touched=earlier.touched,
                merged=earlier.merged,
                together=earlier.together,
                times=self._store.moments(contents),
                space=space.name,
                kept=os.fspath(self._kept),
                lessons=self._likeness.lessons(),
                use_learned=self._likeness.wanted(),
                min_cluster_size=settings.min_cluster_size,
                min_samples=settings.min_samples,
                selection=Selection(settings.selection),
                epsilon=settings.epsilon,
                deadline=float(settings.deadline),
            )

        contents, reply = clustered(
            self._scratch, lambda file: self._store.save_vectors(space.key, file), asked, progress
        )
        self._likeness.keep(reply.learning)
        done = self._outcomes.apply(reply, contents, space, count)
        photos = len(contents) // 32
        self.grouped.add(photos)
        self._on_groups()
        self._on_recluster()
        log.info("groups formed", photos=photos, space=space.name, **done)
        return {"photos": photos, "space": space.name, **done}
