"""The analyst process, as both of its ends see it: started, listened to, and ended when it must end.

What is asked and answered belongs to the room that asks; here are bytes only.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO

_PR_SET_PDEATHSIG = 1
_LOOK = 0.2
"""Seconds of silence after which the listener may look whether the run was cancelled."""
_READ = 1 << 16
_TAIL = 2000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
"""glibc keeps what is freed: given back and fetched anew, page by page, large arrays cost half a second."""


def command(module: str) -> tuple[str, ...]:
    """What runs a module of this installation in a process of its own."""
    return sys.executable, "-P", "-m", module


class Analyst:
    """A running analyst, from the core's side."""

    def __init__(self, process: "subprocess.Popen[bytes]", stderr: IO[bytes]) -> None:
        self._process = process
        self._stderr = stderr

    def pieces(self) -> Iterator[bytes]:
        """What it writes, in any pieces; an empty one now and then while it is silent. Ends when it ends."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(_LOOK):
                    yield b""
                elif data := os.read(self._process.stdout.fileno(), _READ):
                    yield data
                else:
                    return

    def ending(self) -> str:
        """How it ended, in words; waits for that."""
        status = self._process.wait()
        return f"exit status {status}" if status >= 0 else f"signal {-status}"

    def tail(self) -> str:
        """The last of what it and its libraries complained about."""
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - _TAIL))
        return self._stderr.read().decode(errors="replace").strip()


@contextmanager
def started(command: Sequence[str], question: bytes, threads: int) -> Iterator[Analyst]:
    """A process with ``question`` on its standard input; it is gone at the end of the block."""
    # Before numpy is imported there.
    environment = {**os.environ, **_MEMORY, **dict.fromkeys(_THREADS, str(max(1, threads)))}
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as stderr:
        source.write(question)
        source.seek(0)
        with subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            start_new_session=True,  # a Ctrl-C is the core's to answer
        ) as process:
            try:
                yield Analyst(process, stderr)
            finally:
                process.kill()


def own_output() -> BinaryIO:
    """The analyst's side, first thing: die with the core, and keep standard output for answers alone.

    What any library prints goes to standard error from now on.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out
