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

from pixsortd.api.answers import Problem
from pixsortd.api.door import Entrance
from pixsortd.api.problems import MEDIA_TYPE
from pixsortd.api.routes import DEPENDENCIES, assemble
from pixsortd.api.sessions import COOKIE

API_VERSION = "1"
_SCHEMAS = "#/components/schemas/{name}"


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
    _describe_errors(document)
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
