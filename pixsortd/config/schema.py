"""The settings tree as JSON Schema, for editors that complete and check TOML."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from pixsortd.config import kinds
from pixsortd.config.comments import comments
from pixsortd.config.tree import Duration, Section, Settings, Size


def json_schema() -> dict[str, Any]:
    """The whole tree as JSON Schema 2020-12, with the comments of the shipped file as descriptions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pixsortd.toml",
        **_section_schema(Settings, "", comments()),
    }


def _section_schema(section: type[Section], prefix: str, describe: Mapping[str, str]) -> dict[str, Any]:
    properties, required = {}, []
    info = inspect.type_info(section)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        hint, path = kinds.fields(section)[field.name], prefix + field.name
        schema = _schema(hint, path, describe)
        if field.default is not msgspec.NODEFAULT and not kinds.table(hint):
            schema["default"] = kinds.plain(field.default)
        if text := describe.get(path):
            schema["description"] = text
        if field.required:
            required.append(field.name)
        properties[field.name] = schema
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if section.__doc__:
        schema["description"] = section.__doc__
    return schema | ({"required": required} if required else {})


def _schema(hint: Any, path: str, describe: Mapping[str, str]) -> dict[str, Any]:
    if inner := kinds.table(hint):
        return _section_schema(inner, path + ".", describe)
    if named := kinds.named_tables(hint):
        return {"type": "object", "additionalProperties": _section_schema(named, path + ".NAME.", describe)}
    if listed := kinds.listed_tables(hint):
        return {"type": "array", "items": _section_schema(listed, path + "[].", describe)}
    kind = kinds.kind_of(hint)
    if isinstance(kind, inspect.CustomType) and issubclass(kind.cls, Duration | Size):
        return {"type": ["string", "number"], "minimum": 0, "examples": [kind.cls.expected.split('"')[1]]}
    return dict(msgspec.json.schema(hint)) if not isinstance(kind, inspect.EnumType) else {"enum": list(kind.cls)}
