"""The places a value can come from: the file, the environment, the command line."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pixsortd.config import kinds
from pixsortd.config.lines import Key, key_lines, nearest_line
from pixsortd.config.tree import Section, Settings
from pixsortd.config.words import dotted, unknown
from pixsortd.errors import ConfigError

PREFIX = "PIXSORTD_"
TEST_PREFIX = "PIXSORTD_TEST_"


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of values: a nested table, what its paths are relative to, and how to point at a key."""

    tree: Mapping[str, Any]
    base: Path
    where: Callable[[Key], str]


def file_layer(file: Path) -> Layer:
    try:
        text = file.read_text(encoding="utf-8-sig")
        tree = tomllib.loads(text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"The configuration file cannot be read ({reason})", path=str(file)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{file}:{line}: not UTF-8 text", next_step="Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        message, line = _syntax(str(error), text)
        raise ConfigError(f"{file}:{line}: {message}", next_step="See https://toml.io for the notation.") from error
    lines = key_lines(text)

    def where(key: Key) -> str:
        line = nearest_line(lines, key)
        return f"{file}:{line}" if line else str(file)

    return Layer(tree, file.absolute().parent, where)


def _syntax(message: str, text: str) -> tuple[str, int]:
    """The parser's complaint without its place, and the line it means."""
    match = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", message)
    line = int(match[1]) if match and match[1] else max(1, len(text.splitlines()))
    return f"not valid TOML: {message[: match.start()] if match else message}", line


def environment_layer(environ: Mapping[str, str], problems: list[str]) -> Layer:
    tree: dict[str, Any] = {}
    names: dict[Key, str] = {}

    def where(key: Key) -> str:
        holders = [name for held, name in names.items() if key[: len(held)] == held or held[: len(key)] == key]
        return f"environment {holders[0]}"

    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX):
            continue
        key: Key = tuple(name.removeprefix(PREFIX).lower().split("__"))
        hint = _hint(key)
        if hint is not None:
            names[key] = name
            _put(tree, key, _read(environ[name], hint))
        elif _is_table(key):
            problems.append(f"environment {name}: {dotted(key)} is a table; set {name}__KEY for one of its keys")
        elif len(key) > 1 or get_close_matches(str(key[0]), kinds.fields(Settings), cutoff=0.8):
            problems.append(f"environment {name}: {unknown(key, Settings)}")
    return Layer(tree, Path.cwd(), where)


def override_layer(overrides: Mapping[str, object], problems: list[str]) -> Layer:
    tree: dict[str, Any] = {}
    for name, value in overrides.items():
        key: Key = tuple(name.split("."))
        hint = _hint(key)
        if hint is None:
            what = f"{name} is a table" if _is_table(key) else unknown(key, Settings)
            problems.append(f"command line: {what}")
        else:
            _put(tree, key, _read(value, hint) if isinstance(value, str) else value)
    return Layer(tree, Path.cwd(), lambda _key: "command line")


def _hint(key: Key) -> Any:
    """The type of the value at ``key``, or None where there is no such value."""
    section: type[Section] | None = Settings
    parts = list(key)
    hint: Any = None
    while parts:
        if section is None:
            return None
        hint = kinds.fields(section).get(str(parts.pop(0)))
        if (named := kinds.named_tables(hint)) and parts:
            section = named
            parts.pop(0)
            hint = named
        else:
            section = kinds.table(hint)
    return None if kinds.table(hint) or kinds.named_tables(hint) else hint


def _is_table(key: Key) -> bool:
    hint = kinds.fields(Settings).get(str(key[0]))
    return len(key) == 1 and bool(kinds.table(hint) or kinds.named_tables(hint))


def _read(text: str, hint: Any) -> Any:
    """A value written outside of TOML: texts as they are, everything else as a TOML value."""
    if kinds.is_text(hint):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(tree: dict[str, Any], key: Key, value: Any) -> None:
    for part in key[:-1]:
        tree = tree.setdefault(str(part), {})
    tree[str(key[-1])] = value
