"""Freed memory leaves the process, however large the blocks were that were freed before."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, os
from pixsortd.daemon.allocator import give_freed_memory_back

def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def filled(size):
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    return block

{setting}
libc.free(filled(24 << 20))
before = resident()
large, later = filled(20 << 20), filled(1000)
libc.free(large)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the resident size")
def test_freed_blocks_leave_the_process() -> None:
    def kept(setting: str) -> int:
        program = PROGRAM.format(setting=setting)
        return int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)

    assert kept("give_freed_memory_back()") < 1 << 20
    assert kept("") > 16 << 20  # what it is for: without it the hole stays
