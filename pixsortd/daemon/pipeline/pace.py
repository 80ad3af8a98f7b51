"""How large a batch is: enough that handing over costs nothing, little enough that what comes next waits briefly."""

from pixsortd.config import Size, WorkerSettings
from pixsortd.workers.child import physical_memory

SECONDS = 2.0
"""A batch should take this long: what was dropped just now waits for the one in work."""
FIRST = 16
"""Files of the first batch, of which nothing is known yet."""
LEAST = 8
_SHARE = 32
"""A batch has at most this part of the memory, and what is read ahead as much again."""


class Pace:
    """Learns from each batch how many files fit into ``SECONDS``."""

    def __init__(self) -> None:
        self._fit = FIRST

    def files(self, most: int) -> int:
        """Files of the next batch, at most ``most``."""
        return min(self._fit, most)

    def took(self, files: int, seconds: float) -> None:
        """A batch of ``files`` took ``seconds``. Grows at most twofold at a time: files differ."""
        fit = int(files * SECONDS / max(seconds, 1e-6))
        self._fit = max(LEAST, min(fit, max(2 * files, self._fit)))


def room(worker: WorkerSettings) -> int:
    """Bytes of files a batch may have: ``batch_bytes``, and never more than a small part of the worker's memory."""
    memory = int(Size.parse(worker.memory)) if worker.memory else physical_memory()
    return min(worker.batch_bytes, memory // _SHARE)
