"""Decisions as the JSON that the log keeps."""

from collections.abc import Iterable, Iterator

import msgspec
import structlog

from pixsortd.records import Decision

log = structlog.get_logger()

encode = msgspec.json.Encoder().encode
"""A decision as JSON."""

_decoder: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)


def decoded(bodies: Iterable[bytes]) -> Iterator[Decision]:
    """The decisions in what the log keeps; one of a kind that only a later version knows is left in peace."""
    for body in bodies:
        try:
            yield _decoder.decode(body)
        except msgspec.ValidationError as error:
            log.warning("decision of an unknown kind kept but not used", reason=str(error))
