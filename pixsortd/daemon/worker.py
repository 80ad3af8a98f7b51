"""The analysis process: ``python -m pixsortd.daemon.worker PARENT``, started and spoken to by the core.

Its standard input and output carry the protocol, its standard error JSON log lines.
"""

import logging
import sys
import warnings
from collections.abc import Callable, Sequence

import structlog

from pixsortd.analyze.analyzer import Analyzer
from pixsortd.analyze.device import resolve_device
from pixsortd.config import LogSettings, Settings
from pixsortd.daemon import log as daemon_log
from pixsortd.workers.channel import Channel
from pixsortd.workers.child import follow, limit_memory, take_pipes
from pixsortd.workers.serve import serve

log = structlog.get_logger()


def analyzer(settings: Settings, threads: int, busy: Callable[[str, Sequence[int]], None]) -> Analyzer:
    """The analysis as this process runs it: memory limited first, unless a GPU is used."""
    daemon_log.configure(LogSettings(level=settings.log.level, format="json"))
    device = resolve_device(settings.embed.device)
    memory = limit_memory(settings.worker.memory) if device == "cpu" else None
    log.debug("worker starts", device=device, threads=threads, memory=memory)
    return Analyzer(settings, threads, device, busy=busy)


def main() -> None:
    """Serve until the core closes the pipe."""
    source, sink = take_pipes()
    follow(int(sys.argv[1]))
    daemon_log.configure(LogSettings(format="json"))
    # Decoders complain about every odd tag; what matters becomes a reason or an error anyway.
    warnings.simplefilter("ignore")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    serve(Channel(source, sink), analyzer)


if __name__ == "__main__":
    main()
