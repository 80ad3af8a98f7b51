"""What is this photo? The whole answer for a batch of files.

On a CPU the phases alternate, so that each has all cores: read, decode all, one forward per space,
one pass per metric. On a GPU the models take what is decoded while the threads decode the rest.
What goes wrong with one file is that file's failure and nobody else's.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pixsortd.analyze.batches import parts
from pixsortd.analyze.describe import Describer
from pixsortd.analyze.device import resolve_device
from pixsortd.analyze.forwards import Forwards
from pixsortd.analyze.reading import Content, named, read_stable
from pixsortd.analyze.shelf import Busy, LoadEmbedder, LoadMetric, Shelf
from pixsortd.analyze.work import AT_REST, Held, Work
from pixsortd.config import Settings
from pixsortd.errors import ChangedWhileReading, FileProblem
from pixsortd.records import Ability, Analysis, Fingerprint, Wants, WorkItem

_AHEAD = 16
"""On a GPU: files decoded before the first forward."""


def _tell_nobody(stage: str, ids: Sequence[int]) -> None:
    """The default of ``busy``."""


class Analyzer:
    """Reads, decodes, describes, embeds and scores batches of files; keeps nothing between batches."""

    def __init__(
        self,
        settings: Settings,
        threads: int,
        device: str,
        *,
        load_embedder: LoadEmbedder | None = None,
        load_metric: LoadMetric | None = None,
        busy: Busy = _tell_nobody,
    ) -> None:
        """``busy`` hears, from several threads, which files are in which stage (``AT_REST``: in none).

        Models come from the installed plug-ins unless loaders are given.
        """
        if load_embedder is None or load_metric is None:
            from pixsortd.analyze import plugins

            load_embedder, load_metric = load_embedder or plugins.embedder, load_metric or plugins.metric
        self._busy = busy
        self._max_bytes = settings.decode.max_bytes
        self.device = resolve_device(device)
        self._shelf = Shelf(settings, self.device, load_embedder, load_metric, busy)
        self._describer = Describer(settings, self._shelf, busy)
        self._forwards = Forwards(self._shelf, busy)
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="decode")
        self._held: dict[int, Held] = {}

    def abilities(self) -> list[Ability]:
        """Every configured space and metric, ready or with the reason why not; tries the missing ones again."""
        return self._shelf.survey()

    def states(self) -> list[Ability]:
        """The same without trying again what failed before."""
        return self._shelf.states()

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name each file, in order. The bytes are kept for the ``analyze`` that follows."""
        self._held.clear()
        hashing: deque[tuple[WorkItem, Future[Content], float]] = deque()
        for item in items:
            # Read one after the other, as disks like it; hashed in the threads meanwhile.
            started = time.perf_counter()
            outcome = self._read(item)
            if isinstance(outcome, Fingerprint):
                yield outcome
            else:
                hashing.append((item, self._pool.submit(named, outcome), time.perf_counter() - started))
            while hashing and hashing[0][1].done():
                yield self._hold(*hashing.popleft())
        while hashing:
            yield self._hold(*hashing.popleft())

    def analyze(self, wants: Mapping[int, Wants]) -> Iterator[Analysis]:
        """What is wanted of the files fingerprinted last; the others are let go.

        A space or metric that cannot be had is missing from the answer, which ``states`` explains.
        """
        held = {number: self._held[number] for number, wish in wants.items() if wish and number in self._held}
        self._held.clear()
        self._shelf.load(wants.values())
        need = self._describer.need
        futures = {
            number: self._pool.submit(self._describer.describe, held.pop(number), wants[number], need)
            for number in list(held)
        }
        together = _AHEAD if self.device != "cpu" else max(1, len(futures))
        for part in parts(list(futures), together):
            works: list[Work] = []
            for done in [futures.pop(number).result() for number in part]:
                # Only now, when no other file of the part is being decoded any more.
                work = (
                    done if done.again is None else self._describer.describe(done.again, done.wants, need, alone=True)
                )
                if work.failure is None:
                    works.append(work)
                else:
                    yield work.answer()
            self._forwards.embed(works)
            self._forwards.score(works)
            for work in works:
                yield work.answer()

    def release(self) -> None:
        """Let go of models, threads and bytes."""
        self._held.clear()
        self._shelf.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, item: WorkItem) -> bytes | Fingerprint:
        self._busy("read", (item.id,))
        try:
            return read_stable(item.root, item.path, item.stamp, self._max_bytes)
        except ChangedWhileReading:
            return Fingerprint(id=item.id, changed=True)
        except FileProblem as problem:
            return Fingerprint(id=item.id, failure=problem.reason())
        finally:
            self._busy(AT_REST, (item.id,))

    def _hold(self, item: WorkItem, hashing: Future[Content], seconds: float) -> Fingerprint:
        started = time.perf_counter()
        content = hashing.result()
        self._held[item.id] = Held(item, content, seconds + time.perf_counter() - started)
        return Fingerprint(id=item.id, sha256=content.sha256)
