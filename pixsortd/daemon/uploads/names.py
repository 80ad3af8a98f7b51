"""Names of uploaded files: what a client sent becomes a path below the inbox, or is refused. Pure."""

import unicodedata

from pixsortd.errors import UploadRefused

LONGEST = 255
"""Bytes of one name, on every common file system."""
LONGEST_PATH = 2048
"""Bytes of a whole path below the inbox; the kernel takes 4096 with the inbox before it."""
DEEPEST = 32
"""Folders and the file itself."""


def components(filename: str) -> tuple[bytes, ...]:
    """The parts of a relative path, the file's name last; a backslash separates as on old Windows clients.

    ``filename`` carries undecodable bytes as surrogates. Raises ``UploadRefused``.
    """
    try:
        raw = filename.encode("utf-8")
    except UnicodeEncodeError:
        raise _refused("the name is not UTF-8", "Rename the file; then upload it again.") from None
    if not raw:
        raise _refused("the file has no name", "Send a file name with every file.")
    if any(unicodedata.category(one) == "Cc" for one in filename):
        raise _refused("the name has control characters", "Rename the file; then upload it again.")
    parts = tuple(raw.replace(b"\\", b"/").split(b"/"))
    if len(parts) > DEEPEST:
        raise _refused(f"the folders are nested deeper than {DEEPEST}", "Upload the inner folders by themselves.")
    if len(raw) > LONGEST_PATH:
        raise _refused(f"the path is longer than {LONGEST_PATH} bytes", "Upload the inner folders by themselves.")
    for part in parts:
        _check(part)
    return parts


def _check(part: bytes) -> None:
    if part in (b"", b".", b".."):
        raise _refused("the path has empty, “.” or “..” parts", "Send a path relative to the inbox.")
    if part.startswith(b"."):
        raise _refused("a name that starts with a dot is hidden", "Rename it without the dot.", why="hidden")
    if len(part) > LONGEST:
        raise _refused(f"a name is longer than {LONGEST} bytes", "Shorten it; then upload it again.")


def numbered(name: bytes, number: int) -> bytes:
    """``name`` for its ``number``-th holder: `` (2)`` before the extension, cut so that it still fits."""
    if number == 1:
        return name
    dot = name.rfind(b".")
    stem, extension = (name[:dot], name[dot:]) if dot > 0 else (name, b"")
    end = b" (%d)" % number + extension
    return stem[: LONGEST - len(end)].decode("utf-8", "ignore").encode("utf-8") + end


def _refused(message: str, next_step: str, why: str = "name") -> UploadRefused:
    return UploadRefused(message, why=why, next_step=next_step)
