"""What is this photo? The whole answer for a batch of files.

On a CPU the phases alternate, so that each has all cores: read, decode all, one forward per space,
one pass per metric. On a GPU the models take what is decoded while the threads decode the rest.
What goes wrong with one file is that file's failure and nobody else's.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from pixsortd.analyze.describe import Describer
from pixsortd.analyze.device import resolve_device
from pixsortd.analyze.forwards import Forwards
from pixsortd.analyze.reader import Reader
from pixsortd.analyze.shelf import Busy, LoadEmbedder, LoadMetric, Shelf
from pixsortd.analyze.work import Held, Work
from pixsortd.config import Settings
from pixsortd.records import Ability, Analysis, Fingerprint, Wants, WorkItem


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
        self.device = resolve_device(device)
        self._shelf = Shelf(settings, self.device, load_embedder, load_metric, busy)
        self._describer = Describer(settings, self._shelf, busy)
        self._forwards = Forwards(self._shelf, busy)
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="decode")
        self._reader = Reader(self._pool, settings.decode.max_bytes, settings.worker.batch_bytes, busy)

    def abilities(self) -> list[Ability]:
        """Every configured space and metric, ready or with the reason why not; tries the missing ones again."""
        return self._shelf.survey()

    def states(self) -> list[Ability]:
        """The same without trying again what failed before."""
        return self._shelf.states()

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name each file, in order. The bytes are kept for the ``analyze`` that follows."""
        return self._reader.fingerprint(items)

    def analyze(self, wants: Mapping[int, Wants], ahead: Sequence[WorkItem] = ()) -> Iterator[Analysis]:
        """What is wanted of the files fingerprinted last; the others are let go.

        A space or metric that cannot be had is missing from the answer, which ``states`` explains.
        ``ahead`` names files that are probably asked for next: they are read meanwhile.
        """
        held = self._reader.take([number for number, wish in wants.items() if wish])
        self._shelf.load(wants.values())
        need = self._describer.need
        # The largest first, so that no core is left waiting for one that was begun last.
        held.sort(key=lambda one: len(one.content.data), reverse=True)
        together = self._shelf.together if self.device != "cpu" else len(held)
        decoding = as_completed(
            [self._pool.submit(self._describer.describe, one, wants[one.item.id], need) for one in held]
        )
        held.clear()
        self._reader.look_ahead(ahead)
        again, ready = list[Held](), list[Work]()
        for done in decoding:
            work = done.result()
            if work.again is not None:
                again.append(work.again)
                continue
            ready.append(work)
            if len(ready) == together:
                yield from self._finish(ready)
        if again:  # only now, when nothing else takes up memory
            self._reader.look_ahead(())
            ready += [self._describer.describe(one, wants[one.item.id], need, alone=True) for one in again]
        yield from self._finish(ready)

    def release(self) -> None:
        """Let go of models, threads and bytes."""
        self._reader.close()
        self._shelf.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finish(self, works: list[Work]) -> Iterator[Analysis]:
        """Run the models over what was decoded, answer it and let it go."""
        works.sort(key=lambda work: work.id)
        alive = [work for work in works if work.failure is None]
        self._forwards.embed(alive)
        self._forwards.score(alive)
        while works:
            yield works.pop().answer()
