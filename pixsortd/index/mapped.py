"""Memory that a mapped file takes in this process."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_MADV_DONTNEED = 4
"""Linux: forget these pages of the process; a file's stay in the system's cache and are mapped anew when read."""


def release(path: Path) -> None:
    """Give back the pages of every read-only map of the file at ``path``; nothing where the system cannot."""
    try:
        ranges = list(_maps(os.path.realpath(path)))
    except OSError:  # there is no /proc
        return
    libc = ctypes.CDLL(None)
    for start, end in ranges:
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _maps(path: str) -> Iterator[tuple[int, int]]:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            place, rights, _, _, _, *name = line.rstrip("\n").split(None, 5)
            if name == [path] and rights.startswith("r-"):
                start, end = (int(one, 16) for one in place.split("-"))
                yield start, end
