"""What is said between the core and a worker, as messages of their own.

The core speaks first: ``Hello`` (answered by ``Abilities``), then any number of ``Batch``
(answered by one ``Named`` a file and ``Done``) and ``Order`` (one ``Analysed`` a wanted file and
``Done``); ``Survey`` asks for ``Abilities`` again. ``Busy`` and a changed ``Abilities`` may come in
between at any time. Settings travel in ``Hello``, so that a worker needs no file and no environment
of its own and could run on another machine.
"""

from typing import Any

import msgspec

from pixsortd.config import Duration, Settings, Size
from pixsortd.records import Ability, Analysis, Fingerprint, Reason, Record, Wants, WorkItem


class Hello(Record, frozen=True, kw_only=True, tag=True):
    """The settings to work by."""

    settings: Settings
    threads: int


class Survey(Record, frozen=True, kw_only=True, tag=True):
    """Try again to load what could not be loaded."""


class Batch(Record, frozen=True, kw_only=True, tag=True):
    """Read and name these files, and keep their bytes for the order that follows."""

    items: tuple[WorkItem, ...]


class Order(Record, frozen=True, kw_only=True, tag=True):
    """What is wanted of the last batch's files, by item id; the others are forgotten."""

    wants: dict[int, Wants]
    ahead: tuple[WorkItem, ...] = ()
    """Files that probably come next, to be read meanwhile. Only a hint: the next batch may be any other."""


Request = Hello | Survey | Batch | Order


class Busy(Record, frozen=True, kw_only=True, tag=True):
    """These files are in this stage from now on; an empty stage: nothing is being done with them.

    Without ids it is the worker as a whole, loading a model.
    """

    stage: str
    ids: tuple[int, ...] = ()


class Abilities(Record, frozen=True, kw_only=True, tag=True):
    """What the worker can do now."""

    abilities: tuple[Ability, ...]


class Named(Record, frozen=True, kw_only=True, tag=True):
    """One file's fingerprint."""

    fingerprint: Fingerprint


class Analysed(Record, frozen=True, kw_only=True, tag=True):
    """One file's analysis."""

    analysis: Analysis


class Done(Record, frozen=True, kw_only=True, tag=True):
    """The request is answered."""


Reply = Busy | Abilities | Named | Analysed | Done


class Crashed(Record, frozen=True, kw_only=True):
    """A file that took its worker down, in company and then alone."""

    id: int
    reason: Reason
    attempts: int
    sha256: bytes | None = None


Outcome = Analysis | Fingerprint | Crashed
"""What becomes of an item. A ``Fingerprint`` is only an outcome when it says failed or changed."""


def _plain(value: Any) -> Any:
    if isinstance(value, Duration):
        return float(value)
    if isinstance(value, Size):
        return int(value)
    raise NotImplementedError(f"{type(value).__name__} does not travel")


def _own(kind: Any, value: Any) -> Any:
    return kind.parse(value)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request, dec_hook=_own)
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply, dec_hook=_own)


def encode(message: Request | Reply) -> bytes:
    """One message as bytes."""
    return _ENCODER.encode(message)


def decode_request(frame: bytes) -> Request:
    """What the core said; raises ``msgspec.DecodeError``."""
    return _REQUESTS.decode(frame)


def decode_reply(frame: bytes) -> Reply:
    """What the worker said; raises ``msgspec.DecodeError``."""
    return _REPLIES.decode(frame)
