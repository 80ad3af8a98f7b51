"""A file system of its own, of a kind; where it has a log, its power can be cut: what was not synced is gone."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest


class _Kind(NamedTuple):
    program: tuple[str, ...]
    megabytes: int
    """The least that it takes."""


_KINDS = {
    "ext4": _Kind(("mkfs.ext4", "-q", "-F"), 96),
    "xfs": _Kind(("mkfs.xfs", "-q", "-f", "-m", "reflink=1"), 320),
    "btrfs": _Kind(("mkfs.btrfs", "-q", "-f"), 320),
}
_SHUTDOWN = 0x8004587D
_NO_FLUSH = struct.pack("I", 2)


class Volume:
    """A file system in a file."""

    def __init__(self, image: Path, place: Path) -> None:
        self._image = image
        self.place = place
        """Where it is mounted."""

    def mount(self) -> None:
        """Make it reachable, which replays its log. Skips the test where that is not permitted."""
        done = subprocess.run(["mount", "-o", "loop", self._image, self.place], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting a file system is not permitted here")

    def cut(self) -> None:
        """From now on nothing reaches the disk, not even what it was told before; ext4 and XFS only."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _NO_FLUSH)
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Nobody may use it any more."""
        subprocess.run(["umount", self.place], check=True)

    def restart(self) -> None:
        """As after the power is back."""
        self.unmount()
        self.mount()


@contextmanager
def volume_of(kind: str, home: Path, *options: str) -> Iterator[Volume]:
    """A new file system, mounted in ``home``; ``options`` go to the program that makes it."""
    image, place = home / "disk.img", home / "disk"
    place.mkdir(parents=True)
    program, megabytes = _KINDS[kind]
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    try:
        subprocess.run([*program, *options, image], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"there is no {program[0]} here")
    volume = Volume(image, place)
    volume.mount()
    try:
        yield volume
    finally:
        subprocess.run(["umount", "-l", place], check=False)
