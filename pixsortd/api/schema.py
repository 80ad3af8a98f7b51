"""The OpenAPI document: ``python -m pixsortd.api.schema`` prints it, ``/schema`` serves it.

The page's TypeScript types are made from it, and a test compares it with the committed copy, so a
change of the contract is always a visible change of that file.
"""

import sys
from functools import cache
from typing import Any

import msgspec
from litestar import Response, get
from litestar.openapi import OpenAPIConfig

from pixsortd.api.answers import Body, Problem
from pixsortd.api.door import Entrance
from pixsortd.api.problems import MEDIA_TYPE
from pixsortd.api.routes import DEPENDENCIES, assemble
from pixsortd.api.sessions import COOKIE

API_VERSION = "1"
_SCHEMAS = "#/components/schemas/{name}"
_NAME = "^[A-Za-z0-9_-]{1,64}$"
_PATTERNS = {
    "image_id": "^[0-9a-f]{64}$",
    "label": "^[A-Za-z0-9_-]([ A-Za-z0-9_-]{0,62}[A-Za-z0-9_-])?$",
}
"""Of path parameters; any other is a `_NAME`. A label may hold any visible text, percent-encoded; this is the plain
part of it."""
_INSIDE = frozenset({"items", "minItems", "maxItems", "additionalProperties", "propertyNames"})


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="pixsortd",
        version=API_VERSION,
        summary="The photo daemon's own interface",
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )


def _describe_errors(document: dict[str, Any]) -> None:
    """Every operation may answer with a problem; the framework's own error bodies are never sent."""
    (_, *_), components = msgspec.json.schema_components([Problem], ref_template=_SCHEMAS)
    schemas = document["components"]["schemas"]
    for name, schema in components.items():
        schemas.setdefault(name, schema)
    content = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(name=Problem.__name__)}}}
    for path in document["paths"].values():
        for operation in (one for one in path.values() if isinstance(one, dict) and "responses" in one):
            operation["responses"].pop("400", None)
            operation["responses"]["default"] = {"description": "a problem (RFC 9457)", "content": content}


def _describe_bodies(document: dict[str, Any]) -> None:
    """What msgspec checks and the framework leaves out: that unknown keys are refused, and limits inside lists."""
    schemas = document["components"]["schemas"]
    for body in (one for one in _below(Body) if one.__name__ in schemas):
        _, components = msgspec.json.schema_components([body], ref_template=_SCHEMAS)
        checked, told = components[body.__name__], schemas[body.__name__]
        told["additionalProperties"] = checked["additionalProperties"]
        for name, inner in checked["properties"].items():
            told["properties"][name] |= {key: inner[key] for key in _INSIDE & inner.keys()}


def _below(base: type[Any]) -> list[type[Any]]:
    found: list[type[Any]] = base.__subclasses__()
    return found + [deeper for one in found for deeper in _below(one)]


def _describe_paths(document: dict[str, Any]) -> None:
    """What can stand in an address: another text names nothing, or is refused before it is routed."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["schema"].get("type") == "string":
                    parameter["schema"]["pattern"] = _PATTERNS.get(parameter["name"], _NAME)


def _loosen_unions(value: Any) -> None:
    """A whole number is an integer and a number, so it is one *or more* of a union's types."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _loosen_unions(inner)
    if isinstance(value, dict) and isinstance(value.get("oneOf"), list) and "discriminator" not in value:
        value["anyOf"] = value.pop("oneOf")


def _describe_security(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "needed where the daemon has a token"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "given by POST /api/session"},
    }
    document["security"] = [{}, {"bearer": []}, {"session": []}]


@cache
def openapi_document() -> bytes:
    """The OpenAPI document as JSON, the same bytes for the same code."""
    described = assemble(dict.fromkeys(DEPENDENCIES), describe=_config())
    document = described.openapi_schema.to_schema()
    _loosen_unions(document)
    _describe_errors(document)
    _describe_bodies(document)
    _describe_paths(document)
    _describe_security(document)
    text = msgspec.json.encode(document, order="sorted", enc_hook=str)
    return msgspec.json.format(text, indent=1) + b"\n"


def schema(door: Entrance) -> Response[bytes]:
    """The OpenAPI document. Where the daemon has a token it needs that, so ``/docs`` shows it after a login."""
    document = openapi_document()
    if door.rules.base_path:
        document = msgspec.json.encode({**msgspec.json.decode(document), "servers": [{"url": door.rules.base_path}]})
    return Response(document, media_type="application/vnd.oai.openapi+json")


ROUTES = [
    get(path, include_in_schema=False, sync_to_thread=True)(schema) for path in ("/schema", "/schema/openapi.json")
]

if __name__ == "__main__":
    sys.stdout.buffer.write(openapi_document())
