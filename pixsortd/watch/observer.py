"""Kernel events through watchdog's inotify reader, turned into hints.

watchdog's recursive observer walks excluded directories too, swallows watches that could not be set
and keeps those of directories that moved away. Here the sweep sets one watch for each directory it
looks at, before it lists it, on the reader underneath; so there is no gap, and every failure is known.
Only names that come, go or are closed after writing are reported: our own reads cause no event.
"""

import errno
import itertools
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

from pixsortd.errors import explain_os_error
from pixsortd.records import Reason
from pixsortd.watch.hints import Hints

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

_MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_ONLYDIR
)
_ROOT_MASK = Mask(_MASK | InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF)

LOST = Reason(
    code="events-lost",
    message="more changed at once than the kernel can report; a full scan makes up for it",
    next_step="If this is frequent, raise fs.inotify.max_queued_events (sysctl).",
)
UNWATCHED = Reason(
    code="watches-lost",
    message="the kernel watches fewer directories than there are; they are scanned more often instead",
)
STOPPED = Reason(code="observer-stopped", message="the event reader ended; directories are scanned more often instead")


class Observer:
    """The watches of one root. Raises ``OSError`` when the kernel gives no inotify instance."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._lock = threading.Lock()
        self._directories: dict[WatchDescriptor, bytes] = {}
        self._watches: dict[bytes, WatchDescriptor] = {}
        self._callbacks: dict[WatchDescriptor, CallbackId] = {}
        self._serial = itertools.count(1)
        self.problem: Reason | None = None
        """Why some directories are not watched, if so."""
        self._reader = _Reader()
        self._reader.start()

    def watch(self, directory: bytes, descriptor: int) -> None:
        """Report changes in the open ``directory``; a failure is kept in :attr:`problem`."""
        callback = CallbackId(next(self._serial))
        # The descriptor's own path: no name that could be swapped, and no limit on its length.
        path = b"/proc/self/fd/%d" % descriptor
        with self._lock:
            try:
                watch = self._reader.add_callback(path, _MASK if directory else _ROOT_MASK, self, callback)
            except OSError as error:
                self.problem = limit_reached(error)
                return
            stale = self._directories.get(watch)
            if stale is not None:
                self._reader.remove_callbacks([(watch, self._callbacks[watch])])
                if self._watches.get(stale) == watch:
                    del self._watches[stale]  # the directory was renamed; its watch came along
            self._callbacks[watch] = callback
            self._directories[watch] = directory
            self._watches[directory] = watch

    def watches(self, directory: bytes) -> bool:
        """Whether changes in ``directory`` are being reported."""
        return directory in self._watches

    def forget(self, directory: bytes) -> None:
        """Stop watching what was ``directory`` and everything below it."""
        prefix = directory + b"/" if directory else b""
        with self._lock:
            stale = [path for path in self._watches if path == directory or path.startswith(prefix)]
            for path in stale:
                watch = self._watches.pop(path)
                if self._directories.pop(watch, None) is not None:
                    self._reader.remove_callbacks([(watch, self._callbacks.pop(watch))])

    def count(self) -> int:
        """How many directories are watched, by the kernel's own account."""
        return self._reader.kernel_watches()

    def alive(self) -> bool:
        """Whether events are still being read."""
        return self._reader.is_alive()

    def close(self) -> None:
        """Give all watches back."""
        self._reader.stop()
        self._reader.join(timeout=5)

    # --- called by watchdog's reader thread ---

    def on_event(self, event: "InotifyEvent") -> None:
        """Note what an event makes doubtful."""
        with self._lock:
            directory = self._directories.get(event.wd)
        if directory is None:
            return
        if event.mask & (InotifyConstants.IN_UNMOUNT | InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF):
            self._hints.root()
        elif event.name:
            self._hints.name(directory, event.name)
            if event.mask & InotifyConstants.IN_ISDIR:
                self._hints.tree(directory + b"/" + event.name if directory else event.name)

    def on_watch_deleted(self, wd: "WatchDescriptor") -> None:
        """The kernel has dropped a watch, because its directory is gone."""
        with self._lock:
            directory = self._directories.pop(wd, None)
            self._callbacks.pop(wd, None)
            if directory is not None and self._watches.get(directory) == wd:
                del self._watches[directory]

    def on_queue_overflow(self) -> None:
        """Events were lost."""
        self._hints.lost()


class _Reader(InotifyFD):
    """watchdog's reader, which also knows how many watches the kernel holds for it."""

    def kernel_watches(self) -> int:
        return sum(1 for _ in self._lines())

    def _lines(self) -> Iterator[bytes]:
        try:
            with open(f"/proc/self/fdinfo/{self._inotify_fd}", "rb") as info:
                yield from (line for line in info if line.startswith(b"inotify wd:"))
        except OSError:
            return


def limit_reached(error: OSError) -> Reason:
    """Why something is not watched, naming the limit to raise if it is one."""
    if error.errno == errno.ENOSPC:
        return Reason(
            code="watch-limit",
            message="the kernel's limit on watched directories is reached; the others are scanned more often instead",
            next_step=f"Raise fs.inotify.max_user_watches (sysctl){_current('max_user_watches')}.",
        )
    if error.errno == errno.EMFILE:
        return Reason(
            code="instance-limit",
            message="the kernel's limit on inotify instances is reached; directories are scanned more often instead",
            next_step=f"Raise fs.inotify.max_user_instances (sysctl){_current('max_user_instances')}.",
        )
    what, advice = explain_os_error(error)
    return Reason(code="watch-failed", message=f"a directory cannot be watched: {what}", next_step=advice)


def _current(name: str) -> str:
    try:
        with open(os.path.join("/proc/sys/fs/inotify", name)) as setting:
            return f"; it is {setting.read().strip()}"
    except OSError:
        return ""
