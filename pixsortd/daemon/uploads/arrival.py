"""One uploaded file on its way: looked at, hashed and written as it comes, published or dropped at its end."""

import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack

from pixsortd.api.ports import Uploaded
from pixsortd.daemon.uploads.draft import Draft, draft
from pixsortd.daemon.uploads.inbox import Inbox, folder, opened
from pixsortd.daemon.uploads.kinds import HEAD, check_head
from pixsortd.daemon.uploads.words import crowded, refusal
from pixsortd.errors import TooLarge
from pixsortd.records import Record

LOOK_EVERY = 16 * 10**6
"""Bytes between two looks at the free space."""


class Bounds(Record, frozen=True, kw_only=True):
    """What one file may take."""

    max_bytes: int
    free_floor: int
    """Bytes that stay free on the disk."""


class Arrival:
    """Implements ``pixsortd.api.ports.Incoming``. Used by one thread at a time."""

    def __init__(
        self,
        filename: str,
        parts: tuple[bytes, ...],
        inbox: Inbox,
        bounds: Bounds,
        land: Callable[["Arrival", Draft], Uploaded],
    ) -> None:
        """``land`` publishes the whole file or finds its twin. Raises ``UploadRefused`` for too little space."""
        self.filename = filename
        self.parts = parts
        self.inbox = inbox
        self.size = 0
        self._bounds = bounds
        self._land = land
        self._hash = hashlib.sha256()
        self._head = b""
        self._held = ExitStack()
        self._draft: Draft | None = None
        self._next_look = LOOK_EVERY
        with opened(inbox) as root:
            self._check_space(root)

    @property
    def sha256(self) -> bytes:
        """Of what has come so far."""
        return self._hash.digest()

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises ``TooLarge``, ``UploadRefused``."""
        self.size += len(data)
        if self.size > self._bounds.max_bytes:
            raise TooLarge(
                f"the file is larger than {self._bounds.max_bytes} bytes",
                next_step="Copy it into the inbox by hand, or raise upload.max_bytes and decode.max_bytes.",
            )
        self._hash.update(data)
        if self._draft is None:
            self._head += data
            if len(self._head) < HEAD:
                return
            data = self._begin()
        self._put(data)
        if self.size >= self._next_look:
            self._next_look = self.size + LOOK_EVERY
            self._check_space(self._descriptor)

    def finish(self) -> Uploaded:
        """The file is whole: publish it, or answer its twin. Raises ``UploadRefused``."""
        if self._draft is None:
            self._put(self._begin())
        assert self._draft is not None
        try:
            return self._land(self, self._draft)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of everything; what was not published leaves no trace."""
        self._held.close()

    # --- writing ---------------------------------------------------------------------------------

    def _begin(self) -> bytes:
        """Make the draft now that the first bytes are those of a photo; returns them."""
        head, self._head = self._head, b""
        check_head(head)
        with opened(self.inbox) as root, folder(root, self.parts[:-1], make=False) as near:
            self._draft = draft(root, near)
        self._held.callback(self._draft.close)
        return head

    @property
    def _descriptor(self) -> int:
        assert self._draft is not None
        return self._draft.descriptor

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise refusal(error) from error

    def _check_space(self, descriptor: int) -> None:
        try:
            seen = os.fstatvfs(descriptor)
        except OSError as error:
            raise refusal(error) from error
        if seen.f_bavail * seen.f_frsize < self._bounds.free_floor:
            raise crowded(self._bounds.free_floor)
