"""Defaults < configuration file < environment < command line, merged into one checked tree."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pixsortd.config import kinds
from pixsortd.config.checks import contradictions
from pixsortd.config.layers import Layer, environment_layer, file_layer, override_layer
from pixsortd.config.lines import Key
from pixsortd.config.paths import absolute, config_file
from pixsortd.config.tree import Section, Settings
from pixsortd.config.words import dotted, shown, unknown
from pixsortd.errors import ConfigError

NEXT_STEP = "Every setting is explained in `pixsortd config default`; `pixsortd config check` reads the file again."


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and where each value came from."""

    settings: Settings
    origins: Mapping[str, str]
    """By dotted key: ``default``, ``FILE:LINE``, ``environment NAME`` or ``command line``."""
    file: Path | None
    """The configuration file that was read, if any."""


def load(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] = {},
) -> Loaded:
    """Read every layer and merge them.

    ``file`` is the one named on the command line; without it the usual places are searched.
    ``overrides`` are values from the command line by dotted key; texts are read as TOML where the
    setting is not a text itself. Raises ConfigError naming every problem with its place.
    """
    problems: list[str] = []
    chosen = file if file is not None else config_file(environ)
    layers = [
        *([file_layer(chosen)] if chosen is not None else []),
        environment_layer(environ, problems),
        override_layer(overrides, problems),
    ]
    given: dict[Key, tuple[Any, Layer]] = {}
    for layer in layers:
        for key, value in _leaves(Settings, layer.tree, (), layer, problems):
            given[key] = (value, layer)
    settings = _assemble(Settings, (), given, environ, problems)
    if settings is None or problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)), next_step=NEXT_STEP)
    places = {dotted(key): layer.where(key) for key, (_, layer) in given.items()}
    origins = {key: places.get(key, "default") for key in _present(settings)}
    if clashes := contradictions(settings, origins):
        raise ConfigError("\n".join(clashes), next_step=NEXT_STEP)
    return Loaded(settings, origins, chosen)


def _leaves(
    section: type[Section], tree: Mapping[str, Any], prefix: Key, layer: Layer, problems: list[str]
) -> Iterator[tuple[Key, Any]]:
    """Every known value in ``tree`` by key; a named table is also announced by its own key."""
    hints = kinds.fields(section)
    for name, value in tree.items():
        key = (*prefix, name)
        hint = hints.get(name)
        inner = kinds.table(hint)
        named = kinds.named_tables(hint)
        if hint is None:
            problems.append(f"{layer.where(key)}: {unknown(key, section)}")
        elif not inner and not named:
            yield key, value
        elif not isinstance(value, Mapping):
            problems.append(
                f"{layer.where(key)}: {dotted(key)}: expected a table [{dotted(key)}], found {shown(value)}"
            )
        elif inner:
            yield from _leaves(inner, value, key, layer, problems)
        elif named:
            yield from _named(named, value, key, layer, problems)


def _named(
    section: type[Section], tree: Mapping[str, Any], prefix: Key, layer: Layer, problems: list[str]
) -> Iterator[tuple[Key, Any]]:
    for name, value in tree.items():
        key = (*prefix, name)
        if isinstance(value, Mapping):
            yield key, {}
            yield from _leaves(section, value, key, layer, problems)
        else:
            problems.append(
                f"{layer.where(key)}: {dotted(key)}: expected a table [{dotted(key)}], found {shown(value)}"
            )


def _assemble(
    section: type[Section],
    prefix: Key,
    given: Mapping[Key, tuple[Any, Layer]],
    environ: Mapping[str, str],
    problems: list[str],
) -> Any:
    """The section made of what was given below ``prefix``; None when something required is missing or wrong."""
    values: dict[str, Any] = {}
    before = len(problems)
    for name, hint in kinds.fields(section).items():
        key = (*prefix, name)
        if inner := kinds.table(hint):
            values[name] = _assemble(inner, key, given, environ, problems)
        elif named := kinds.named_tables(hint):
            names = [held[-1] for held in given if held[:-1] == key]
            values[name] = {one: _assemble(named, (*key, one), given, environ, problems) for one in names}
        elif key in given:
            value, layer = given[key]
            values[name] = _value(hint, key, value, layer, environ, problems)
        elif name in section.__struct_fields__[: _required(section)]:
            place = given[prefix][1].where(prefix) if prefix in given else dotted(prefix)
            problems.append(f"{place}: {dotted(key)} is missing; expected {kinds.expected(hint)}")
    return section(**values) if len(problems) == before else None


def _required(section: type[Section]) -> int:
    return len(section.__struct_fields__) - len(section.__struct_defaults__)


def _value(hint: Any, key: Key, value: Any, layer: Layer, environ: Mapping[str, str], problems: list[str]) -> Any:
    listed = kinds.listed_tables(hint)
    if listed and isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
        return tuple(_element(listed, (*key, n), one, layer, environ, problems) for n, one in enumerate(value))
    try:
        converted = msgspec.convert(value, hint, dec_hook=lambda kind, raw: kind.parse(raw))
    except msgspec.ValidationError:
        wanted = f"[[{dotted(key)}]] tables" if listed else kinds.expected(hint)
        problems.append(f"{layer.where(key)}: {dotted(key)}: expected {wanted}, found {shown(value)}")
        return None
    return _expand(converted, hint, layer, environ)


def _element(
    section: type[Section],
    key: Key,
    tree: Mapping[str, Any],
    layer: Layer,
    environ: Mapping[str, str],
    problems: list[str],
) -> Any:
    inside = {leaf: (value, layer) for leaf, value in _leaves(section, tree, key, layer, problems)}
    return _assemble(section, key, {key: ({}, layer), **inside}, environ, problems)


def _expand(value: Any, hint: Any, layer: Layer, environ: Mapping[str, str]) -> Any:
    if kinds.is_path(hint):
        return str(absolute(value, layer.base, environ)) if value else value
    if isinstance(value, dict) and kinds.is_path(kinds.item(hint)):
        return {name: str(absolute(path, layer.base, environ)) if path else path for name, path in value.items()}
    return value


def _present(settings: Settings) -> Iterator[str]:
    """The dotted key of every value in ``settings``, free names included."""
    for name, hint in kinds.fields(Settings).items():
        value = getattr(settings, name)
        if inner := kinds.table(hint):
            yield from (f"{name}.{key}" for key in kinds.fields(inner))
        elif named := kinds.named_tables(hint):
            yield from (f"{name}.{one}.{key}" for one in value for key in kinds.fields(named))
        else:
            yield name
