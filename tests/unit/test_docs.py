"""What the documents say is tried out."""

import re
import shlex
from pathlib import Path

import click
import pytest

from pixsortd.cli import main
from pixsortd.config import load

HERE = Path(__file__).resolve().parents[2]
README = (HERE / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(
    {
        line.partition("#")[0].strip()
        for language, block in BLOCKS
        for line in block.splitlines()
        if language == "sh" and line.startswith("pixsortd ")
    }
    | {found for found in re.findall(r"`(pixsortd [^`]+)`", README) if "--help" not in found}
)


def test_the_two_commands_come_first() -> None:
    first = [block.strip() for language, block in BLOCKS if language == "sh"][:2]
    assert first == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/pixsortd run ~/Pictures",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ]


@pytest.mark.parametrize("text", COMMANDS)
def test_every_command_line_is_understood(text: str) -> None:
    words = shlex.split(text)[1:]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words:
        name, found, words = command.resolve_command(context, words)
        assert found is not None, text
        command, context = found, click.Context(found, parent=context, info_name=name)
    if not isinstance(command, click.Group):
        command.make_context(command.name, [one for one in words if one != "..."], parent=context)


def test_every_configuration_example_loads(tmp_path: Path) -> None:
    examples = [block for language, block in BLOCKS if language == "toml"]
    assert examples
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        load(file, {"HOME": str(tmp_path)})


def test_every_named_setting_exists() -> None:
    from pixsortd.config.kinds import known_keys

    keys = set(known_keys())
    sections = "|".join({key.split(".")[0] for key in keys if "." in key and "[" not in key})
    named = set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", README))
    assert named
    assert named <= keys


def test_the_changelog_names_every_command() -> None:
    text = (HERE / "CHANGELOG.md").read_text()
    missing = [name for name in main.commands if f"`{name}`" not in text]
    assert missing == []
