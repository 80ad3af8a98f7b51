"""The rules in the settings file: written back with its comments, whole or not at all, the old file kept once."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pixsortd.config import Loaded, SortRule, load, plain
from pixsortd.config.rewrite import tables_text, with_tables
from pixsortd.durable import sync_path
from pixsortd.errors import ConfigError, RulesNotWritten, explain_os_error

KEY = ("sort", "rules")
BEFORE = ".before-edit"
"""Behind the name of the copy of what was there before."""

_DEFAULTS = {name: value for name, value in plain(SortRule(name="-")).items() if name != "name"}


def can_be_written(loaded: Loaded) -> bool:
    """Whether rules can be written, as far as can be told without trying."""
    if loaded.file is None or _from_elsewhere(loaded):
        return False
    file = Path(os.path.realpath(loaded.file))
    return file.is_file() and os.access(file.parent, os.W_OK | os.X_OK)


def write(loaded: Loaded, rules: Sequence[SortRule]) -> None:
    """Put these rules into the file in place of those that were loaded; durable when this returns.

    Raises ``RulesNotWritten``, with the file as it was: it cannot be written, or its rules are not the loaded ones.
    """
    tables = [plain(rule) for rule in rules]
    try:
        _write(loaded, rules, tables)
    except OSError as error:
        what, advice = explain_os_error(error)
        raise _refusal(loaded, tables, f"the settings file cannot be written: {what}", advice) from error
    except ValueError as error:
        raise _refusal(loaded, tables, f"the settings file cannot be changed: {error}", "") from error
    except ConfigError as error:
        raise _refusal(loaded, tables, f"the settings file is not right as it is now: {error}", "") from error


def _write(loaded: Loaded, rules: Sequence[SortRule], tables: Sequence[dict[str, object]]) -> None:
    if loaded.file is None:
        raise _refusal(loaded, tables, "the daemon runs without a settings file", "`pixsortd init` makes one.")
    if _from_elsewhere(loaded):
        raise _refusal(loaded, tables, f"the rules come from the {loaded.origins['sort.rules']}", "Change them there.")
    if loaded.again().settings.sort.rules != loaded.settings.sort.rules:
        raise _refusal(
            loaded,
            tables,
            "the rules in the settings file are others than those in use",
            "Somebody has edited it: have it read again (`systemctl reload pixsortd`, or SIGHUP), then look again.",
        )
    file = Path(os.path.realpath(loaded.file))
    old = file.read_bytes()
    text = old.decode("utf-8-sig")
    new = old[: len(old) - len(text.encode())] + with_tables(text, KEY, tables, _DEFAULTS).encode()
    if new == old:
        return
    like, fresh, copy = file.stat(), _temporary(file, "new"), _temporary(file, "old")
    try:
        _put(fresh, new, like)
        if load(fresh, overrides=loaded.overrides).settings.sort.rules != tuple(rules):
            raise ValueError("the rules would not be read as they were written")
        _put(copy, old, like)
        os.replace(copy, file.with_name(file.name + BEFORE))
        os.replace(fresh, file)
        sync_path(file.parent)
    finally:
        for left in (fresh, copy):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _put(path: Path, data: bytes, like: os.stat_result) -> None:
    """A file of our own with the mode of another, and its owner where that is allowed; durable."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with suppress(PermissionError):
            os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, like.st_mode & 0o777)
        file.write(data)
        file.flush()
        os.fsync(handle)


def _temporary(file: Path, what: str) -> Path:
    return file.with_name(f".{file.name}.pixsortd-{what}")


def _from_elsewhere(loaded: Loaded) -> bool:
    """Whether the environment or the command line says what the rules are, so that the file does not count."""
    origin = loaded.origins.get("sort.rules", "default")
    return origin != "default" and not origin.startswith(f"{loaded.file}")


def _refusal(loaded: Loaded, tables: Sequence[dict[str, object]], message: str, next_step: str) -> RulesNotWritten:
    path = str(loaded.file) if loaded.file is not None else None
    put = "Put the rules into it by hand." if path else "Put the rules into one."
    toml = tables_text(KEY, tables, _DEFAULTS)
    return RulesNotWritten(message, toml=toml, path=path, next_step=f"{next_step} {put}".strip())
