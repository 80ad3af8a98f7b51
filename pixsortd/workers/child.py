"""What becomes of a process before it may touch a photo: its pipes, its limits, its place.

Everything here acts on the calling process and is meant for the first moments of a worker's life.
"""

import ctypes
import os
import resource
import signal
import sys

from pixsortd.config import Size

NICENESS = 10
_PR_SET_PDEATHSIG = 1


def take_pipes() -> tuple[int, int]:
    """(source, sink) of the protocol: what were standard input and output.

    From then on standard input is empty and whatever a library prints goes to standard error.
    """
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, sink


def follow(parent: int) -> None:
    """Die when the thread that started this process does, be it by SIGKILL; yield the CPU to others."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was already too late to be told
        raise SystemExit(1)
    os.nice(NICENESS)
    # A crash is expected now and then; its memory on disk helps nobody.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(text: str) -> int:
    """Refuse this process more private memory than ``text`` (``"4GB"``; empty: three quarters of all).

    Returns the limit in bytes. Beyond it allocations fail, which one file or model survives; mapped
    files do not count. Not for GPUs, whose drivers reserve far more than they use.
    """
    allowed = int(Size.parse(text)) if text else physical_memory() * 3 // 4
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        allowed = min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
    return allowed


def physical_memory() -> int:
    """Bytes of memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
