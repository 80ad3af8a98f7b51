"""Groups over time: reclustering as a job, newcomers in between, names that the log of decisions keeps."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from pixsortd.api.ports import StageName
from pixsortd.config import Settings
from pixsortd.daemon.clustering import clustered
from pixsortd.daemon.jobs import Jobs, Progress
from pixsortd.daemon.photos.views import known_group
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.daemon.pipeline.rates import Rate
from pixsortd.daemon.search import Searcher
from pixsortd.decisions import Decisions
from pixsortd.errors import Conflict
from pixsortd.grouping.join import vote
from pixsortd.grouping.request import Reply, Request
from pixsortd.index.store import Store
from pixsortd.records import Analysis, Group, Job, Membership, NameGroup, Space

log = structlog.get_logger()

NEIGHBOURS = 5
"""Photos asked for their group when a newcomer arrives; more would outvote the smallest groups."""

REMEMBERED = 500
"""Members written beside a name, so that the group can be found again without the index."""

FIRST_LOOK = 250
"""Twice as many photos are grouped for the first time even while more arrive."""

STALE_SHARE = 0.1
STALE_PHOTOS = 20
"""Photos that arrived since the last clustering, as a share and at least, before it is done again by itself."""


class Grouper:
    """Forms groups, keeps their names, and places photos that arrive between two clusterings."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Store,
        searcher: Searcher,
        decisions: Decisions,
        jobs: Jobs,
        scratch: Path,
        on_groups: Callable[[], None],
        on_recluster: Callable[[], None],
        holds: Holds,
    ) -> None:
        """``on_groups`` hears that groups changed, ``on_recluster`` that a clustering has just been done."""
        self._settings = settings
        self._store = store
        self._searcher = searcher
        self._decisions = decisions
        self._jobs = jobs
        self._scratch = scratch
        self._on_groups = on_groups
        self._on_recluster = on_recluster
        self._holds = holds
        self._put_off = False
        """Whether a clustering was due while the grouping was held."""
        self._decided: dict[bytes, str] = {}
        self._tried = 0
        self.grouped = Rate(bursts=True)
        """Photos that a clustering has considered."""

    # --- names -------------------------------------------------------------------------------

    def restore(self) -> None:
        """Put what the user decided back into an index that may know nothing of it."""
        names = self._decisions.names()
        self._decided = {sha256: named.group for named in names.values() if named.name for sha256 in named.members}
        known = {group.id: group for group in self._store.groups()}
        for group in known.values():
            name = names[group.id].name if group.id in names else None
            if group.name != name:
                self._store.set_group_name(group.id, name)
        lost = [named for named in names.values() if named.name and named.group not in known]
        if lost:
            log.info("named groups brought back from the decisions", groups=len(lost))
            revived = [Group(id=named.group, size=0, name=named.name, created=named.at) for named in lost]
            self._store.replace_groups([*known.values(), *revived], self._store.memberships())
            self._store.join(self._decided_among(sha256 for named in lost for sha256 in named.members))

    def rename(self, group_id: str, name: str | None) -> Group:
        """Record the name durably, then show it. Raises ``NotFound``."""
        group = self.get(group_id)
        members = self._store.members(group_id)
        # The exemplars first: they are the likeliest to stay together.
        chosen = list(dict.fromkeys([*group.exemplars, *members]))[:REMEMBERED]
        decision = NameGroup(group=group_id, name=name, members=tuple(chosen), at=time.time())
        self._decisions.append(decision)
        if name is not None:
            self._decided.update(dict.fromkeys(chosen, group_id))
        else:
            self._decided = {sha256: owner for sha256, owner in self._decided.items() if owner != group_id}
        self._store.set_group_name(group_id, name)
        self._on_groups()
        return msgspec.structs.replace(group, name=name)

    def get(self, group_id: str) -> Group:
        """One group; raises ``NotFound``."""
        return known_group(self._store, group_id)

    # --- newcomers -----------------------------------------------------------------------------

    def place(self, results: Sequence[Analysis]) -> None:
        """Let newly analysed photos join their nearest group, or stay ungrouped."""
        newcomers = {analysis.sha256: analysis for analysis in results if analysis.embeddings}
        if not newcomers:
            return
        joined = self._decided_among(newcomers)
        space = self._searcher.active()
        groups = {group.id: group for group in self._store.groups()}
        if space is not None and groups and self._last_clustering()[1] == space.key.hex():
            for sha256, analysis in newcomers.items():
                vector = next((e.vector for e in analysis.embeddings if e.space.key == space.key), None)
                if vector is not None and sha256 not in joined and self._store.membership(sha256) is None:
                    membership = self._vote(sha256, vector, space, groups)
                    if membership is not None:
                        joined[sha256] = membership
        if self._store.join(joined):
            self._on_groups()
        self.submit_if_doubled()

    def _vote(self, sha256: bytes, vector: bytes, space: Space, groups: Mapping[str, Group]) -> Membership | None:
        near = self._searcher.near(space, vector, NEIGHBOURS, exclude=(sha256,))
        membership = vote(
            near, self._store.membership, lambda group: groups[group].floor if group in groups else math.inf, NEIGHBOURS
        )
        return None if membership is None else msgspec.structs.replace(membership, at=time.time())

    def _decided_among(self, contents: Iterable[bytes]) -> dict[bytes, Membership]:
        """Places in named groups that the decisions remember, for photos that have none."""
        now = time.time()
        return {
            sha256: _decided(group, now)
            for sha256 in contents
            if (group := self._decided.get(sha256)) is not None and self._store.membership(sha256) is None
        }

    # --- clustering ------------------------------------------------------------------------------

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
        known, key = self._last_clustering()
        return max(0, self._vectors(space) - (known if key == space.key.hex() else 0))

    def submit_if_stale(self) -> None:
        """Recluster when many photos have come since the last time, or the space in use has changed."""
        space = self._searcher.active()
        if space is None or self._jobs.busy("recluster"):
            return
        vectors = self._vectors(space)
        clustered, key = self._last_clustering()
        fresh = abs(vectors - clustered)
        if vectors < self._settings().cluster.min_cluster_size:
            return
        if key != space.key.hex() or not clustered or fresh >= max(STALE_PHOTOS, STALE_SHARE * clustered):
            self.submit_unless_held()

    def submit_if_doubled(self) -> None:
        """Recluster in the middle of a long first scan each time the library has doubled, so that groups show early."""
        space = self._searcher.active()
        if space is None or self._jobs.busy("recluster"):
            return
        clustered, key = self._last_clustering()
        known = clustered if key == space.key.hex() else 0
        vectors = self._vectors(space)
        if vectors >= 2 * max(known, self._tried, FIRST_LOOK):
            self._tried = vectors  # a run that fails is not begun anew with every commit
            self.submit_unless_held()

    def _vectors(self, space: Space) -> int:
        state = self._store.space_state(space.key)
        return state.count if state is not None else 0

    def _last_clustering(self) -> tuple[int, str]:
        """(vectors then, key of the space in hex) of the clustering that the present groups come from."""
        last = self._store.meta_get("clustered")
        return (0, "") if last is None else msgspec.json.decode(last, type=tuple[int, str])

    def _recluster(self, progress: Progress) -> Mapping[str, int | float | str]:
        space = self._searcher.active()
        if space is None:
            return {"groups": 0, "photos": 0}
        settings = self._settings().cluster
        count = self._vectors(space)
        contents, vectors = self._store.vectors_of(space.key)

        def asked(path: str) -> Request:
            return Request(
                vectors=path,
                contents=contents,
                previous=self._previous(),
                named=[named.group for named in self._decisions.names().values() if named.name],
                min_cluster_size=settings.min_cluster_size,
                min_samples=settings.min_samples,
                dimensions=settings.dimensions,
                deadline=float(settings.deadline),
            )

        reply = clustered(self._scratch, vectors, asked, progress)
        self._apply(reply, space, contents)
        self._store.meta_set("clustered", msgspec.json.encode((count, space.key.hex())))
        self.grouped.add(len(contents))
        self._on_groups()
        self._on_recluster()
        grouped = sum(len(found.members) for found in reply.groups)
        log.info("groups formed", groups=len(reply.groups), photos=len(contents), grouped=grouped, space=space.name)
        return {"groups": len(reply.groups), "photos": len(contents), "grouped": grouped, "space": space.name}

    def _previous(self) -> dict[str, set[bytes]]:
        """Members by group: as they are now, and for a named group without any as the decisions remember them."""
        previous: dict[str, set[bytes]] = {}
        for sha256, membership in self._store.memberships().items():
            previous.setdefault(membership.group, set()).add(sha256)
        for named in self._decisions.names().values():
            previous.setdefault(named.group, set(named.members))
        return previous

    def _apply(self, reply: Reply, space: Space, contents: Sequence[bytes]) -> None:
        """Put the new clustering in place; a named group that found no successor keeps what nobody else claims."""
        now = time.time()
        known = {group.id: group for group in self._store.groups()}
        memberships = {
            sha256: msgspec.structs.replace(membership, at=now)
            for found in reply.groups
            for sha256, membership in found.members.items()
        }
        groups = [
            Group(
                id=found.id,
                size=len(found.members),
                exemplars=found.exemplars,
                space=space.name,
                created=known[found.id].created if found.id in known else now,
                floor=found.floor,
            )
            for found in reply.groups
        ]
        # Asked now, not when the run began: a name given or taken back meanwhile counts.
        here = {group.id for group in groups}
        for dormant, named in self._decisions.names().items():
            if dormant in here or not named.name:
                continue
            kept = [sha256 for sha256 in named.members if sha256 not in memberships]
            memberships.update({sha256: _decided(dormant, now) for sha256 in kept})
            created = known[dormant].created if dormant in known else named.at
            groups.append(
                Group(id=dormant, size=len(kept), name=named.name, exemplars=tuple(kept[:5]), created=created)
            )
        self._store.replace_groups(groups, memberships, considered=contents)


def _decided(group: str, at: float) -> Membership:
    """A place that the user's decision gives."""
    return Membership(group=group, strength=1.0, how="decided", at=at)
