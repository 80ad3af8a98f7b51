"""Uploads into memory, and every call written down."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixsortd.api import ports
from pixsortd.errors import TooLarge, UploadRefused
from pixsortd.records import Reason

MOST = 100_000


@dataclass
class FakeIncoming:
    """Implements `ports.Incoming`."""

    filename: str
    uploads: "FakeUploads"
    data: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > MOST:
            raise TooLarge(f"the file is larger than {MOST} bytes")
        if self.data.startswith(b"full"):
            raise UploadRefused("no space is left", why="no-space", next_step="Free some.")

    def finish(self) -> ports.Uploaded:
        self.uploads.ended.append(("finish", self.filename))
        if not self.data:
            raise UploadRefused("the file is empty", why="empty")
        digest = hashlib.sha256(self.data).digest()
        known = digest in self.uploads.stored
        self.uploads.stored.setdefault(digest, bytes(self.data))
        return ports.Uploaded(
            filename=self.filename,
            status=ports.UploadStatus.DUPLICATE if known else ports.UploadStatus.STORED,
            id=digest,
            size=len(self.data),
            duplicate_of=digest if known else None,
            path=os.path.join(os.fsencode(self.uploads.folder), self.filename.encode()),
        )

    def abandon(self) -> None:
        self.uploads.ended.append(("abandon", self.filename))


@dataclass
class FakeUploads:
    """Implements `ports.Uploads`."""

    folder: Path
    away: Reason | None = None
    stored: dict[bytes, bytes] = field(default_factory=dict)
    ended: list[tuple[str, str]] = field(default_factory=list)
    concluded: list[ports.Uploaded] = field(default_factory=list)

    def limits(self) -> ports.UploadLimits:
        return ports.UploadLimits(
            inbox=None if self.away else os.fsencode(self.folder),
            max_bytes=MOST,
            max_files=50,
            extensions=(".jpg",),
            reason=self.away,
        )

    def begin(self, filename: str) -> FakeIncoming:
        if not filename.endswith(".jpg"):
            raise UploadRefused("files of that type are not taken", why="type", next_step="Taken are: .jpg.")
        return FakeIncoming(filename, self)

    def conclude(self, files: Sequence[ports.Uploaded]) -> None:
        self.concluded += files
