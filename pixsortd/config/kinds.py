"""What a setting's type takes: its parts, and in words for messages."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from pixsortd.config.tree import Duration, Section, Settings, Size


@cache
def fields(section: type[Section]) -> Mapping[str, Any]:
    """The annotations of a settings table, by key."""
    return get_type_hints(section, include_extras=True)


def table(hint: Any) -> type[Section] | None:
    """The section if ``hint`` is one: ``[watch]``."""
    return hint if isinstance(hint, type) and issubclass(hint, Section) else None


def named_tables(hint: Any) -> type[Section] | None:
    """The section if ``hint`` is a set of tables with free names: ``[spaces.NAME]``."""
    return table(get_args(hint)[1]) if get_origin(hint) is dict else None


def listed_tables(hint: Any) -> type[Section] | None:
    """The section if ``hint`` is a list of tables: ``[[roots]]``."""
    return table(get_args(hint)[0]) if get_origin(hint) is tuple else None


def known_keys(section: type[Section] = Settings, prefix: str = "") -> Iterator[str]:
    """Every dotted key there is; a free name is written ``NAME``, a list element ``[]``."""
    for name, hint in fields(section).items():
        inner, path = table(hint), prefix + name
        if inner:
            yield from known_keys(inner, path + ".")
        elif named := named_tables(hint):
            yield from known_keys(named, path + ".NAME.")
        elif listed := listed_tables(hint):
            yield path
            yield from known_keys(listed, path + "[].")
        else:
            yield path


def kind_of(hint: Any) -> inspect.Type:
    kind = inspect.type_info(hint)
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def is_text(hint: Any) -> bool:
    """Whether a value of this type is written as plain text outside of TOML, without quotes."""
    return isinstance(kind_of(hint), inspect.StrType | inspect.EnumType | inspect.LiteralType)


def is_path(hint: Any) -> bool:
    """Whether the value is a path, to be made absolute."""
    return get_origin(hint) is Annotated and any(
        isinstance(meta, msgspec.Meta) and bool((meta.extra or {}).get("path")) for meta in get_args(hint)[1:]
    )


def item(hint: Any) -> Any:
    """The type of a table's values."""
    return get_args(hint)[-1] if get_args(hint) else None


def expected(hint: Any) -> str:
    """What a value of this type looks like, for the middle of a sentence."""
    if listed_tables(hint):
        return "a list of tables"
    kind = kind_of(hint)
    return _WORDS[type(kind)](kind)


def _range(kind: Any) -> str:
    limits = [(kind.ge, "at least"), (kind.gt, "above"), (kind.le, "at most"), (kind.lt, "below")]
    words = [f"{word} {limit:g}" for limit, word in limits if limit is not None]
    return (", " + " and ".join(words)) if words else ""


def _choice(values: Any) -> str:
    return "one of " + ", ".join(f'"{value}"' for value in values)


_WORDS: dict[type, Callable[[Any], str]] = {
    inspect.StrType: lambda kind: "text in quotes" + (", not empty" if kind.min_length else ""),
    inspect.BoolType: lambda _kind: "true or false",
    inspect.IntType: lambda kind: "a whole number" + _range(kind),
    inspect.FloatType: lambda kind: "a number" + _range(kind),
    inspect.EnumType: lambda kind: _choice(kind.cls),
    inspect.LiteralType: lambda kind: _choice(kind.values),
    inspect.CustomType: lambda kind: kind.cls.expected,
    inspect.VarTupleType: lambda _kind: 'a list of texts such as ["a", "b"]',
    inspect.DictType: lambda _kind: "a table",
    inspect.StructType: lambda _kind: "a table",
}


def plain(value: Any) -> Any:
    """A setting as TOML and JSON hold it: durations and sizes in their notation."""
    if isinstance(value, Duration | Size):
        return value.text
    if isinstance(value, Section):
        return {name: plain(getattr(value, name)) for name in fields(type(value))}
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return msgspec.to_builtins(value)
