"""What all presenters share."""

from typing import Any

import msgspec

from pixsortd import records
from pixsortd.api import answers
from pixsortd.api.text import clean


def fields(record: msgspec.Struct) -> dict[str, Any]:
    """A record's fields by name, text made safe for JSON."""
    values = ((name, getattr(record, name)) for name in record.__struct_fields__)
    return {name: clean(value) if type(value) is str else value for name, value in values}


def reason(given: records.Reason | None) -> answers.Reason | None:
    """A reason, or None."""
    return None if given is None else answers.Reason(**fields(given))
