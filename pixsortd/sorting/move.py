"""Moves carried out: every file of a move ends at its destination, or all stay where they were.

On one file system a file gets its new name as a hard link and loses the old one when the new one is
durable; where there are no hard links it is renamed without replacing anything; on another file
system it is copied and compared first. Many moves share the waits for the disk.
"""

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

import structlog

from pixsortd.records import FileStamp, Place, Record
from pixsortd.sorting.copying import SourceChanged, copy_new
from pixsortd.sorting.disk import Directories, alike, is_file_of, look, rename_new, sync
from pixsortd.sorting.journal import Move, Step

log = structlog.get_logger()

_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS))


class State(Enum):
    """How an attempt ended."""

    DONE = "done"
    UNDONE = "undone"
    """Everything is where it was."""
    UNCLEAR = "unclear"
    """Neither could be reached; recovery tries again. Every file has at least one of its names."""


class Outcome(Record, frozen=True, kw_only=True):
    """What became of a move."""

    state: State
    error: Exception | None = None
    """``OSError`` or ``SourceChanged``: why it is not done."""


def carry_out(moves: Sequence[Move], directories: Directories) -> Mapping[str, Outcome]:
    """Try each move; its outcome by its id. The moves have been journaled."""
    attempts = [_Attempt(move, directories) for move in moves]
    for attempt in attempts:
        attempt.advance(_Shift.publish)
    _make_durable(attempts, [shift.into for attempt in attempts for shift in attempt.shifts if shift.into >= 0])
    for attempt in attempts:
        attempt.advance(_Shift.release)
    # Should a power cut bring an old name back, the file has that one too, or only that one: none is lost.
    for descriptor in {
        each for attempt in attempts for shift in attempt.shifts for each in (shift.into, shift.out_of) if each >= 0
    }:
        try:
            sync(descriptor)
        except OSError as error:
            log.warning("the disk does not confirm a move", error=str(error))
    return {attempt.move.id: attempt.outcome for attempt in attempts}


def _make_durable(attempts: Iterable["_Attempt"], descriptors: Iterable[int]) -> None:
    """Sync directories of new names; moves into one that fails are taken back."""
    for descriptor in set(descriptors):
        try:
            sync(descriptor)
        except OSError as error:
            for attempt in attempts:
                if any(shift.into == descriptor for shift in attempt.shifts):
                    attempt.take_back(error)


class _Attempt:
    """One move under way."""

    def __init__(self, move: Move, directories: Directories) -> None:
        self.move = move
        self.shifts = [_Shift(step, directories) for step in move.steps]
        self.outcome = Outcome(state=State.DONE)

    def advance(self, action: Callable[["_Shift"], None]) -> None:
        """Do one thing for every file; where it fails for one, take all back."""
        if self.outcome.state is not State.DONE:
            return
        try:
            for shift in self.shifts:
                action(shift)
        except (OSError, SourceChanged) as error:
            self.take_back(error)

    def take_back(self, error: Exception) -> None:
        """Bring every file back to where it was, as far as that can be done."""
        if self.outcome.state is not State.DONE:
            return
        state = State.UNDONE
        for shift in reversed(self.shifts):
            try:
                shift.take_back()
            except (OSError, SourceChanged):
                state = State.UNCLEAR
        self.outcome = Outcome(state=state, error=error)


class _Way(Enum):
    """How far a file's move has come, and by which way."""

    NOT_YET = "not yet"
    LINKED = "linked"
    """It has both names."""
    COPIED = "copied"
    RENAME = "rename"
    """There are no hard links here: it has its old name only, and will be renamed."""
    MOVED = "moved"
    DELETED = "deleted"


class _Shift:
    """One file of a move."""

    def __init__(self, step: Step, directories: Directories) -> None:
        self._step = step
        self._directories = directories
        self._way = _Way.NOT_YET
        self.out_of = self.into = -1
        """Descriptors of the two directories, once they are open."""

    def publish(self) -> None:
        """Give the file its new name beside the old one, where that can be done."""
        step = self._step
        self.out_of = self._directories.of(step.source)
        if not is_file_of(look(self._directories, step.source), step.stamp):
            raise SourceChanged
        if step.destination is None:
            return
        self.into = self._directories.of(step.destination, make=True)
        try:
            os.link(
                step.source.name,
                step.destination.name,
                src_dir_fd=self.out_of,
                dst_dir_fd=self.into,
                follow_symlinks=False,
            )
        except OSError as error:
            if error.errno == errno.EXDEV:
                copy_new((self.out_of, step.source.name), (self.into, step.destination.name), step.stamp, step.sha256)
                self._way = _Way.COPIED
            elif error.errno in _NO_LINKS:
                self._way = _Way.RENAME
            else:
                raise
            return
        self._way = _Way.LINKED
        if not is_file_of(look(self._directories, step.destination), step.stamp):
            raise SourceChanged  # another file was put there between the look and the link

    def release(self) -> None:
        """Take the old name away."""
        step = self._step
        if self._way is _Way.RENAME and step.destination is not None:
            self._rename(step.destination)
            return
        seen = look(self._directories, step.source)
        if is_file_of(seen, step.stamp):
            os.unlink(step.source.name, dir_fd=self.out_of)
        elif seen is not None and seen.st_ino == step.stamp.inode:
            raise SourceChanged  # it is being written to
        # Otherwise the old name is gone, or another file's by now: ours is at its destination.
        self._way = _Way.DELETED if step.destination is None else _Way.MOVED

    def take_back(self) -> None:
        """Undo whatever was done for this file. Raises ``OSError`` when that fails."""
        destination = self._step.destination
        if destination is None:
            if self._way is _Way.DELETED:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return
        if self._way in (_Way.LINKED, _Way.COPIED):
            seen = look(self._directories, self._step.source)
            if seen is not None and seen.st_ino == self._step.stamp.inode:
                os.unlink(destination.name, dir_fd=self.into)
            else:  # the old name has vanished, or become another file's, under our hands
                bring_home(self._directories, self._step, destination)
        elif self._way is _Way.MOVED:
            bring_home(self._directories, self._step, destination)
        self._way = _Way.NOT_YET

    def _rename(self, destination: Place) -> None:
        step = self._step
        if not is_file_of(look(self._directories, step.source), step.stamp):
            raise SourceChanged
        rename_new((self.out_of, step.source.name), (self.into, destination.name))
        self._way = _Way.MOVED
        if not alike(look(self._directories, destination), step.stamp):
            raise SourceChanged  # another file was put there between the look and the renaming


def bring_home(directories: Directories, step: Step, destination: Place) -> None:
    """Move a file from its destination back to where it was. Raises ``OSError``, ``SourceChanged``."""
    home, away = directories.of(step.source, make=True), directories.of(destination)
    there, back = (away, destination.name), (home, step.source.name)
    try:
        rename_new(there, back)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        seen = os.stat(destination.name, dir_fd=away, follow_symlinks=False)
        copy_new(there, back, FileStamp.of(seen), step.sha256)
        sync(home)
        os.unlink(destination.name, dir_fd=away)
    sync(home)
    sync(away)
