"""Files and roots for the tests of sorting's rules."""

from pathlib import Path
from typing import Any

from pixsortd.config import RootSettings, SortRule
from pixsortd.records import FileStamp, Place, Role, Subject

STATE = Path("/state")
ROOTS = (
    RootSettings(path="/photos", writable=True),
    RootSettings(path="/photos/in", role=Role.INBOX),
    RootSettings(path="/photos/old"),
)
NOW = 1_700_000_000.0


def subject(path: bytes = b"IMG_1.jpg", size: int = 1000, mtime_ns: int = 0, **facts: Any) -> Subject:
    """A file in the inbox, of which nothing is known but the given facts."""
    stamp = FileStamp(size=size, mtime_ns=mtime_ns, ctime_ns=0, inode=1, device=1)
    return Subject(place=Place(base=b"/photos/in", path=path), stamp=stamp, image=bytes(32), **facts)


def rule(name: str = "one", to: str = "/photos/sorted/", **keys: Any) -> SortRule:
    """A rule that takes every file."""
    return SortRule(name=name, to=to, **keys)
