"""What is done about one root, one short slice after another: judge it, sweep what is doubtful, let files settle.

Nothing on disk is held open between two slices, so that a root can be unmounted at any time.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from pixsortd.config import RootSettings, WatchSettings
from pixsortd.records import FileState, Gone, Reason, RootRecord, RootState, VolumeIdentity, WatchMode
from pixsortd.watch import roots
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.intake import Intake
from pixsortd.watch.lookout import Lookout
from pixsortd.watch.losses import CONFIRMED, DELETED, Absences, Losses, sort_losses, unmounted
from pixsortd.watch.presence import SPOT_CHECK, Presence
from pixsortd.watch.rules import Rules
from pixsortd.watch.scan import Sweep
from pixsortd.watch.settle import Settling
from pixsortd.watch.standing import Standing, Tell
from pixsortd.watch.tree import RootChanged

log = structlog.get_logger()

_SETTLING_AT_ONCE = 20_000
"""With more files than this waiting to settle, sweeping pauses."""
_AGAIN = 1.0
"""Seconds until a root that went away under our hands is looked at again."""
_RETRY = 30.0
"""Seconds until a scan is tried again after the catalog refused a change."""
_SILENT_QUIET = 5.0
"""Network shares cache stamps for a few seconds, so two looks must be further apart there."""


class Patrol:
    """One root and all that is under way in it. To be used from one thread at a time."""

    def __init__(
        self,
        path: bytes,
        root: str,
        settings: RootSettings,
        watch: WatchSettings,
        catalog: Catalog,
        rules: Rules,
        lookout: Lookout,
        *,
        tell: Tell,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._id = root
        self._watch = watch
        self._catalog = catalog
        self._rules = rules
        self._lookout = lookout
        self._clock = clock
        self._monotonic = monotonic
        self._presence = Presence(path, root, settings.may_be_written, catalog, rules)
        self._standing = Standing(path, root, settings, catalog, tell, clock)
        self._intake = Intake(Settling(watch.quiet, watch.ceiling), self._standing.apply)
        self._absences = Absences(catalog, root, watch)
        if self._standing.braked:
            self._absences.held = ()
        self.scan: Sweep | None = None
        """The full scan that is under way, if one is."""
        self._sweeps: deque[Sweep] = deque()
        self._present = False
        self._renewed = False
        self._scan_wanted = False
        self._scan_began = 0.0
        self._backlog_before = 0
        """In the first scan of a root, its begin in nanoseconds of the clock: what was there before is its backlog."""
        self._next_check = 0.0
        self._next_scan = 0.0
        self._next_glance = 0.0

    @property
    def record(self) -> RootRecord:
        """The root as it is now."""
        return self._standing.record

    def want_scan(self) -> None:
        """Have a full scan started with the next step. May be called from any thread."""
        self._scan_wanted = True

    def step(self) -> float:
        """Do what is due, for a fraction of a second at most; returns the seconds until more is due.

        What the catalog raises comes through; call :meth:`start_over` then.
        """
        now = self._monotonic()
        try:
            if now >= self._next_check:
                self._check(now)
            if self._present:
                self._take_hints(now)
                if self._absences.held is None:
                    self._settle(now)
                    self._believe(now)
                self._work(now)
        except (RootChanged, OSError) as error:
            log.info("root interrupted", root=self._id, error=str(error))
            self._abandon()
            self._next_scan = self._next_check = now + _AGAIN
        return self._pause()

    def afresh(self, path: bytes) -> None:
        """Let a failed or changed file settle anew, if its root can be believed now."""
        if self._present and self._absences.held is None:
            try:
                with self._presence.tree() as tree:
                    if not self._intake.afresh(tree, path, self._monotonic()):
                        self._lookout.doubt(path)
            except (RootChanged, OSError) as error:
                log.info("root interrupted", root=self._id, error=str(error))

    def _pause(self) -> float:
        """Seconds until something is due."""
        now = self._monotonic()
        if not self._present:
            return max(0.0, self._next_check - now)
        due = [self._next_check]
        if not self._crowded():
            if self._sweeps or self.scan is not None or self._scan_wanted:
                return 0.0
            due.append(self._next_scan)
        waits = [self._lookout.next_due(now)]
        if self._absences.held is None:
            waits += [self._intake.settling.next_due(), self._absences.next_due()]
        return max(0.0, min([*due, *(at for at in waits if at is not None)]) - now)

    def _crowded(self) -> bool:
        return self._intake.settling.waiting >= _SETTLING_AT_ONCE

    def start_over(self) -> float:
        """After a failure: forget what was under way, a full scan finds it all again."""
        self._abandon()
        self._next_scan = self._monotonic() + _RETRY
        return 1.0

    def _abandon(self) -> None:
        """Drop everything under way. What was not recorded is found again by the next scan."""
        self._sweeps.clear()
        self.scan = None
        self._intake.settling.clear()
        self._absences.clear()
        self._lookout.forget()

    # --- is the root there? ------------------------------------------------------------------------

    def _check(self, now: float) -> bool:
        """Judge the root; True when it is there and still the same, so that what is under way may go on."""
        self._next_check = now + self._watch.liveness
        seen, verdict = self._presence.judge(self.record.identity)
        if verdict.state is not RootState.ONLINE or seen.identity is None:
            self._leave(verdict.state, verdict.reason)
        elif not self._present or verdict.renewed:
            self._arrive(seen.identity)
        else:
            self._look_after(now)
            return True
        return False

    def _leave(self, state: RootState, reason: Reason | None) -> None:
        """The root cannot be believed: nothing is touched until it can."""
        self._present = False
        self._lookout.close()
        self._abandon()
        missing = self._presence.known() if state is RootState.AWAY else 0
        self._standing.update(
            state=state, reason=reason, missing=missing, watch=WatchMode.OFF, watch_reason=None, watched=0
        )

    def _arrive(self, identity: VolumeIdentity) -> None:
        """The root is there, for the first time or again."""
        identity = self._presence.adopt(identity)
        self._renewed = self._renewed or self.record.identity not in (None, identity)
        self._present = True
        self._abandon()
        self._open()
        self._scan_wanted = True
        if self._absences.held is None:
            self._standing.update(state=RootState.ONLINE, reason=None, missing=0, identity=identity)
        else:
            reason = roots.vanished(self.record.missing, self._presence.known())
            self._standing.update(state=RootState.AWAY, reason=reason, identity=identity)

    def _look_after(self, now: float) -> None:
        """Between two judgements: what is mounted, whether events still come, whether files have returned."""
        if self._presence.mount_points() != self._presence.mounted:
            log.info("mounts changed", root=self._id)
            self._open()
            self._scan_wanted = True
        if self._lookout.has_ended():
            self._assess()
            self._scan_wanted = True
        if self._absences.held and self.scan is None and now >= self._next_glance:
            with self._presence.tree() as tree:
                if self._absences.returned(tree, SPOT_CHECK, self._presence.known()):
                    self._scan_wanted = True
            self._next_glance = now + self._watch.liveness + 10 * self.record.scan_seconds

    def _open(self) -> None:
        """Notice changes from now on, by the means that the file systems here allow."""
        silence = self._presence.survey()
        self._intake.settling.quiet = max(self._watch.quiet, _SILENT_QUIET if silence else 0.0)
        self._lookout.open(silence)
        self._assess()

    def _assess(self, **fields: Any) -> None:
        """Say how changes are noticed now."""
        mode, reason = self._lookout.mode
        self._standing.update(watch=mode, watch_reason=reason, **fields)

    def _hold(self) -> None:
        """The brake: so much has vanished that nothing is believed until it returns or a person says so."""
        self._abandon()
        known, held = self._presence.known(), len(self._absences.held or ())
        self._next_scan = self._monotonic() + self._watch.rescan
        self._standing.update(state=RootState.AWAY, reason=roots.vanished(held, known), missing=held)

    # --- looking -----------------------------------------------------------------------------------

    def _take_hints(self, now: float) -> None:
        """Turn gathered events into a sweep, one at a time."""
        doubt = None if self._sweeps else self._lookout.take(now)
        if doubt is None:
            return
        if doubt.everything:
            log.info("too many events, scanning instead", root=self._id, lost=doubt.lost)
            self._scan_wanted = True
            self._assess()
        if doubt.root:
            self._check(now)
        if (doubt.names or doubt.trees) and self._present and self._absences.held is None:
            self._sweeps.append(self._new_sweep(names=doubt.names, trees=doubt.trees))

    def _new_sweep(
        self, *, trees: Iterable[bytes], names: Mapping[bytes, frozenset[bytes] | None] | None = None
    ) -> Sweep:
        return Sweep(
            self._catalog,
            self._id,
            self._rules,
            self._lookout.observer,
            names=names,
            trees=trees,
            renewed=self._renewed,
        )

    def _work(self, now: float) -> None:
        """Sweep for one slice: what events have made doubtful first, then the full scan."""
        if self.scan is None and (self._scan_wanted or now >= self._next_scan):
            self._scan_wanted = False
            self._begin_scan(now)
        sweep = self._sweeps[0] if self._sweeps else self.scan
        if sweep is None or self._crowded():
            return
        with self._presence.tree() as tree:
            more = sweep.advance(tree, self._monotonic)
        self._take_in(sweep, now)
        if sweep is not self.scan:
            self._lookout.spent(self._monotonic() - now)
        if not more:
            self._finish(sweep, now)

    def _begin_scan(self, now: float) -> None:
        self._lookout.begin_scan()
        self.scan, self._scan_began = self._new_sweep(trees=(b"",)), now
        self._backlog_before = 0 if self.record.last_scan else int(self._clock() * 1e9)
        self._next_scan = now + self._watch.rescan

    def _take_in(self, sweep: Sweep, now: float) -> None:
        """Record what a sweep has found so far; nothing is recorded while the brake holds."""
        changes, unsettled = sweep.take()
        if self._absences.held is None:
            backlog_before = self._backlog_before if sweep is self.scan else 0
            self._intake.take(changes, unsettled, now, backlog_before=backlog_before)
            self._absences.note(changes)
        mode = self._lookout.mode[0]
        if mode is WatchMode.DEGRADED and mode is not self.record.watch:
            self._assess()  # that it has become better is only said after a full scan

    def _finish(self, sweep: Sweep, now: float) -> None:
        """The sweep is over: decide about what is absent."""
        full = sweep is self.scan
        if full:
            self.scan = None
        else:
            self._sweeps.popleft()
        losses = Losses()
        if sweep.absent or self._absences.held is not None:
            if not self._check(now):  # the root may have gone while it was being swept
                return
            with self._presence.tree() as tree:
                losses = sort_losses(self._absences.verified(tree, sweep.absent), self._detached())
            self._absences.held, held = None, self._absences.held
            if not self._absences.weigh(losses, self._presence.known()):
                self._hold()
                return
            if held is not None:  # this sweep has recorded nothing, so that another one must
                self._standing.update(state=RootState.ONLINE, reason=None, missing=0)
                self._scan_wanted = True
                return
            self._intake.record(self._absences.accept(losses, now))
        if full:
            self._complete(sweep, losses, now)

    def _complete(self, sweep: Sweep, losses: Losses, now: float) -> None:
        """A full scan is done."""
        seconds = self._monotonic() - self._scan_began
        away = losses.mounts - self._presence.mounted
        skipped = dict(sweep.skipped)
        if sweep.unreadable:
            skipped["unreadable"] = sweep.unreadable
        self._renewed = False
        watched = self._lookout.end_scan(sweep.directories)
        self._assess(
            reason=unmounted(sorted(away)) if away else None,
            directories=sweep.directories,
            watched=watched,
            last_scan=self._clock(),
            scan_seconds=round(seconds, 3),
            skipped=skipped,
            mounts=tuple(sorted(self._presence.mounted | away)),
        )
        self._next_scan = now + self._lookout.pause(self._watch.rescan, seconds)
        log.info(
            "scan complete", root=self._id, directories=sweep.directories, files=sweep.files, seconds=round(seconds, 2)
        )

    def _detached(self) -> frozenset[bytes]:
        """The mount points below the root that have held files and are not mounted."""
        return frozenset(self.record.mounts) - self._presence.mount_points()

    # --- waiting -----------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        at = self._intake.settling.next_due()
        if at is None or at > now:
            return
        with self._presence.tree() as tree:
            for path in self._intake.settle(tree, now):
                self._lookout.doubt(path)

    def _believe(self, now: float) -> None:
        """Believe in the deletion of files whose grace time is over, unless too many are missing."""
        at = self._absences.next_due()
        if at is None or at > now:
            return
        if not self._check(now):
            return
        if not self._absences.weigh(Losses(), self._presence.known()):
            self._hold()
            return
        with self._presence.tree() as tree:
            rows = self._absences.verified(tree, self._absences.due(now))
        self._intake.record([Gone(path=row.path, reason=DELETED) for row in rows if row.state is FileState.AWAY])

    # --- the user's word ---------------------------------------------------------------------------

    def confirm(self, beat: Callable[[], None]) -> int:
        """Adopt the root as it is now and drop every file that is not in it."""
        now = self._monotonic()
        seen = roots.probe(self._presence.path, marked=False)
        if seen.identity is None and seen.failure is not None and seen.failure.code != roots.ABSENT:
            return 0
        self._absences.held = None
        if seen.identity is None:
            directories = list(self._catalog.directories(self._id))
            rows = [row for directory in directories for row in self._catalog.listing(self._id, directory).values()]
            self._intake.record([Gone(path=row.path, reason=CONFIRMED) for row in rows])
            self._leave(RootState.AWAY, seen.failure)
        else:
            self._arrive(seen.identity)
            self._begin_scan(now)
            sweep, more = self.scan, True
            while more and sweep is not None:
                beat()
                with self._presence.tree() as tree:
                    more = sweep.advance(tree, self._monotonic)
                self._take_in(sweep, now)
            with self._presence.tree() as tree:
                rows = self._absences.verified(tree, sweep.absent if sweep is not None else ())
            self._intake.record([Gone(path=row.path, reason=CONFIRMED) for row in rows])
            self.scan = None
            if sweep is not None:
                self._complete(sweep, Losses(), now)
        return sum(row.state is not FileState.EXCLUDED for row in rows)
