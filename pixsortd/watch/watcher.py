"""The thread that watches one root. Other threads only leave requests with it."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import structlog

from pixsortd.config import RootSettings, WatchSettings
from pixsortd.errors import Conflict, PixsortdError
from pixsortd.records import Change, Reason, RootRecord, root_id
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.hints import Hints
from pixsortd.watch.lookout import Lookout
from pixsortd.watch.observer import Observer
from pixsortd.watch.patrol import Patrol
from pixsortd.watch.rules import Rules

log = structlog.get_logger()


class RootWatcher(threading.Thread):
    """Watches one root and tells the catalog what has become of its files.

    ``never`` are absolute real paths that are not looked at, ``extensions`` those of photos (lower-case
    with dot). ``on_change`` is called after changes were recorded, and with none when only the root's
    record has changed; ``beat`` at least every ``beat_every`` seconds while the thread is well.
    Nothing is looked at while another thread holds the ``gate``, so that files which are moved and
    recorded under it are never seen half way.
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
        gate: "threading.RLock | None" = None,
    ) -> None:
        path = os.path.realpath(os.path.expanduser(os.fsencode(settings.path)))
        self._id = root_id(path)
        super().__init__(name=f"watch-{self._id}", daemon=True)
        self._heartbeat = beat
        self._beat_every = beat_every
        self._gate = gate or threading.RLock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._requests: deque[Future[int]] = deque()
        self._retries: deque[bytes] = deque()
        prefix = path.rstrip(b"/") + b"/"
        self._rules = Rules(
            extensions,
            hidden=watch.hidden,
            patterns=(*watch.exclude, *settings.exclude),
            never=[other[len(prefix) :] for other in never if other.startswith(prefix)],
        )
        self._lookout = Lookout(self._wake, observe)
        self._patrol = Patrol(
            path,
            self._id,
            settings,
            watch,
            catalog,
            self._rules,
            self._lookout,
            tell=on_change,
            clock=clock,
            monotonic=monotonic,
        )

    # --- for other threads -------------------------------------------------------------------------

    @property
    def record(self) -> RootRecord:
        """The root as it is now."""
        return self._patrol.record

    @property
    def scan_progress(self) -> tuple[int, int] | None:
        """(directories done, files seen) of the full scan that is under way, if one is."""
        scan = self._patrol.scan
        return (scan.directories, scan.files) if scan is not None else None

    def kept_out(self, path: bytes) -> Reason | None:
        """Why a file at ``path`` would not be looked at, by its rules alone."""
        directory, _, name = path.rpartition(b"/")
        return self._rules.closed_by(directory) or self._rules.file(directory, name)

    def request_scan(self) -> None:
        """Start a full scan as soon as possible."""
        self._patrol.want_scan()
        self._wake.set()

    def retry(self, path: bytes) -> None:
        """Look at a failed or changed file again and let it settle anew."""
        self._retries.append(path)
        self._wake.set()

    def doubt(self, path: bytes) -> None:
        """Look at ``path`` as if there had been an event."""
        self._lookout.doubt(path)

    def confirm_gone(self) -> int:
        """The user says that the files missing from this root are really gone; returns how many were dropped.

        Takes as long as a full scan. Nothing is dropped of a root that cannot be read. Raises
        ``Conflict`` when the thread ends before it could be done.
        """
        if not self.is_alive():
            with self._gate:
                return self._patrol.confirm(self._heartbeat)
        request: Future[int] = Future()
        self._requests.append(request)
        self._wake.set()
        while True:
            try:
                return request.result(timeout=1.0)
            except TimeoutError:
                if not self.is_alive() and not request.done():
                    raise Conflict("the root is not being watched any more") from None

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
                    pause = self._patrol.start_over()
                except Exception:  # a watcher that died would silently see no photo any more
                    log.exception("watching interrupted", root=self._id)
                    pause = self._patrol.start_over()
                if pause > 0:
                    self._wake.wait(pause if self._beat_every is None else min(pause, self._beat_every))
        finally:
            self.close()

    def close(self) -> None:
        """Give back what the kernel holds for this root."""
        self._lookout.close()

    def step(self) -> float:
        """Do what is due, for a fraction of a second at most; returns the seconds until more is due."""
        while not self._gate.acquire(timeout=-1 if self._beat_every is None else self._beat_every):
            self._heartbeat()
        try:
            while self._requests:
                self._answer(self._requests.popleft())
            while self._retries:
                self._patrol.afresh(self._retries.popleft())
            return self._patrol.step()
        finally:
            self._gate.release()

    def _answer(self, request: "Future[int]") -> None:
        try:
            request.set_result(self._patrol.confirm(self._heartbeat))
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that asked
            request.set_exception(error)
