"""Thumbnails: plain files named by their photo's content, proven by checksum when read.

They are renamed into place whole but never fsynced: a power cut may leave one short or empty, which
its checksum shows, and it is made again.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from pixsortd.index.durable import write_whole

SUFFIXES = (".webp", ".jpg")


class Thumbnails:
    """The directory of thumbnails, ``ab/<hex of sha256>.webp`` or ``.jpg``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, sha256: bytes, data: bytes) -> tuple[int, int]:
        """Store one; (CRC-32, size). Raises ``IndexFull`` when the disk is full."""
        suffix = SUFFIXES[0] if data[8:12] == b"WEBP" else SUFFIXES[1]
        path = self._path(sha256, suffix)
        write_whole(path, [data], durable=False)
        for other in SUFFIXES:
            if other != suffix:
                self._path(sha256, other).unlink(missing_ok=True)
        return zlib.crc32(data), len(data)

    def read(self, sha256: bytes, crc: int, size: int) -> bytes | None:
        """The thumbnail if it is there and is what was written."""
        for suffix in SUFFIXES:
            try:
                data = self._path(sha256, suffix).read_bytes()
            except OSError:
                continue
            if len(data) == size and zlib.crc32(data) == crc:
                return data
        return None

    def remove(self, sha256: bytes) -> None:
        """Delete the thumbnail of a forgotten photo."""
        for suffix in SUFFIXES:
            self._path(sha256, suffix).unlink(missing_ok=True)

    def stored(self, before: float) -> Iterator[bytes]:
        """Photos that have a thumbnail file written before that time."""
        for path in self.directory.glob("??/*"):
            if path.suffix in SUFFIXES and len(path.stem) == 64 and path.stat().st_mtime < before:
                yield bytes.fromhex(path.stem)

    def _path(self, sha256: bytes, suffix: str) -> Path:
        name = sha256.hex()
        return self.directory / name[:2] / (name + suffix)
