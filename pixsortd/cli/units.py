"""systemd units for this installation: the shipped text with its own path, and a drop-in that opens its directories."""

import os
import pwd
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pixsortd.config import Settings, shipped
from pixsortd.records import Role

EXECUTABLE = "/opt/pixsortd/bin/pixsortd"
"""The path that the shipped units name."""

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1|\[::1\]")


class Units(NamedTuple):
    """Where a service's files go and how it is called."""

    directory: Path
    unit: str
    """File name of the unit."""
    instance: str
    """What ``systemctl`` is told."""
    scope: str
    """Option of ``systemctl``: empty for the machine's services."""


def for_user(home: Path) -> Units:
    """A service of the person who asks."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return Units(base / "systemd/user", "pixsortd.service", "pixsortd", "--user ")


def for_machine(user: str) -> Units:
    """A service of the machine that runs as ``user``."""
    return Units(Path("/etc/systemd/system"), "pixsortd@.service", f"pixsortd@{user}", "")


def owner(paths: Iterable[str]) -> str:
    """Whose photos they are: the user who called sudo, else the owner of the first directory that is there.

    Raises LookupError when nobody can be found.
    """
    if os.environ.get("SUDO_USER"):
        return os.environ["SUDO_USER"]
    for path in paths:
        if os.path.isdir(path):
            return pwd.getpwuid(os.stat(path).st_uid).pw_name
    raise LookupError("none of the directories is there to tell whose they are")


def program() -> str:
    """Absolute path of this installation's ``pixsortd``."""
    return str(Path(sys.executable).with_name("pixsortd"))


def unit_text(name: str, executable: str) -> str:
    """A shipped unit that starts ``executable``."""
    return shipped(f"systemd/{name}").decode().replace(EXECUTABLE, quoted(executable))


def drop_in(settings: Settings, executable: str, config: Path) -> str:
    """The lines that only this configuration can know."""
    return "\n".join(
        (
            "# Written by `pixsortd init --systemd`; do it again when the roots change.",
            *_lines(settings, executable, config),
            "",
        )
    )


def _lines(settings: Settings, executable: str, config: Path) -> Iterator[str]:
    yield "[Service]"
    yield "ExecStart="
    yield f"ExecStart={quoted(executable)} --config {quoted(str(config))} run"
    # A leading minus: an absent disk is waited for by the daemon, and is no reason for systemd not to start it.
    for root in settings.roots:
        writable = root.writable or root.role is not Role.LIBRARY
        yield f"{'ReadWritePaths' if writable else 'ReadOnlyPaths'}={quoted('-' + root.path)}"
    if settings.state_dir:
        yield f"ReadWritePaths={quoted('-' + settings.state_dir)}"
    if not _LOOPBACK.fullmatch(settings.api.host.lower()):
        yield "IPAddressDeny="
        yield "IPAddressAllow=any"


def quoted(text: str) -> str:
    """A path as systemd reads it in a list: specifiers doubled, in double quotes where it must be."""
    escaped = text.replace("%", "%%")
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./~-]+", escaped):
        return escaped
    body = escaped.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{body}"'
