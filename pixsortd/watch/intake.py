"""What sweeps have found is recorded here, and files wait here until they have settled."""

from collections.abc import Callable, Sequence

from pixsortd.records import Change, FileStamp, Found, Gone, Reason
from pixsortd.watch.origin import SETTLING
from pixsortd.watch.settle import Outcome, Settling
from pixsortd.watch.tree import Tree

_BATCH = 500
"""Changes recorded at once."""

_NEVER_SETTLES = Reason(
    code="never-settles",
    message="the file has been changing all the time since it was found",
    next_step="Nothing to do: it is taken in when it rests.",
)


class Intake:
    """The way of one root's files into the catalog; ``record`` applies changes durably."""

    def __init__(self, settling: Settling, record: Callable[[Sequence[Change]], None]) -> None:
        self.settling = settling
        self._record = record

    def take(
        self,
        changes: Sequence[Change],
        unsettled: Sequence[tuple[bytes, FileStamp]],
        now: float,
        *,
        backlog_before: int = 0,
    ) -> None:
        """Record what a sweep has found at the monotonic time ``now``; new files start to settle.

        Those whose ctime in nanoseconds is below ``backlog_before`` were not dropped just now.
        """
        batch: list[Change] = []
        for change in changes:
            if isinstance(change, Found):
                known = change.path in self.settling
                outcome = self.settling.observe(change.path, change.stamp, now)
                if outcome is not Outcome.WAITING or not known:
                    backlog = change.stamp.ctime_ns < backlog_before
                    batch.append(_found(change.path, change.stamp, outcome, backlog=backlog))
            else:
                if isinstance(change, Gone):
                    self.settling.forget(change.path)
                batch.append(change)
        for path, stamp in unsettled:
            outcome = self.settling.observe(path, stamp, now)
            if outcome is not Outcome.WAITING:
                batch.append(_found(path, stamp, outcome))
        self.record(batch)

    def record(self, changes: Sequence[Change]) -> None:
        """Record changes as they are."""
        for start in range(0, len(changes), _BATCH):
            self._record(changes[start : start + _BATCH])

    def settle(self, tree: Tree, now: float) -> list[bytes]:
        """Look at the files whose time has come; returns those that are not there any more."""
        batch: list[Change] = []
        vanished: list[bytes] = []
        for path in sorted(self.settling.due(now)):
            try:
                stamp = tree.stamp(path)
            except OSError:
                continue  # it is due again after a while
            outcome = self.settling.observe(path, stamp, now)
            if stamp is None:
                vanished.append(path)
            elif outcome is not Outcome.WAITING:
                batch.append(_found(path, stamp, outcome))
        self.record(batch)
        return vanished

    def afresh(self, tree: Tree, path: bytes, now: float) -> bool:
        """Let a known file settle anew, whatever has become of it; False when it is not there."""
        stamp = tree.stamp(path)
        if stamp is None:
            return False
        self.settling.forget(path)
        self.take([_found(path, stamp, Outcome.WAITING)], (), now)
        return True


def _found(path: bytes, stamp: FileStamp, outcome: Outcome, *, backlog: bool = False) -> Found:
    reason = {Outcome.WAITING: SETTLING, Outcome.NEVER: _NEVER_SETTLES}.get(outcome)
    return Found(path=path, stamp=stamp, settled=outcome is Outcome.READY, reason=reason, backlog=backlog)
