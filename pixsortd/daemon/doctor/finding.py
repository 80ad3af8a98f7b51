"""What a check says."""

from enum import StrEnum

from pixsortd.records import Record


class Level(StrEnum):
    """How bad it is: nothing to do; works, but less well; does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One thing that was looked at, and what to do about it."""

    check: str
    level: Level
    message: str
    next_step: str = ""


def ok(check: str, message: str, next_step: str = "") -> Finding:
    """Nothing has to be done."""
    return Finding(check=check, level=Level.OK, message=message, next_step=next_step)


def warn(check: str, message: str, next_step: str = "") -> Finding:
    """It works, but less well than it could."""
    return Finding(check=check, level=Level.WARN, message=message, next_step=next_step)


def fail(check: str, message: str, next_step: str = "") -> Finding:
    """It does not work."""
    return Finding(check=check, level=Level.FAIL, message=message, next_step=next_step)
