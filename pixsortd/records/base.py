"""What every travelling value has in common."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every travelling value."""


class Reason(Record, frozen=True, kw_only=True):
    """Why something is as it is, in words a person can act on."""

    code: str
    """Stable, machine-readable kebab-case word, e.g. ``hidden`` or ``decode-failed``."""
    message: str
    next_step: str = ""
