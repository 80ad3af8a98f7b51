"""Uploads as the API sees them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from pixsortd.records import Reason, Record


class UploadStatus(StrEnum):
    """What became of one uploaded file."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Uploaded(Record, frozen=True, kw_only=True):
    """One uploaded file's fate."""

    filename: str
    """As the client sent it."""
    status: UploadStatus
    id: bytes | None = None
    """SHA-256 of the content; None for a refused file that was not read to its end."""
    size: int = 0
    duplicate_of: bytes | None = None
    path: bytes | None = None
    """Where it is, absolute."""
    reason: Reason | None = None


class UploadLimits(Record, frozen=True, kw_only=True):
    """What an upload may be."""

    inbox: bytes | None
    """Absolute path of the upload root; None while there is none, see ``reason``."""
    max_bytes: int
    """Of one file."""
    max_files: int
    """In one request."""
    extensions: tuple[str, ...]
    """Accepted, lower case with the dot."""
    reason: Reason | None = None


class Incoming(Protocol):
    """One file while it arrives. Exactly one of `finish` and `abandon` is called; neither leaves a half file."""

    def write(self, data: bytes) -> None:
        """Take the next bytes. *May block.* Raises TooLarge, UploadRefused (space, the root went away)."""
        ...

    def finish(self) -> Uploaded:
        """All bytes are there: publish the file, or find out that it is a duplicate. *May block.*"""
        ...

    def abandon(self) -> None:
        """The client left or the file was refused. *May block.*"""
        ...


class Uploads(Protocol):
    """The way in by HTTP. What `begin` and `finish` gave is only promised to the client after `conclude`."""

    def limits(self) -> UploadLimits:
        """*Quick.*"""
        ...

    def begin(self, filename: str) -> Incoming:
        """Start a file. *May block.* Raises UploadRefused (type, name, no inbox, too little space)."""
        ...

    def conclude(self, files: Sequence[Uploaded]) -> None:
        """These files of a request are through, refused ones included: make the stored ones durable and watched.

        *May block.* Called every few files and once before the answer. Raises UploadRefused (the disk failed).
        """
        ...
