"""The bearer token: where it lies, how it is read, made and replaced."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from pixsortd.api.perimeter import is_loopback
from pixsortd.config import ApiSettings
from pixsortd.errors import ConfigError, explain_os_error

log = structlog.get_logger()

SHORTEST = 16
"""Characters; a made one has 43."""


class TokenPlace(NamedTuple):
    """The file a token is in, and whether it is ours to write."""

    path: Path
    made_here: bool = False
    """Made when it is missing: no setting names this file."""
    given: bool = False
    """A systemd credential: replaced at its source, never here."""


def token_place(settings: ApiSettings, state_dir: Path, environ: Mapping[str, str]) -> TokenPlace | None:
    """``token_file``, else systemd's credential ``token``, else the state directory where a token is needed, else None.

    Needed it is off loopback, and with ``require_token`` everywhere.
    """
    if settings.token_file:
        return TokenPlace(Path(settings.token_file).expanduser())
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if credentials and Path(credentials, "token").is_file():
        return TokenPlace(Path(credentials, "token"), given=True)
    if settings.require_token or not is_loopback(settings.host):
        return TokenPlace(state_dir / "token", made_here=True)
    return None


def token_in_force(place: TokenPlace | None) -> str | None:
    """The token at its place, made first where that is ours to do; None without a place.

    Raises ``ConfigError`` for a file that cannot be read or written, or is too short to be a token.
    """
    if place is None:
        return None
    if place.made_here and not place.path.exists():
        replace_token(place)
        log.warning("a token was made, which every client needs", path=str(place.path), show="pixsortd token")
    try:
        token = place.path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        what, advice = explain_os_error(error) if isinstance(error, OSError) else ("it is no text", "Write one line.")
        raise ConfigError(f"the token file cannot be read: {what}", path=str(place.path), next_step=advice) from error
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise ConfigError(
            f"a token is one line of at least {SHORTEST} ASCII characters",
            path=str(place.path),
            next_step="Write a long random text into it, or let `pixsortd token --new` do it.",
        )
    return token


def replace_token(place: TokenPlace) -> str:
    """Put a new token in place, atomically and for this user only; the token. Raises ``ConfigError``."""
    if place.given:
        raise ConfigError(
            "this token is a systemd credential, which only its source can replace",
            path=str(place.path),
            next_step="Write a new one where LoadCredential= takes it from, then restart the service.",
        )
    token = secrets.token_urlsafe(32)
    target = Path(os.path.realpath(place.path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(fd, "w") as file:
                _give_to_owner(fd, target)
                file.write(token + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        what, advice = explain_os_error(error)
        raise ConfigError(f"the token cannot be written: {what}", path=str(target), next_step=advice) from error
    return token


def _give_to_owner(fd: int, target: Path) -> None:
    """Root may replace the token of a daemon that runs as another user, who must be able to read it."""
    old = os.stat(target if target.exists() else target.parent)
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() in (0, old.st_uid):
        os.fchown(fd, old.st_uid, old.st_gid)
