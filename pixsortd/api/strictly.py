"""JSON bodies are taken as the OpenAPI document says: no 0 for false, no "5" for 5."""

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException, ValidationException

from pixsortd.api.answers import Body


async def strictly(request: Request[Any, Any, Any]) -> None:
    """Refuse a JSON body whose values are of other types than its fields.

    The framework itself coerces, which suits parameters, for those are text. Raises ``ValidationException``; whatever
    else is wrong with a body is the framework's to say.
    """
    field = request.route_handler.parsed_data_field
    wanted = None if field is None else field.annotation
    if not (isinstance(wanted, type) and issubclass(wanted, Body)) or not await request.body():
        return
    try:
        msgspec.convert(await request.json(), wanted, strict=True)
    except SerializationException:
        return
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        extra = [{"key": place.strip("`").lstrip(".") or "data", "message": message}]
        raise ValidationException(detail="A field does not fit.", extra=extra) from error
