"""Can the roots be read, and can the kernel report what changes in them?"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from pixsortd.config import Settings, root_paths
from pixsortd.daemon.doctor.finding import Finding, fail, ok, warn
from pixsortd.errors import explain_os_error
from pixsortd.records import Record
from pixsortd.watch import mounts

ROOTS, WATCHING = "roots", "watching"
PATIENCE = 20.0
"""Seconds for counting the directories of all roots; what was counted until then is judged."""
LIMITS = Path("/proc/sys/fs/inotify")
HEADROOM = 1.25
"""Directories to come, and the watches of other programs of the same user."""


class Count(Record, frozen=True, kw_only=True):
    """What a walk over the directories of one root saw."""

    directories: int = 0
    closed: tuple[str, ...] = ()
    complete: bool = True


def roots_can_be_watched(settings: Settings) -> Iterator[Finding]:
    """Whether each root is there and open to us, and whether the kernel will tell what changes in it."""
    paths = root_paths(settings)
    if not paths:
        yield warn(ROOTS, "no photo directory is configured", "`pixsortd run PATH`, or [[roots]] in the configuration.")
    table = mounts.read()
    deadline = time.monotonic() + PATIENCE
    watched = []
    for path in paths:
        seen = count(path, deadline)
        yield judge_root(path, _why_closed(path), seen)
        real = os.fsencode(os.path.realpath(path))
        if reason := mounts.silence(mounts.holding(table, real), mounts.below(table, real)):
            yield warn(WATCHING, f"{path}: {reason.message}", "Nothing to do; changes are seen a little later.")
        else:
            watched.append(seen)
    watches, instances = limit("max_user_watches"), limit("max_user_instances")
    if watches is None or instances is None:
        yield warn(WATCHING, "this system has no inotify; the roots are polled")
        return
    complete = all(one.complete for one in watched)
    yield judge_watches(sum(one.directories for one in watched), watches, complete=complete)
    yield judge_instances(len(watched), instances)


def count(path: Path, deadline: float) -> Count:
    """Walk the directories below ``path``, links not followed, until ``deadline`` (monotonic seconds)."""
    found, waiting = 0, [os.fsencode(path)]
    closed: list[str] = []
    while waiting:
        if time.monotonic() > deadline:
            return Count(directories=found + len(waiting), closed=tuple(closed), complete=False)
        directory = waiting.pop()
        try:
            with os.scandir(directory) as listing:
                waiting += [entry.path for entry in listing if entry.is_dir(follow_symlinks=False)]
            found += 1
        except PermissionError:
            closed.append(os.fsdecode(directory))
        except OSError:
            continue  # it went away while we walked
    return Count(directories=found, closed=tuple(closed))


def judge_root(path: Path, why_closed: str, seen: Count) -> Finding:
    """A root that is absent may be a disk that is; one that is closed to us is a mistake."""
    if not path.exists() and not why_closed:
        step = "Mount the disk or correct the path; until then the root waits as `away` and nothing is dropped."
        return warn(ROOTS, f"{path} does not exist now", step)
    if why_closed:
        return fail(ROOTS, f"{path} cannot be read: {why_closed}", "Give the user that runs pixsortd read permission.")
    if seen.closed:
        words = f"{len(seen.closed)} directories below {path} are closed to this user, e.g. {seen.closed[0]}"
        return warn(ROOTS, words, "Give read and execute permission, or exclude them.")
    return ok(ROOTS, f"{path} can be read ({seen.directories}{'' if seen.complete else ' and more'} directories)")


def judge_watches(needed: int, watches: int, *, complete: bool) -> Finding:
    """The kernel takes one inotify watch for each directory."""
    words = f"{needed}{'' if complete else ' or more'} directories to watch, {watches} watches allowed"
    if needed * HEADROOM <= watches and complete:
        return ok(WATCHING, words)
    enough = max(524288, 1 << (max(int(needed * 2), 1) - 1).bit_length())
    step = (
        f"echo fs.inotify.max_user_watches={enough} | sudo tee /etc/sysctl.d/60-pixsortd.conf && sudo sysctl --system"
    )
    return warn(WATCHING, words + "; what is not watched is only found by the full scans", step)


def judge_instances(needed: int, instances: int) -> Finding:
    """The kernel allows each user so many inotify instances; one root takes one."""
    words = f"{needed} inotify instances needed, {instances} allowed"
    if needed + 8 <= instances:
        return ok(WATCHING, words)
    return warn(WATCHING, words, "sudo sysctl fs.inotify.max_user_instances=512")


def limit(name: str) -> int | None:
    """One of the kernel's inotify limits, None where it has none."""
    try:
        return int((LIMITS / name).read_text())
    except (OSError, ValueError):
        return None


def _why_closed(path: Path) -> str:
    try:
        with os.scandir(path):
            return ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        return explain_os_error(error)[0]
