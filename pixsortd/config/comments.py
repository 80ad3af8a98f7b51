"""The sentence that the shipped ``pixsortd.toml`` says about each setting, so that it is said once."""

import re

from pixsortd.config.lines import Key, key_lines
from pixsortd.config.paths import default_file

_SAID = re.compile(r"""^(?:[^#"']|"[^"]*"|'[^']*')*#\s*(.+)$""")
_EXAMPLE = re.compile(r"^# (\[|\w+ = )")
_ELEMENT: dict[Key, str] = {("roots",): "roots[]", ("spaces",): "spaces.NAME", ("sort", "rules"): "sort.rules[]"}
"""What stands in the keys of settings for the tables there is any number of; their names or positions follow."""


def with_examples(text: str) -> str:
    """The shipped file with its commented example tables turned into real ones."""
    return "\n".join(line.removeprefix("# ") if _EXAMPLE.match(line) else line for line in text.splitlines())


def comments() -> dict[str, str]:
    """By dotted key as in ``kinds.known_keys``: the comment on the line of that key."""
    text = with_examples(default_file().decode())
    lines = text.splitlines()
    said: dict[str, str] = {}
    for key, number in key_lines(text).items():
        line = lines[number - 1]
        if (match := _SAID.match(line)) and not line.startswith("["):
            many = next((front for front in _ELEMENT if key[: len(front)] == front), ())
            rest = key[len(many) + 1 :] if many else key
            said[".".join([*([_ELEMENT[many]] if many else []), *map(str, rest)])] = match[1].strip()
    return said
