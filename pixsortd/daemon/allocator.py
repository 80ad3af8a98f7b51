"""How the C library keeps memory that was freed."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of glibc's ``malloc.h``."""
_LARGE = 256 << 10
"""Bytes from which a block has pages of its own, and of free memory at a heap's end that go back."""


def give_freed_memory_back() -> None:
    """From now on freed blocks of some size leave the process at once; nothing where the C library is another.

    Left to itself glibc raises both thresholds with each large block that is freed, up to 32 and 64 MiB,
    and a process that handled arrays once keeps holes of their size for the rest of its life.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)
