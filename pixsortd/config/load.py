"""Defaults < configuration file < environment < command line, merged into one checked tree."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pixsortd.config import kinds
from pixsortd.config.checks import contradictions
from pixsortd.config.layers import Layer, environment_layer, file_layer, override_layer
from pixsortd.config.lines import Key
from pixsortd.config.paths import absolute, config_file
from pixsortd.config.tree import Section, Settings
from pixsortd.config.words import dotted, not_a_table, shown, unknown
from pixsortd.errors import ConfigError

NEXT_STEP = "Every setting is explained in `pixsortd config default`; `pixsortd config check` reads the file again."

Given = dict[Key, tuple[Any, Layer]]
"""Raw values by key, each with the layer it came from."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and where each value came from."""

    settings: Settings
    origins: Mapping[str, str]
    """By dotted key: ``default``, ``FILE:LINE``, ``environment NAME`` or ``command line``."""
    file: Path | None
    """The configuration file that was read, if any."""
    overrides: Mapping[str, object] = field(default_factory=dict)
    """What the command line said."""
    inner: Mapping[str, str] = field(default_factory=dict)
    """Places of what stands in lists of tables, by dotted key: ``sort.rules[0].to``."""

    def where(self, key: str) -> str:
        """The place of a dotted key, or of the closest table or value that holds it."""
        while key not in self.origins and key not in self.inner and key:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.inner.get(key) or self.origins.get(key, "default")

    def again(self, environ: Mapping[str, str] = os.environ) -> "Loaded":
        """The same layers, read anew; raises ConfigError and leaves this one as it is."""
        return load(self.file, environ, self.overrides)


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
    chosen = file if file is not None else config_file(environ)
    merge = _Merge(environ)
    layers = [
        *([file_layer(chosen)] if chosen is not None else []),
        environment_layer(environ, merge.problems),
        override_layer(overrides, merge.problems),
    ]
    given: Given = {}
    for layer in layers:
        given |= merge.leaves(Settings, layer.tree, (), layer)
    settings = merge.section(Settings, (), given)
    if settings is None or merge.problems:
        raise ConfigError("\n".join(dict.fromkeys(merge.problems)), next_step=NEXT_STEP)
    places = {dotted(key): layer.where(key) for key, (_, layer) in given.items()}
    origins = {key: places.get(key, "default") for key in _present(settings)}
    if clashes := contradictions(settings, origins):
        raise ConfigError("\n".join(clashes), next_step=NEXT_STEP)
    inner = {dotted(key): layer.where(key) for above, (value, layer) in given.items() for key in _listed(above, value)}
    return Loaded(settings, origins, chosen, dict(overrides), inner)


class _Merge:
    """Turns raw tables into sections, noting every problem with its place instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def leaves(self, section: type[Section], tree: Mapping[str, Any], prefix: Key, layer: Layer) -> Given:
        """Every known value in ``tree``; a named table is also announced by its own key."""
        found: Given = {}
        for name, value in tree.items():
            key = (*prefix, name)
            hint = kinds.fields(section).get(name)
            inner, named = kinds.table(hint), kinds.named_tables(hint)
            if hint is None:
                self._note(layer, key, unknown(key, section))
            elif not inner and not named:
                found[key] = (value, layer)
            elif not isinstance(value, Mapping):
                self._note(layer, key, not_a_table(key, value))
            elif inner:
                found |= self.leaves(inner, value, key, layer)
            elif named:
                found |= self._named(named, value, key, layer)
        return found

    def _named(self, section: type[Section], tree: Mapping[str, Any], prefix: Key, layer: Layer) -> Given:
        found: Given = {}
        for name, value in tree.items():
            key = (*prefix, name)
            if isinstance(value, Mapping):
                found[key] = ({}, layer)
                found |= self.leaves(section, value, key, layer)
            else:
                self._note(layer, key, not_a_table(key, value))
        return found

    def section(self, section: type[Section], prefix: Key, given: Given) -> Any:
        """The section made of what was given below ``prefix``; None when something in it is missing or wrong."""
        values: dict[str, Any] = {}
        before = len(self.problems)
        required = section.__struct_fields__[: len(section.__struct_fields__) - len(section.__struct_defaults__)]
        for name, hint in kinds.fields(section).items():
            key = (*prefix, name)
            if inner := kinds.table(hint):
                values[name] = self.section(inner, key, given)
            elif named := kinds.named_tables(hint):
                names = [held[-1] for held in given if held[:-1] == key]
                values[name] = {one: self.section(named, (*key, one), given) for one in names}
            elif key in given:
                values[name] = self._value(hint, key, *given[key])
            elif name in required:
                self._note(given[prefix][1], prefix, f"{dotted(key)} is missing; expected {kinds.expected(hint)}")
        return section(**values) if len(self.problems) == before else None

    def _value(self, hint: Any, key: Key, value: Any, layer: Layer) -> Any:
        listed = kinds.listed_tables(hint)
        if listed and isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            return tuple(self._element(listed, (*key, n), one, layer) for n, one in enumerate(value))
        try:
            converted = msgspec.convert(value, hint, dec_hook=lambda kind, raw: kind.parse(raw))
        except msgspec.ValidationError:
            wanted = f"[[{dotted(key)}]] tables" if listed else kinds.expected(hint)
            self._note(layer, key, f"{dotted(key)}: expected {wanted}, found {shown(value)}")
            return None
        return self._expand(converted, hint, layer)

    def _element(self, section: type[Section], key: Key, tree: Mapping[str, Any], layer: Layer) -> Any:
        given: Given = {key: ({}, layer)}
        return self.section(section, key, given | self.leaves(section, tree, key, layer))

    def _expand(self, value: Any, hint: Any, layer: Layer) -> Any:
        """Paths made absolute as seen from where they were written."""
        if kinds.is_path(hint):
            return str(absolute(value, layer.base, self.environ)) if value else value
        if isinstance(value, dict) and kinds.is_path(kinds.item(hint)):
            return {name: self._expand(path, kinds.item(hint), layer) for name, path in value.items()}
        return value

    def _note(self, layer: Layer, key: Key, sentence: str) -> None:
        self.problems.append(f"{layer.where(key)}: {sentence}")


def _listed(key: Key, value: Any) -> Iterator[Key]:
    """The keys of all that stands in a list of tables."""
    if isinstance(value, list):
        for position, one in enumerate(value):
            if isinstance(one, Mapping):
                yield (*key, position)
                yield from _nested((*key, position), one)


def _nested(key: Key, table: Mapping[str, Any]) -> Iterator[Key]:
    for name, value in table.items():
        yield (*key, name)
        if isinstance(value, Mapping):
            yield from _nested((*key, name), value)


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
