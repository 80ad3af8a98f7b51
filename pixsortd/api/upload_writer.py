"""From the parts of a request to files: writing happens in threads, a bounded way behind the network."""

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from pixsortd.api.multipart import Event, Part, Reader
from pixsortd.api.ports import Incoming, Uploaded, Uploads, UploadStatus
from pixsortd.api.problems import Refusal
from pixsortd.errors import PixsortdError, TooLarge, UploadRefused

MOST_UPLOADS = 16
"""Requests at once; more are asked to come again."""
THREADS = 4
MOST_HELD = 1_000_000
"""Bytes that wait for the disk before the network has to."""
MOST_DRAINED = 256 * 10**6
"""Bytes of one refused part that are read to reach the next."""
CONCLUDE_EVERY = 64
"""Files."""
_EVENT = 100
"""Bytes that an event costs beside its content."""


class UploadSlots:
    """How many uploads there may be at once, and threads of their own for the disk."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="upload")
        self._readers: set[Reader] = set()
        self.closed = False

    def close(self) -> None:
        """End every upload, keeping what is whole. For the event loop only."""
        self.closed = True
        for reader in self._readers:
            reader.stop()

    @contextmanager
    def hold(self, reader: Reader) -> Generator[None, None, None]:
        """Hold a slot for one request. Raises ``Refusal`` when all are taken. For the event loop only."""
        if len(self._readers) >= MOST_UPLOADS:
            raise Refusal(
                503,
                "busy",
                f"{MOST_UPLOADS} uploads are under way.",
                next_step="Send it again in a few seconds.",
                headers=(("retry-after", "5"),),
            )
        self._readers.add(reader)
        try:
            yield
        finally:
            self._readers.discard(reader)


class UploadWriter:
    """Turns the events of one request into files. Its methods *may block* and wait for one another."""

    def __init__(self, uploads: Uploads, max_bytes: int, *, into: Callable[[Sequence[bytes]], object] | None) -> None:
        """``into`` is told what is here now, uploaded or known before, when all files are through."""
        self.done: list[Uploaded] = []
        """In the order of the request."""
        self.drained = 0
        """Bytes of the present part that were, or will have to be, read for nothing."""
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._into = into
        self._lock = threading.Lock()
        self._closed = False
        self._concluded = 0
        self._name: str | None = None
        self._incoming: Incoming | None = None

    def take(self, events: Sequence[Event]) -> None:
        """Do what the next events say. Raises what is nobody's file's fault."""
        with self._lock:
            for event in events if not self._closed else ():
                if isinstance(event, Part):
                    self._begin(event)
                elif event is None:
                    self._finish()
                else:
                    self._write(event)
            if len(self.done) - self._concluded >= CONCLUDE_EVERY:
                self._conclude()

    def close(self) -> None:
        """No more will come: drop what is not whole, and see the others through. Raises ``PixsortdError``."""
        with self._lock:
            self._closed = True
            if self._incoming is not None:
                self._incoming.abandon()
                self._incoming = None
            self._conclude()
            here = [one.id for one in self.done if one.status is not UploadStatus.REFUSED and one.id is not None]
            if self._into is not None and here:
                self._into(list(dict.fromkeys(here)))

    def _begin(self, part: Part) -> None:
        self._name, self.drained = part.filename, 0
        if part.filename is None:
            return
        try:
            if part.length > self._max_bytes:
                raise TooLarge(f"the file is larger than {self._max_bytes} bytes", next_step="See GET on this address.")
            self._incoming = self._uploads.begin(part.filename)
        except (UploadRefused, TooLarge) as error:
            self._refuse(error)
            self.drained = part.length

    def _write(self, data: bytes) -> None:
        if self._incoming is None:
            self.drained += len(data)
            return
        try:
            self._incoming.write(data)
        except (UploadRefused, TooLarge) as error:
            self._incoming.abandon()
            self._incoming = None
            self._refuse(error)

    def _finish(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            try:
                self.done.append(incoming.finish())
            except (UploadRefused, TooLarge) as error:
                self._refuse(error)
        self.drained = 0

    def _refuse(self, error: PixsortdError) -> None:
        assert self._name is not None
        self.done.append(Uploaded(filename=self._name, status=UploadStatus.REFUSED, reason=error.reason()))

    def _conclude(self) -> None:
        news = self.done[self._concluded :]
        self._concluded = len(self.done)
        if news:
            self._uploads.conclude(news)


class WriteQueue:
    """Passes batches of events to one thread at a time, in order; gives way to the network while little waits."""

    def __init__(self, threads: Executor, work: Callable[[Sequence[Event]], None]) -> None:
        self._threads = threads
        self._work = work
        self._waiting: list[Event] = []
        self._held = 0
        self._running: asyncio.Future[None] | None = None

    async def give(self, events: Sequence[Event]) -> None:
        """Take events; waits while `MOST_HELD` bytes wait for the disk. Raises what the work raised."""
        self._waiting += events
        self._held += sum(_EVENT + (len(one) if isinstance(one, bytes) else 0) for one in events)
        if self._running is None or self._running.done() or self._held >= MOST_HELD:
            await self._pass_on()

    async def end(self) -> None:
        """Wait until all is done. Raises what the work raised."""
        await self._pass_on()
        await self._pass_on()

    async def _pass_on(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            await running
        if self._waiting:
            self._start()

    def _start(self) -> None:
        waiting, self._waiting, self._held = self._waiting, [], 0
        self._running = asyncio.get_running_loop().run_in_executor(self._threads, self._work, waiting)
        self._running.add_done_callback(self._go_on)

    def _go_on(self, done: asyncio.Future[None]) -> None:
        """What came while the disk was busy does not wait for the client's next bytes."""
        if done is self._running and not done.cancelled() and done.exception() is None and self._waiting:
            self._start()
