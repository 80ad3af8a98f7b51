"""What the disk said while an upload was written, in words."""

import errno

from pixsortd.errors import UploadRefused

_AWAY = ("inbox-away", "the inbox has gone away", "Bring its disk or share back; then upload again.")
_FORBIDDEN = (
    "permission",
    "the daemon may not write to the inbox",
    "Give the user that runs pixsortd write permission there.",
)
_LINK = ("path", "a folder on that path is a link or a file", "Upload it under another folder name.")
_SAID: dict[int, tuple[str, str, str]] = {
    errno.ENOSPC: ("no-space", "no space is left on the inbox's disk", "Free some space; then upload again."),
    errno.EDQUOT: ("no-space", "the quota on the inbox's disk is used up", "Free some space; then upload again."),
    errno.EFBIG: ("too-large", "the inbox's file system cannot hold a file that large", "Use another file system."),
    errno.EROFS: ("read-only", "the inbox's file system is read-only", "Mount it writable; look at the disk's health."),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: ("disk", "the inbox's disk reported an input/output error", "Check the disk and its cable."),
    errno.ESTALE: _AWAY,
    errno.ENODEV: _AWAY,
    errno.ENXIO: _AWAY,
    errno.ENOTCONN: _AWAY,
    errno.ENOENT: _AWAY,
    errno.ENOTDIR: _LINK,
    errno.ELOOP: _LINK,
    errno.EXDEV: ("path", "that folder is another file system", "Upload it under another folder name."),
    errno.ENAMETOOLONG: ("name", "the name is too long for the inbox's disk", "Shorten it; then upload it again."),
    errno.EINVAL: ("name", "the inbox's disk does not take that name", "Rename the file; then upload it again."),
    errno.EILSEQ: ("name", "the inbox's disk does not take that name", "Rename the file; then upload it again."),
    errno.EMFILE: ("busy", "too many files are open", "Upload again with fewer at once."),
    errno.ENFILE: ("busy", "too many files are open", "Upload again with fewer at once."),
}


def refusal(error: OSError) -> UploadRefused:
    """The one place that turns an ``OSError`` on the inbox into a domain error."""
    fallback = ("disk", error.strerror or str(error), "Look at the inbox's disk; then upload again.")
    why, message, next_step = _SAID.get(error.errno or 0, fallback)
    return UploadRefused(message, why=why, next_step=next_step)


def gone() -> UploadRefused:
    """The inbox's path leads to another directory than the one that is watched."""
    why, message, next_step = _AWAY
    return UploadRefused(message, why=why, next_step=next_step)


def crowded(floor: int) -> UploadRefused:
    """Less is free than the configured floor."""
    return UploadRefused(
        f"less than {floor} bytes are free on the inbox's disk",
        why="no-space",
        next_step="Free some space, or lower upload.free_floor.",
    )
