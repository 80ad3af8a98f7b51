"""Where the configuration and the state are looked for; names only, nothing is opened but files asked for."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from pixsortd.config.tree import Settings

FILE_NAME = "pixsortd.toml"


def user_config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The file of this user, whether or not it exists (XDG base directories)."""
    return _xdg("XDG_CONFIG_HOME", ".config", environ) / "pixsortd" / FILE_NAME


def config_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file in force when none is named: systemd's, this user's, this machine's, or none at all."""
    given = [Path(part) / FILE_NAME for part in environ.get("CONFIGURATION_DIRECTORY", "").split(":") if part]
    for candidate in (*given, user_config_file(environ), Path("/etc/pixsortd") / FILE_NAME):
        if os.path.isfile(candidate):
            return candidate
    return None


def state_directory(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """``state_dir``, else systemd's ``$STATE_DIRECTORY``, else the XDG state directory; absolute."""
    if settings.state_dir:
        return absolute(settings.state_dir, Path.cwd(), environ)
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    return _xdg("XDG_STATE_HOME", ".local/state", environ) / "pixsortd"


def root_paths(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The photo directories in the order of the file; absolute, links not resolved, perhaps not there."""
    return tuple(absolute(root.path, Path.cwd(), environ) for root in settings.roots)


def absolute(path: str, base: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """``path`` with ``~`` expanded, seen from ``base``, without ``..`` and doubled slashes."""
    if path == "~" or path.startswith("~/"):
        path = str(_home(environ)) + path[1:]
    elif path.startswith("~"):
        path = os.path.expanduser(path)
    return Path(os.path.normpath(base / path))


def shipped(name: str) -> bytes:
    """A file that comes with the package: inside it when installed, beside it in a checkout."""
    inside = resources.files("pixsortd") / name
    return inside.read_bytes() if inside.is_file() else (Path(__file__).parents[2] / name).read_bytes()


def default_file() -> bytes:
    """The commented default configuration."""
    return shipped(FILE_NAME)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _xdg(variable: str, fallback: str, environ: Mapping[str, str]) -> Path:
    given = environ.get(variable, "")
    return Path(given) if given.startswith("/") else _home(environ) / fallback
