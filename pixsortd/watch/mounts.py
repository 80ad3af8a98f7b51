"""Which file systems lie at and below a root, read from the kernel's mount table."""

import re
from collections.abc import Iterable, Mapping

from pixsortd.records import Reason, Record

_OCTAL = re.compile(rb"\\([0-7]{3})")

_WITHOUT_EVENTS = frozenset(
    (
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2",
        "ncpfs", "coda", "vboxsf", "prl_fs", "virtiofs", "fakeowner", "grpcfuse", "davfs",
    )
)  # fmt: skip


class Mount(Record, frozen=True, kw_only=True):
    """One line of the mount table."""

    point: bytes
    kind: str

    @property
    def silent(self) -> bool:
        """Whether changes can happen here without any event: network shares and FUSE."""
        return self.kind in _WITHOUT_EVENTS or self.kind == "fuse" or self.kind.startswith("fuse.")


def parse(table: bytes) -> list[Mount]:
    """The mounts of a ``/proc/self/mountinfo``, in its order: a later one covers an earlier one."""
    mounts = []
    for line in table.splitlines():
        fields = line.split(b" ")
        try:
            separator = fields.index(b"-", 6)
            point, kind = fields[4], fields[separator + 1]
        except (ValueError, IndexError):
            continue
        mounts.append(Mount(point=_OCTAL.sub(_unescape, point), kind=kind.decode("ascii", "replace")))
    return mounts


def read() -> list[Mount]:
    """The mounts this process sees; none where there is no ``/proc``."""
    try:
        with open("/proc/self/mountinfo", "rb") as table:
            return parse(table.read())
    except OSError:
        return []


def holding(table: Iterable[Mount], path: bytes) -> Mount | None:
    """The mount that holds the absolute ``path``."""
    best: Mount | None = None
    for mount in table:
        if _within(path, mount.point) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def below(table: Iterable[Mount], path: bytes) -> dict[bytes, Mount]:
    """The mounts strictly below the absolute ``path``, by their path relative to it."""
    start = len(path.rstrip(b"/")) + 1
    return {mount.point[start:]: mount for mount in table if mount.point != path and _within(mount.point, path)}


def silence(here: Mount | None, nested: Mapping[bytes, Mount]) -> Reason | None:
    """Why a tree has to be polled, given the mount it is on and those in it; None when events tell all."""
    place, mount = "the file system", here
    if here is None or not here.silent:
        place, mount = next(
            ((f'"{point.decode("utf-8", "backslashreplace")}"', each) for point, each in nested.items() if each.silent),
            ("", None),
        )
    if mount is None:
        return None
    return Reason(
        code="no-events",
        message=f"{place} ({mount.kind}) does not report changes that are made elsewhere, so it is polled",
    )


def _within(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 8) & 0xFF,))
