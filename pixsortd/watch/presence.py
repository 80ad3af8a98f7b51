"""One root's place on disk: who it is, whether it is there, and what is mounted in it."""

from contextlib import AbstractContextManager

from pixsortd.records import Reason, VolumeIdentity
from pixsortd.watch import mounts, roots
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.rules import Rules
from pixsortd.watch.tree import Tree

SPOT_CHECK = 64
"""Known files looked for to recognise a volume, or to see whether missing files have returned."""


class Presence:
    """The directory of one root, compared with what the catalog knows of it."""

    def __init__(self, path: bytes, root: str, writable: bool, catalog: Catalog, rules: Rules) -> None:
        self.path = path
        self._root = root
        self._marked = writable
        self._catalog = catalog
        self._rules = rules
        self._expected: tuple[int, int] | None = None
        self.mounted: frozenset[bytes] = frozenset()
        """The mount points below the root when it was last surveyed."""

    def judge(self, previous: VolumeIdentity | None) -> tuple[roots.Probe, roots.Verdict]:
        """Look at the root and decide whether it is the one that had the identity ``previous``."""
        seen = roots.probe(self.path, marked=self._marked)
        known, sample = 0, None
        if seen.identity is not None:
            renumbered = not roots.same_volume(previous, seen.identity)
            if renumbered or seen.empty:
                known = self.known()
            if renumbered and known:
                sample = roots.compare_sample(self.path, self._catalog.sample(self._root, SPOT_CHECK))
        return seen, roots.judge(previous, seen, known=known, sample=sample)

    def adopt(self, identity: VolumeIdentity) -> VolumeIdentity:
        """Believe in this directory from now on, and mark it where that is allowed."""
        if self._marked and roots.write_marker(self.path, self._root):
            identity = roots.probe(self.path, marked=True).identity or identity
        self._expected = (identity.device, identity.inode)
        return identity

    def tree(self) -> AbstractContextManager[Tree]:
        """The root for a few looks; :class:`RootChanged` when it is no longer the adopted directory."""
        return Tree.at(self.path, self._expected)

    def known(self) -> int:
        """How many files other than excluded ones the catalog has."""
        ledger = self._catalog.ledger(self._root)
        return ledger.indexed + ledger.pending + ledger.failed + ledger.away

    def mount_points(self) -> frozenset[bytes]:
        """The mount points below the root now, other than in excluded directories."""
        return frozenset(self._nested(mounts.read()))

    def survey(self) -> Reason | None:
        """Take note of the mounts; returns why the root has to be polled, or None when events tell all."""
        table = mounts.read()
        nested = self._nested(table)
        self.mounted = frozenset(nested)
        return mounts.silence(mounts.holding(table, self.path), nested)

    def _nested(self, table: list[mounts.Mount]) -> dict[bytes, mounts.Mount]:
        return {
            point: mount for point, mount in mounts.below(table, self.path).items() if not self._rules.closed(point)
        }
