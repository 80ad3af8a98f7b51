"""Which paths are looked at: pure decisions on raw relative paths.

Patterns are relative to the root and read like those of ``.gitignore``: one without a slash matches
a name at any depth, one with a slash is anchored at the root, ``**`` crosses directories, a trailing
``/`` means directories only, and a matched directory takes everything below it along.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pixsortd.records import Reason

_TEMP_ENDINGS = (
    b".part", b".partial", b".crdownload", b".download", b".opdownload", b".filepart", b".tmp", b".temp",
    b".swp", b".!qb", b".!ut", b".aria2", b"~",
)  # fmt: skip
_TEMP_STARTS = (b"~$", b"~syncthing~", b".syncthing.", b".goutputstream-", b".fuse_hidden", b".nfs")
_RSYNC = re.compile(rb"\..+\.[A-Za-z0-9]{6}", re.DOTALL)
_MACHINE_MADE = frozenset(
    (
        b"@eadir", b"@recycle", b"#recycle", b"#snapshot", b"$recycle.bin", b"recycler", b"lost+found",
        b"system volume information",
    )
)  # fmt: skip

OWN_DIRECTORIES = frozenset((b".pixsortd-trash", b".pixsortd-upload"))
"""What pixsortd keeps in roots that it may write: the trash, and uploads that are not complete. Never looked into."""

TEMPORARY = Reason(code="temp", message="the name is that of an unfinished copy or download")
HIDDEN = Reason(
    code="hidden", message="the name starts with a dot", next_step="Set watch.hidden = true to include such files."
)
NOT_A_PHOTO = Reason(code="not-a-photo", message="the extension is not that of a photo format")
TAKEN = Reason(code="taken", message="the directory is another root, or one that pixsortd keeps for itself")
MACHINE_MADE = Reason(code="system-directory", message="a directory that a system or NAS keeps for itself")


class Rules:
    """The exclusion rules of one root.

    ``extensions`` are lower-case with their dot, ``patterns`` globs, ``never`` directories relative
    to the root that belong to someone else (the state directory, roots of their own), beside our own.
    """

    def __init__(
        self,
        extensions: frozenset[bytes],
        *,
        hidden: bool = False,
        patterns: Sequence[str] = (),
        never: Iterable[bytes] = (),
    ) -> None:
        self._extensions = extensions
        self._common = extensions | {extension.upper() for extension in extensions}
        self._hidden = hidden
        self._never = frozenset(never)
        self._globs = tuple(_Glob(pattern) for pattern in patterns)
        self.plain: frozenset[bytes] = frozenset() if patterns else self._common
        """Endings that make a photo of every name that begins with neither a dot nor a tilde, in any directory."""

    def file(self, directory: bytes, name: bytes) -> Reason | None:
        """Why the file ``name`` in ``directory`` is kept out, or None when it is a photo to look at."""
        dot = name.rfind(b".")
        if name[0] in b".~":
            if name.startswith(_TEMP_STARTS) or _RSYNC.fullmatch(name):
                return TEMPORARY
            if name[0] == 0x2E and not self._hidden:
                return HIDDEN
        elif dot > 0 and name[dot:] in self.plain:
            return None
        if dot <= 0 or name[dot:].lower() not in self._extensions:
            return TEMPORARY if name.lower().endswith(_TEMP_ENDINGS) else NOT_A_PHOTO
        if not self._globs:
            return None
        text = _text(directory + b"/" + name if directory else name)
        return next((glob.reason for glob in self._globs if glob.takes_file(text)), None)

    def directory(self, path: bytes) -> Reason | None:
        """Why the directory ``path`` is kept out, judged by itself; its parents are known to be let in."""
        name = path[path.rfind(b"/") + 1 :]
        if name.lower() in _MACHINE_MADE:
            return MACHINE_MADE
        if name[:1] == b"." and not self._hidden:
            return HIDDEN
        if not self._globs:
            return None
        text = _text(path)
        return next((glob.reason for glob in self._globs if glob.takes_directory(text)), None)

    def never(self, path: bytes) -> bool:
        """Whether ``path`` is a directory that belongs to someone else: not looked at, not counted."""
        return path in self._never or path[path.rfind(b"/") + 1 :] in OWN_DIRECTORIES

    def closed(self, directory: bytes) -> bool:
        """Whether ``directory`` or one above it is excluded or belongs to someone else."""
        return self.closed_by(directory) is not None

    def closed_by(self, directory: bytes) -> Reason | None:
        """Why ``directory`` is not looked into, be it for one above it; None when it is."""
        while directory:
            reason = TAKEN if self.never(directory) else self.directory(directory)
            if reason is not None:
                return reason
            directory = directory.rpartition(b"/")[0]
        return None


class _Glob:
    """One pattern, compiled for files and for directories."""

    def __init__(self, pattern: str) -> None:
        self.reason = Reason(
            code="pattern",
            message=f'the pattern "{pattern}" keeps it out',
            next_step="Change `exclude` in the configuration to include it.",
        )
        bare = pattern.strip("/")
        anchored = "/" in pattern.rstrip("/")
        parts = bare.split("/") if anchored else ["**", bare]
        whole = re.compile(_regex(parts), re.DOTALL)
        self._file = None if pattern.endswith("/") else whole
        self._directories = [whole]
        if len(parts) > 1 and parts[-1] == "**":  # "cache/**" closes `cache` itself, so that it is never walked
            self._directories.append(re.compile(_regex(parts[:-1]), re.DOTALL))

    def takes_file(self, path: str) -> bool:
        return self._file is not None and self._file.fullmatch(path) is not None

    def takes_directory(self, path: str) -> bool:
        return any(regex.fullmatch(path) for regex in self._directories)


def _text(path: bytes) -> str:
    """A path for matching; accents compare equal however they were composed."""
    return unicodedata.normalize("NFC", os.fsdecode(path))


def _regex(parts: Sequence[str]) -> str:
    """The regular expression of a pattern that was split at its slashes."""
    out = []
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part == "**":
            out.append(".+" if last else "(?:[^/]+/)*")
        else:
            out.append(_segment(unicodedata.normalize("NFC", part)) + ("" if last else "/"))
    return "".join(out)


@lru_cache(maxsize=256)
def _segment(part: str) -> str:
    """One path component of a pattern: ``*``, ``?`` and ``[...]``, none of which cross a slash."""
    out, at = [], 0
    while at < len(part):
        char = part[at]
        close = part.find("]", at + 2) if char == "[" else -1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif close > 0 and (members := _members(part[at + 1 : close])) is not None:
            out.append(members)
            at = close
        else:
            out.append(re.escape(char))
        at += 1
    return "".join(out)


def _members(body: str) -> str | None:
    """The character class of what stood between ``[`` and ``]``; None when it is none."""
    negated = body[0] in "!^"
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", body[negated:])
    regex = f"(?!/)[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(regex)
    except re.error:  # such as the range "z-a"
        return None
    return regex
