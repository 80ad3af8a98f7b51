"""Can the state directory hold an index?"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pixsortd.config import Settings, state_directory
from pixsortd.daemon.doctor.finding import Finding, fail, ok, warn
from pixsortd.errors import explain_os_error
from pixsortd.watch import mounts

CHECK = "state directory"
TIGHT = 2 * 10**9
FULL = 200 * 10**6
_LOCAL_FUSE = frozenset({"fuse", "fuse.mergerfs", "fuse.ntfs-3g", "fuse.bindfs", "fuse.unionfs"})


def state_directory_is_usable(settings: Settings) -> Iterator[Finding]:
    """Kind of file system, permission and space of the state directory."""
    path = state_directory(settings)
    there = existing(path)
    mount = mounts.holding(mounts.read(), os.fsencode(os.path.realpath(there)))
    yield judge_file_system(path, mount.kind if mount else "", mount.silent if mount else False)
    yield judge_writing(path, _why_not_writable(there, is_state=there == path))
    disk = os.statvfs(there)
    yield judge_space(path, disk.f_bavail * disk.f_frsize)


def existing(path: Path) -> Path:
    """``path``, or the closest directory above it that exists."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def judge_file_system(path: Path, kind: str, silent: bool) -> Finding:
    """LMDB needs shared memory maps and locks that network file systems do not keep."""
    move = "Set state_dir to a directory on a local disk."
    if silent and kind not in _LOCAL_FUSE:
        return fail(CHECK, f"{path} is on a network file system ({kind}), where an index gets damaged", move)
    if silent:
        return warn(CHECK, f"{path} is on {kind}, which need not keep memory maps and locks as LMDB expects", move)
    if kind == "overlay":
        return warn(CHECK, f"{path} is on an overlay, which goes when its container goes", "Mount a volume there.")
    return ok(CHECK, f"{path} is on a local file system{f' ({kind})' if kind else ''}")


def judge_writing(path: Path, why_not: str) -> Finding:
    """Whether the state directory can be written, or made."""
    if why_not:
        return fail(CHECK, f"{path} cannot be written: {why_not}", "Give its user write permission, or set state_dir.")
    return ok(CHECK, f"{path} can be written")


def judge_space(path: Path, free: int) -> Finding:
    """Thumbnails and vectors take 30 to 60 kB a photo."""
    step = "Free some space, or move state_dir to a larger disk."
    words = f"{free / 10**9:.1f} GB free for {path}"
    if free < FULL:
        return fail("disk space", words, step)
    return warn("disk space", words, step) if free < TIGHT else ok("disk space", words)


def _why_not_writable(directory: Path, *, is_state: bool) -> str:
    """Empty when a file can be made there. A directory of someone else's is only asked, not written to."""
    if not is_state:
        return "" if os.access(directory, os.W_OK | os.X_OK) else f"no permission to make it in {directory}"
    try:
        with tempfile.TemporaryFile(dir=directory):
            return ""
    except OSError as error:
        return explain_os_error(error)[0]
