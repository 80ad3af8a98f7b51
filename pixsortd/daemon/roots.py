"""The configured roots and the threads that watch them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from pixsortd.api.ports import RootEntry
from pixsortd.config import RootSettings, Settings
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.jobs import Jobs, Progress
from pixsortd.daemon.places import ABSENT, innermost, present_ledger, real_path
from pixsortd.decisions import Decisions
from pixsortd.errors import Conflict, NotFound
from pixsortd.index.store import Store
from pixsortd.records import Change, ConfirmGone, Job, Reason, RootRecord, RootState, root_id
from pixsortd.watch.watcher import RootWatcher

log = structlog.get_logger()

OnChange = Callable[[RootRecord, Sequence[Change]], None]


class Roots:
    """One ``RootWatcher`` for each configured root."""

    def __init__(
        self,
        roots: Sequence[RootSettings],
        state_dir: Path,
        store: Store,
        decisions: Decisions,
        jobs: Jobs,
        heart: Heart,
        extensions: frozenset[bytes],
        on_change: OnChange,
    ) -> None:
        self._paths = {root_id(path): path for path in (real_path(root.path) for root in roots)}
        self._roots = dict(zip(self._paths, roots, strict=True))
        self._state_dir = real_path(state_dir)
        self._store = store
        self._decisions = decisions
        self._jobs = jobs
        self._heart = heart
        self._extensions = extensions
        self._on_change = on_change
        self._watchers: dict[str, RootWatcher] = {}
        self._gates = {identity: threading.RLock() for identity in self._paths}

    def start(self, settings: Settings) -> None:
        """Begin watching; forget roots that are configured no more."""
        for stale in {record.id for record in self._store.roots()} - self._roots.keys():
            files = self._store.drop_root(stale)
            log.info("root no longer configured, its files leave the index; decisions and analysis stay", files=files)
        for identity, root in self._roots.items():
            name = f"watch-{identity}"
            watcher = RootWatcher(
                root,
                settings.watch,
                self._store,
                never=[self._state_dir, *(path for other, path in self._paths.items() if other != identity)],
                extensions=self._extensions,
                on_change=self._on_change,
                beat=self._heart.beat_of(name),
                beat_every=self._heart.interval,
                gate=self._gates[identity],
            )
            self._watchers[identity] = watcher
            watcher.start()

    def stop(self, timeout: float) -> None:
        """End all watchers; together they get ``timeout`` seconds."""
        end = time.monotonic() + timeout
        for watcher in self._watchers.values():
            watcher.stop()
        for watcher in self._watchers.values():
            watcher.join(max(0.0, end - time.monotonic()))
            self._heart.forget(watcher.name)
        self._watchers.clear()

    # --- asking ------------------------------------------------------------------------------

    def entries(self) -> list[RootEntry]:
        """Every root with its ledger, in the order of the configuration."""
        return [self._entry(watcher) for watcher in self._watchers.values()]

    def _entry(self, watcher: RootWatcher) -> RootEntry:
        progress = watcher.scan_progress
        directories, files = progress or (watcher.record.directories, 0)
        return RootEntry(
            record=watcher.record,
            ledger=present_ledger(self._store.ledger(watcher.record.id), watcher.record.state),
            writable=watcher.record.writable,
            scanning=progress is not None,
            scan_directories=directories,
            scan_files=files,
        )

    def records(self) -> list[RootRecord]:
        """Every root as it is now, in the order of the configuration."""
        return [watcher.record for watcher in list(self._watchers.values())]

    def kept_out(self, root: str, path: bytes) -> Reason | None:
        """Why a file at ``path`` below a root would not be looked at; None when it would."""
        watcher = self._watchers.get(root)
        return None if watcher is None else watcher.kept_out(path)

    def online(self) -> Mapping[str, bytes]:
        """Paths of the roots whose files can be read now."""
        return {
            identity: watcher.record.path
            for identity, watcher in list(self._watchers.items())
            if watcher.record.state is RootState.ONLINE
        }

    def away(self) -> frozenset[str]:
        """Roots whose files cannot be believed now."""
        return frozenset(w.record.id for w in list(self._watchers.values()) if w.record.state in ABSENT)

    def writable(self) -> Mapping[str, bytes]:
        """Paths of the roots that may be written, whether or not they are there."""
        return {root: path for root, path in self._paths.items() if self._roots[root].may_be_written}

    def path_of(self, root: str) -> bytes:
        """Absolute path of a root; empty for one that is configured no more."""
        return self._paths.get(root, b"")

    def holding(self, path: bytes) -> tuple[str, bytes] | None:
        """The innermost root an absolute path lies in, and the path relative to it."""
        return innermost(self._paths, path)

    # --- acting ------------------------------------------------------------------------------

    def scan(self, root: str) -> Job:
        """Start a full scan as a job. Raises ``NotFound``."""
        watcher = self._watcher(root)
        before = watcher.record.last_scan

        def work(progress: Progress) -> Mapping[str, int]:
            watcher.request_scan()
            seen = 0
            while watcher.record.last_scan == before and watcher.record.state not in ABSENT:
                directories, files = watcher.scan_progress or (0, 0)
                known = max(watcher.record.directories, directories)
                seen = max(seen, files)
                # Between two looks a scan may begin and end: nothing seen says nothing then.
                progress(directories, known, f"{seen} files seen" if seen else "")
                time.sleep(0.05)
            directories, ledger = watcher.record.directories, self._store.ledger(root)
            if watcher.record.last_scan != before:
                progress(directories, directories, f"{ledger.on_disk - ledger.away} files seen")
            return {"directories": directories}

        return self._jobs.submit("scan", work, subject=root)

    def confirm_gone(self, root: str) -> int:
        """Believe that the missing files are gone; how many were dropped. Raises ``NotFound``, ``Conflict``."""
        watcher = self._watcher(root)
        if not watcher.record.missing and not self._store.ledger(root).away:
            raise Conflict("nothing is missing from this root")
        dropped = watcher.confirm_gone()
        self._decisions.append(ConfirmGone(root=root, files=dropped, at=time.time()))
        return dropped

    def settle_again(self, root: str, path: bytes) -> None:
        """Have a file looked at again that changed while it was read."""
        watcher = self._watchers.get(root)
        if watcher is not None:
            watcher.retry(path)

    @contextmanager
    def quiet(self, roots: Iterable[str]) -> Iterator[None]:
        """While held, the watchers of these roots look at nothing: files are moved and recorded meanwhile."""
        with ExitStack() as held:
            for root in sorted(self._gates.keys() & set(roots)):  # in one order, so that no two wait for each other
                held.enter_context(self._gates[root])
            yield

    def notice(self, root: str, paths: Sequence[bytes]) -> None:
        """Have paths below a root looked at as if there had been an event."""
        watcher = self._watchers.get(root)
        if watcher is not None:
            for path in paths:
                watcher.doubt(path)

    def _watcher(self, root: str) -> RootWatcher:
        watcher = self._watchers.get(root)
        if watcher is None:
            raise NotFound(f"there is no root {root}", next_step="GET /api/roots lists the configured ones.")
        return watcher
