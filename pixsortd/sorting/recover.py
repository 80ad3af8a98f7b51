"""What to do about a move whose end is not recorded: what exists on disk says how far it came.

A move all of whose files have their new names is completed, any other is taken back. Files are
recognised by size and time, those alike by their content and by the order in which they go: an inode
may be another one after a remount, or have been used again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import NamedTuple

from pixsortd.records import Place
from pixsortd.sorting import making
from pixsortd.sorting.copying import SourceChanged, same_content, unfinished
from pixsortd.sorting.disk import (
    Directories,
    alike,
    departing,
    is_empty,
    is_file_of,
    is_stub,
    look,
    put_back,
    sync,
    take_off,
)
from pixsortd.sorting.journal import Deed, Move, Step
from pixsortd.sorting.move import State
from pixsortd.sorting.shifts import bring_home

_CLOCK = 1.0
"""Seconds by which a file system's times may lag behind the clock."""


class _Where(Enum):
    """Where a file of a move is found."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"
    NOWHERE = "nowhere"


def settle(move: Move, directories: Directories) -> State:
    """Bring every file of a move to its new place, or every one to its old place; which of them it was.

    ``UNCLEAR`` when nothing of it can be found, as on a disk that is not mounted, or the disk refuses.
    """
    if not move.steps:
        return State.DONE
    try:
        for step in move.steps:
            _clear(directories, step, move.at)
        steps = [step for turn in move.turns for step in turn]
        found = [(step, _find(directories, step, move)) for step in steps]
        known = [(step, where) for step, where in found if where is not _Where.NOWHERE]
        _confirm(directories, move.steps)
        if any(step.destination is None for step in move.steps):
            return _finish_deleting(directories, move, known)
        if not known:
            return State.UNCLEAR
        # Nothing makes room in vain: where the file is gone for which something did, that comes back.
        in_vain = len(move.turns) > 1 and all(step != move.steps[0] for step, _ in known)
        if not in_vain and all(where in (_Where.NEW, _Where.BOTH) for _, where in known):
            for step, where in known:
                if where is _Where.BOTH:
                    _drop(directories, step.source, partial(alike, stamp=step.stamp))
            return State.DONE
        for step, where in reversed(known):
            _strategy(step).take_back(directories, step, where)
        _confirm(directories, move.steps)
    except (OSError, SourceChanged):
        return State.UNCLEAR
    return State.UNDONE


def _confirm(directories: Directories, steps: Sequence[Step]) -> None:
    """Make all names durable that the files have now.

    The crash may have come before their sync: no other name of a file may go before, nor an end be recorded.
    """
    places = {place for step in steps for place in (step.source, step.destination) if place is not None}
    named = {(place.base, above) for place in places for above in _and_above(place.directory)}
    for base, directory in sorted(named):
        with suppress(FileNotFoundError, NotADirectoryError):
            sync(directories.at(base, directory))


def _and_above(directory: bytes) -> Iterator[bytes]:
    yield directory
    while directory:
        directory = directory.rpartition(b"/")[0]
        yield directory


def _clear(directories: Directories, step: Step, since: float) -> None:
    """Remove the empty files that had taken names for this file, and name again what was about to be removed."""

    def is_stub_at(place: Place) -> bool:
        seen = look(directories, place)
        # The crash may have come before its mark: there was nothing here when the move was planned.
        is_new = seen is not None and bool(step.stamp.size) and is_empty(seen) and seen.st_ctime > since - _CLOCK
        return is_new or is_stub(seen, step.stamp, place)

    for place in (step.source, step.destination):
        if place is None:
            continue
        aside = departing(place)
        if is_stub_at(aside):
            os.unlink(aside.name, dir_fd=directories.of(aside))
        if is_stub_at(place):
            if look(directories, aside) is None:
                _drop(directories, place, is_empty)
            else:  # the crash came while the file was given its name back
                os.rename(aside.name, place.name, src_dir_fd=directories.of(aside), dst_dir_fd=directories.of(place))
        put_back(directories, place)


def _finish_deleting(directories: Directories, move: Move, known: Sequence[tuple[Step, _Where]]) -> State:
    if not known and all(_unreachable(directories, step.source) for step in move.steps):
        return State.UNCLEAR
    for step, _ in known:
        _drop(directories, step.source, partial(alike, stamp=step.stamp))
    return State.DONE


def _find(directories: Directories, step: Step, move: Move) -> _Where:
    others = [other for other in move.steps if other != step]
    return _strategy(step).find(directories, step, others)


def _find_moved(directories: Directories, step: Step, others: Sequence[Step]) -> _Where:
    old = _seen(directories, step, step.source, others)
    at_old = alike(old, step.stamp)
    new = _seen(directories, step, step.destination, others) if step.destination is not None else None
    at_new = alike(new, step.stamp)
    if at_old and at_new and step.destination is not None and old is not None and new is not None:
        if _one_content(directories, step.source, step.destination):
            return _Where.BOTH
        # A stranger of the same size and time has one of the places, and keeps it.
        return _Where.NEW if is_file_of(new, step.stamp) and not is_file_of(old, step.stamp) else _Where.OLD
    if at_new:
        return _Where.NEW
    return _Where.OLD if at_old else _Where.NOWHERE


def _find_made(directories: Directories, step: Step, others: Sequence[Step]) -> _Where:
    assert step.destination is not None, "only what is deleted has none"
    new = _seen(directories, step, step.destination, others)
    if new is not None and making.made(directories, step) is not None:
        return _Where.NEW
    return _Where.OLD if alike(look(directories, step.source), step.stamp) else _Where.NOWHERE


def _find_unmade(directories: Directories, step: Step, others: Sequence[Step]) -> _Where:
    kept = step.destination is not None and look(directories, step.destination) is not None
    there = _seen(directories, step, step.source, others) is not None and making.is_there(directories, step)
    # What has come in its place may have the same size and time, but not the same content.
    if there and (not kept or making.still_held(directories, step)):
        return _Where.OLD
    return _Where.NEW if kept or step.action is Deed.SYMLINK else _Where.NOWHERE


def _seen(directories: Directories, step: Step, place: Place, others: Sequence[Step]) -> os.stat_result | None:
    """What is at a place, unless it is another file of the move that looks the same and leaves it or has come to it."""
    seen = look(directories, place)
    for other in others:
        if not alike(seen, other.stamp):
            continue
        if place == step.source == other.destination and not other.back and _has_come(directories, step, other):
            return None
        if place == step.destination == other.source and other.leaves and not _has_come(directories, other, step):
            return None
    return seen


def _has_come(directories: Directories, leaving: Step, coming: Step) -> bool:
    """Whether a place that one file of a move leaves to another, of the same size and time, holds the second by now.

    Nothing comes before the first has its new name; inodes say nothing, since they are used again and links share
    them. Where both have the same content either answer is right, as long as all are judged by the same one.
    """
    assert leaving.destination is not None, "nothing comes where something is deleted for good"
    if not leaving.back and not alike(look(directories, leaving.destination), leaving.stamp):
        return False
    if coming.leaves and not alike(look(directories, coming.source), coming.stamp):
        return True
    if leaving.back:
        return _one_content(directories, coming.source, leaving.source)
    return not _one_content(directories, leaving.source, leaving.destination)


def _one_content(directories: Directories, one: Place, other: Place) -> bool:
    """Whether both places hold the same bytes, or are names of one file. Raises ``OSError``."""
    seen = [os.stat(place.name, dir_fd=directories.of(place), follow_symlinks=False) for place in (one, other)]
    return os.path.samestat(*seen) or same_content(*((directories.of(place), place.name) for place in (one, other)))


def _take_back_moved(directories: Directories, step: Step, where: _Where) -> None:
    if step.destination is None:
        return
    if where is _Where.BOTH:
        _drop(directories, step.destination, partial(alike, stamp=step.stamp))
    elif where is _Where.NEW:
        bring_home(directories, step, step.destination)
    _clear_unfinished(directories, step.destination)


def _take_back_made(directories: Directories, step: Step, where: _Where) -> None:
    if where is _Where.NEW:
        making.unmake(directories, step)
    elif step.destination is not None:
        _clear_unfinished(directories, step.destination)


def _take_back_unmade(directories: Directories, step: Step, where: _Where) -> None:
    _clear_unfinished(directories, step.source)
    if where is _Where.NEW:
        making.remake(directories, step)


class _Strategy(NamedTuple):
    """How a file of one kind of step is found and brought home."""

    find: Callable[[Directories, Step, Sequence[Step]], _Where]
    take_back: Callable[[Directories, Step, _Where], None]


_MOVED = _Strategy(_find_moved, _take_back_moved)
_MADE = _Strategy(_find_made, _take_back_made)
_UNMADE = _Strategy(_find_unmade, _take_back_unmade)


def _strategy(step: Step) -> _Strategy:
    return _UNMADE if step.back else _MOVED if step.leaves else _MADE


def _clear_unfinished(directories: Directories, place: Place) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        into = directories.of(place)
        with suppress(FileNotFoundError):
            os.unlink(unfinished(place.name), dir_fd=into)


def _drop(directories: Directories, place: Place, ours: Callable[[os.stat_result], bool]) -> None:
    if take_off(directories, place, ours) is not None:
        raise SourceChanged
    sync(directories.of(place))


def _unreachable(directories: Directories, place: Place) -> bool:
    try:
        directories.of(place)
    except OSError:
        return True
    return False
