"""What a template can do with a value."""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pixsortd.sorting.rules.words import Wrong, unknown

Argument = str | int | None
Does = Callable[[str | None], str | None]

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 255


class Filter(NamedTuple):
    """One filter."""

    words: str
    example: str
    """As it is written behind a field."""
    made: Callable[[Argument], Does]
    """Takes the argument; raises ``Wrong`` where it is none for this filter."""


def made(name: str, argument: Argument) -> Does:
    """The filter of that name; raises ``Wrong`` where there is none."""
    if name not in FILTERS:
        raise unknown("filter", name, FILTERS)
    return FILTERS[name].made(argument)


def cleaned(value: str, *, slashes: bool = False) -> str:
    """A value that can be part of a name: no control characters, and unless ``slashes`` no separator."""
    text = unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode())
    return "".join(
        "_" if unicodedata.category(sign) in ("Cc", "Zl", "Zp") or (sign == "/" and not slashes) else sign
        for sign in text
    )


def _safe(value: str) -> str:
    text = " ".join(_UNSAFE.sub("_", value).split()).rstrip(". ")
    return f"_{text}" if _RESERVED.fullmatch(text) else text


def _slug(value: str) -> str:
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", value) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", "-", bare.casefold()).strip("-")


def _plain(name: str, change: Callable[[str], str]) -> Callable[[Argument], Does]:
    def take(argument: Argument) -> Does:
        if argument is not None:
            raise Wrong(f'the filter "{name}" takes no argument')
        return lambda value: (change(value) or None) if value is not None else None

    return take


def _counted(name: str, change: Callable[[str, int], str]) -> Callable[[Argument], Does]:
    def take(argument: Argument) -> Does:
        if not isinstance(argument, int) or not 1 <= argument <= _LONGEST:
            raise Wrong(f'the filter "{name}" takes a whole number from 1 to {_LONGEST}', f"Write {name}(4).")
        return lambda value: (change(value, argument) or None) if value is not None else None

    return take


def _default(argument: Argument) -> Does:
    if argument is None:
        raise Wrong('the filter "default" takes the text to write', "Write default('unknown').")
    text = str(argument)
    if cleaned(text) != unicodedata.normalize("NFC", text) or text in (".", ".."):
        raise Wrong(f'"{text}" cannot be part of a name', "A default is part of one name, without a slash.")
    return lambda value: value if value is not None else text


FILTERS: Mapping[str, Filter] = {
    "safe": Filter("takes out what Windows and network shares refuse in names", "safe", _plain("safe", _safe)),
    "lower": Filter("small letters", "lower", _plain("lower", str.lower)),
    "upper": Filter("capital letters", "upper", _plain("upper", str.upper)),
    "title": Filter("Capital First Letters", "title", _plain("title", string.capwords)),
    "slug": Filter("small letters, digits and hyphens, without accents", "slug", _plain("slug", _slug)),
    "truncate": Filter(
        "at most so many characters", "truncate(40)", _counted("truncate", lambda text, most: text[:most].rstrip())
    ),
    "default": Filter("what to write where there is no value", "default('unknown')", _default),
    "pad": Filter("zeros in front, up to so many characters", "pad(4)", _counted("pad", str.zfill)),
}
"""By the name in a template."""
