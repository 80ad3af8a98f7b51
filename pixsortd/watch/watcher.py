"""The thread that watches one root: it judges the root, sweeps what is doubtful, and lets files settle.

Everything happens in :meth:`RootWatcher.step`, one short slice after another, on one thread; other
threads only leave requests. Nothing on disk is held open between two slices.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec
import structlog

from pixsortd.config import RootSettings, WatchSettings
from pixsortd.errors import PixsortdError
from pixsortd.records import (
    Change,
    FileState,
    Gone,
    Reason,
    RootRecord,
    RootState,
    VolumeIdentity,
    WatchMode,
    root_id,
)
from pixsortd.watch import roots
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.hints import Hints
from pixsortd.watch.intake import Intake
from pixsortd.watch.lookout import Lookout
from pixsortd.watch.losses import CONFIRMED, DELETED, Absences, Losses, sort_losses, unmounted
from pixsortd.watch.observer import Observer
from pixsortd.watch.presence import SPOT_CHECK, Presence
from pixsortd.watch.rules import Rules
from pixsortd.watch.scan import Sweep
from pixsortd.watch.settle import Settling
from pixsortd.watch.tree import RootChanged, Tree

log = structlog.get_logger()

_SLICE = 0.2
"""Seconds of sweeping between two looks at everything else ..."""
_SLICE_CHANGES = 500
"""... or this many changes."""
_SETTLING_AT_ONCE = 20_000
"""With more files than this waiting to settle, sweeping pauses."""
_RETRY = 30.0
"""Seconds until a scan is tried again after the catalog refused a change."""
_SILENT_QUIET = 5.0
"""Network shares cache stamps for a few seconds, so two looks must be further apart there."""


class RootWatcher(threading.Thread):
    """Watches one root and tells the catalog what has become of its files.

    ``never`` are absolute real paths that are not looked at, ``extensions`` those of photos (lower-case
    with dot). ``on_change`` is called after changes were recorded, and with none when only the root's
    record has changed; ``beat`` at least every ``beat_every`` seconds while the thread is well.
    """

    def __init__(
        self,
        settings: RootSettings,
        watch: WatchSettings,
        catalog: Catalog,
        *,
        never: Sequence[bytes] = (),
        extensions: frozenset[bytes],
        on_change: Callable[[RootRecord, Sequence[Change]], None],
        beat: Callable[[], None] = lambda: None,
        beat_every: float | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        observe: Callable[[Hints], Observer] = Observer,
    ) -> None:
        path = os.path.realpath(os.path.expanduser(os.fsencode(settings.path)))
        self._id = root_id(path)
        super().__init__(name=f"watch-{self._id}", daemon=True)
        self._watch = watch
        self._catalog = catalog
        self._on_change = on_change
        self._heartbeat = beat
        self._beat_every = beat_every
        self._clock = clock
        self._monotonic = monotonic
        prefix = path.rstrip(b"/") + b"/"
        self._rules = Rules(
            extensions,
            hidden=watch.hidden,
            patterns=(*watch.exclude, *settings.exclude),
            never=[other[len(prefix) :] for other in never if other.startswith(prefix)],
        )
        self._presence = Presence(path, self._id, settings.role, catalog, self._rules)
        self._intake = Intake(Settling(watch.quiet, watch.ceiling), self._apply)
        self._absences = Absences(catalog, self._id, watch)
        self._record = self._recall(path, settings)

        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._lookout = Lookout(self._wake, observe)
        self._requests: deque[Future[int]] = deque()
        self._retries: deque[bytes] = deque()
        self._scan_wanted = False

        self._present = False
        self._renewed = False
        self._sweeps: deque[Sweep] = deque()
        self._scan: Sweep | None = None
        self._scan_began = 0.0
        self._next_check = 0.0
        self._next_scan = 0.0
        self._next_glance = 0.0

    def _recall(self, path: bytes, settings: RootSettings) -> RootRecord:
        """The stored record, as it is before the root was looked at; a brake that held holds on."""
        stored = self._catalog.root(self._id) or RootRecord(id=self._id, path=path, since=self._clock())
        if stored.reason is not None and stored.reason.code == roots.BRAKED:
            self._absences.held = ()
        else:
            stored = msgspec.structs.replace(stored, state=RootState.STARTING, reason=None, since=self._clock())
        return msgspec.structs.replace(
            stored, path=path, role=settings.role, watch=WatchMode.OFF, watch_reason=None, watched=0
        )

    # --- for other threads -------------------------------------------------------------------------

    @property
    def record(self) -> RootRecord:
        """The root as it is now."""
        return self._record

    @property
    def scan_progress(self) -> tuple[int, int] | None:
        """(directories done, files seen) of the full scan that is under way, if one is."""
        scan = self._scan
        return (scan.directories, scan.files) if scan is not None else None

    def request_scan(self) -> None:
        """Start a full scan as soon as possible."""
        self._scan_wanted = True
        self._wake.set()

    def retry(self, path: bytes) -> None:
        """Look at a failed or changed file again and let it settle anew."""
        self._retries.append(path)
        self._wake.set()

    def confirm_gone(self) -> int:
        """The user says that the files missing from this root are really gone; returns how many were dropped.

        Takes as long as a full scan. Nothing is dropped of a root that cannot be read.
        """
        if not self.is_alive():
            return self._confirm()
        request: Future[int] = Future()
        self._requests.append(request)
        self._wake.set()
        return request.result()

    def stop(self) -> None:
        """End the thread; join it afterwards."""
        self._stopping.set()
        self._wake.set()

    # --- the thread --------------------------------------------------------------------------------

    def run(self) -> None:
        """Step until stopped."""
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                self._heartbeat()
                try:
                    pause = self.step()
                except PixsortdError as error:
                    log.warning("watching interrupted", root=self._id, error=str(error), next_step=error.next_step)
                    pause = self._start_over()
                except Exception:
                    log.exception("watching interrupted", root=self._id)
                    pause = self._start_over()
                if pause > 0:
                    self._wake.wait(pause if self._beat_every is None else min(pause, self._beat_every))
        finally:
            self.close()

    def close(self) -> None:
        """Give back what the kernel holds for this root; requests that came too late are refused."""
        self._lookout.close()
        while self._requests:
            self._requests.popleft().cancel()

    def step(self) -> float:
        """Do what is due, for a fraction of a second at most; returns the seconds until more is due."""
        while self._requests:
            self._answer(self._requests.popleft())
        now = self._monotonic()
        if now >= self._next_check:
            self._check(now)
        if self._present:
            try:
                self._step_present(now)
            except (RootChanged, OSError) as error:
                log.info("root interrupted", root=self._id, error=str(error))
                self._abandon()
                self._next_scan = now + 1.0
                self._check(now)
        return self._pause()

    def _step_present(self, now: float) -> None:
        self._take_hints(now)
        if self._absences.held is None:
            self._take_retries(now)
            self._settle(now)
            self._believe(now)
        self._work(now)

    def _pause(self) -> float:
        """Seconds until something is due."""
        now = self._monotonic()
        if not self._present:
            return max(0.0, self._next_check - now)
        due = [self._next_check]
        if not self._crowded():
            if self._sweeps or self._scan is not None or self._scan_wanted:
                return 0.0
            due.append(self._next_scan)
        waits = [self._lookout.next_due(now)]
        if self._absences.held is None:
            waits += [self._intake.settling.next_due(), self._absences.next_due()]
        return max(0.0, min([*due, *(at for at in waits if at is not None)]) - now)

    def _crowded(self) -> bool:
        return self._intake.settling.waiting >= _SETTLING_AT_ONCE

    def _start_over(self) -> float:
        """After a failure: forget what was under way, a full scan finds it all again."""
        self._abandon()
        self._next_scan = self._monotonic() + _RETRY
        return 1.0

    def _abandon(self) -> None:
        """Drop everything under way. What was not recorded is found again by the next scan."""
        self._sweeps.clear()
        self._scan = None
        self._intake.settling.clear()
        self._absences.clear()
        self._lookout.forget()

    # --- is the root there? ------------------------------------------------------------------------

    def _check(self, now: float) -> None:
        """Judge the root; afterwards ``_present`` says whether its files may be looked at."""
        self._next_check = now + self._watch.liveness
        seen, verdict = self._presence.judge(self._record.identity)
        if verdict.state is not RootState.ONLINE or seen.identity is None:
            self._leave(verdict.state, verdict.reason)
        elif not self._present or verdict.renewed:
            self._arrive(seen.identity, now)
        else:
            self._look_after(now)

    def _leave(self, state: RootState, reason: Reason | None) -> None:
        """The root cannot be believed: nothing is touched until it can."""
        self._present = False
        self._lookout.close()
        self._abandon()
        missing = self._presence.known() if state is RootState.AWAY else 0
        self._update(state=state, reason=reason, missing=missing, watch=WatchMode.OFF, watch_reason=None, watched=0)

    def _arrive(self, identity: VolumeIdentity, now: float) -> None:
        """The root is there, for the first time or again."""
        identity = self._presence.adopt(identity)
        self._renewed = self._renewed or self._record.identity not in (None, identity)
        self._present = True
        self._abandon()
        self._open()
        self._next_scan = now
        if self._absences.held is None:
            self._update(state=RootState.ONLINE, reason=None, missing=0, identity=identity)
        else:
            self._update(state=RootState.AWAY, identity=identity)

    def _look_after(self, now: float) -> None:
        """Between two judgements: what is mounted, whether events still come, whether files have returned."""
        if self._presence.mount_points() != self._presence.mounted:
            log.info("mounts changed", root=self._id)
            self._open()
            self._next_scan = now
        if self._lookout.has_ended():
            self._assess()
            self._next_scan = now
        if self._absences.held and self._scan is None and now >= self._next_glance:
            with self._presence.tree() as tree:
                if self._absences.returned(tree, SPOT_CHECK, self._presence.known()):
                    self._next_scan = now
            self._next_glance = now + self._watch.liveness + 10 * self._record.scan_seconds

    def _open(self) -> None:
        """Notice changes from now on, by the means that the file systems here allow."""
        silence = self._presence.survey()
        self._intake.settling.quiet = max(self._watch.quiet, _SILENT_QUIET if silence else 0.0)
        self._lookout.open(silence)
        self._assess()

    def _assess(self, **fields: Any) -> None:
        """Say how changes are noticed now."""
        mode, reason = self._lookout.mode
        self._update(watch=mode, watch_reason=reason, **fields)

    def _hold(self) -> None:
        """The brake: so much has vanished that nothing is believed until it returns or a person says so."""
        self._abandon()
        known, held = self._presence.known(), len(self._absences.held or ())
        self._next_scan = self._monotonic() + self._watch.rescan
        self._update(state=RootState.AWAY, reason=roots.vanished(held, known), missing=held)

    def _update(self, **fields: Any) -> None:
        """Change the root's record, and store and tell it when it has become another one."""
        if fields.get("state", self._record.state) is not self._record.state:
            fields["since"] = self._clock()
            log.info("root is now " + fields["state"].value, root=self._id, reason=fields.get("reason"))
        record = msgspec.structs.replace(self._record, **fields)
        if record != self._record:
            self._record = record
            self._catalog.save_root(record)
            self._on_change(record, ())

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
        if self._scan is None and (self._scan_wanted or now >= self._next_scan):
            self._scan_wanted = False
            self._begin_scan(now)
        sweep = self._sweeps[0] if self._sweeps else self._scan
        if sweep is None or self._crowded():
            return
        with self._presence.tree() as tree:
            more = self._advance(sweep, tree)
        self._take_in(sweep, now)
        if sweep is not self._scan:
            self._lookout.spent(self._monotonic() - now)
        if not more:
            self._finish(sweep, now)

    def _begin_scan(self, now: float) -> None:
        self._lookout.begin_scan()
        self._scan, self._scan_began = self._new_sweep(trees=(b"",)), now
        self._next_scan = now + self._watch.rescan

    def _advance(self, sweep: Sweep, tree: Tree) -> bool:
        """Step through a sweep for one slice; False when it is over."""
        until = self._monotonic() + _SLICE
        while sweep.step(tree):
            if self._monotonic() >= until or len(sweep.changes) >= _SLICE_CHANGES:
                return True
        return False

    def _take_in(self, sweep: Sweep, now: float) -> None:
        """Record what a sweep has found so far; nothing is recorded while the brake holds."""
        changes, unsettled = sweep.take()
        if self._absences.held is None:
            self._intake.take(changes, unsettled, now)
            self._absences.note(changes)
        if self._lookout.mode[0] is not self._record.watch and sweep is not self._scan:
            self._assess()

    def _finish(self, sweep: Sweep, now: float) -> None:
        """The sweep is over: decide about what is absent."""
        full = sweep is self._scan
        if full:
            self._scan = None
        else:
            self._sweeps.popleft()
        losses = Losses()
        if sweep.absent or self._absences.held is not None:
            self._check(now)  # the root may have gone while it was being swept
            if not self._present:
                return
            with self._presence.tree() as tree:
                losses = sort_losses(self._absences.verified(tree, sweep.absent), self._detached())
            self._absences.held, held = None, self._absences.held
            if not self._absences.weigh(losses, self._presence.known()):
                self._hold()
                return
            if held is not None:  # this sweep has recorded nothing, so that another one must
                self._update(state=RootState.ONLINE, reason=None, missing=0)
                self._next_scan = now
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
        self._next_scan = min(self._next_scan, now + self._lookout.pause(self._watch.rescan, seconds))
        log.info(
            "scan complete", root=self._id, directories=sweep.directories, files=sweep.files, seconds=round(seconds, 2)
        )

    def _detached(self) -> frozenset[bytes]:
        """The mount points below the root that have held files and are not mounted."""
        return frozenset(self._record.mounts) - self._presence.mount_points()

    # --- waiting -----------------------------------------------------------------------------------

    def _take_retries(self, now: float) -> None:
        while self._retries:
            path = self._retries.popleft()
            with self._presence.tree() as tree:
                if not self._intake.afresh(tree, path, now):
                    self._lookout.doubt(path)

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
        self._check(now)
        if not self._present:
            return
        if not self._absences.weigh(Losses(), self._presence.known()):
            self._hold()
            return
        with self._presence.tree() as tree:
            rows = self._absences.verified(tree, self._absences.due(now))
        self._intake.record([Gone(path=row.path, reason=DELETED) for row in rows if row.state is FileState.AWAY])

    # --- recording ---------------------------------------------------------------------------------

    def _apply(self, changes: Sequence[Change]) -> None:
        self._catalog.record(self._id, changes)
        self._on_change(self._record, changes)

    def _answer(self, request: "Future[int]") -> None:
        try:
            request.set_result(self._confirm())
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that asked
            request.set_exception(error)

    def _confirm(self) -> int:
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
            self._arrive(seen.identity, now)
            self._begin_scan(now)
            sweep, more = self._scan, True
            while more and sweep is not None:
                self._heartbeat()
                with self._presence.tree() as tree:
                    more = self._advance(sweep, tree)
                self._take_in(sweep, now)
            with self._presence.tree() as tree:
                rows = self._absences.verified(tree, sweep.absent if sweep is not None else ())
            self._intake.record([Gone(path=row.path, reason=CONFIRMED) for row in rows])
            self._scan = None
            if sweep is not None:
                self._complete(sweep, Losses(), now)
        return sum(row.state is not FileState.EXCLUDED for row in rows)
