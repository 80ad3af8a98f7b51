"""Login sessions: a signed cookie that proves its holder once knew the token, and the list of those that ended.

The signature needs a secret of this daemon besides the token, so that a made-up cookie is no way to
guess a token; and it needs the token, so that a new token ends every session.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from pixsortd.durable import write_private
from pixsortd.records import Record

log = structlog.get_logger()

COOKIE = "pixsortd_session"
LIFETIME = 30 * 86400
"""Seconds a session lasts without being used."""
LONGEST = 180 * 86400
"""Seconds a session lasts at all; then the token is asked for again."""
RENEW = 86400
"""A used session gets a new cookie after this many seconds."""
MOST_ENDED = 4096
"""Logged-out sessions remembered until they would have run out anyway; with more, all sessions end."""

_DIGITS = 12


class _Kept(Record, frozen=True, kw_only=True):
    """What outlives a restart."""

    secret: bytes
    since: int = 0
    """Sessions begun before are over."""
    ended: Mapping[str, int] = {}
    """Logged-out sessions: when each would have run out at the latest."""


class _Claim(NamedTuple):
    """What a cookie says, believed once its proof fits."""

    name: str
    began: int
    expires: int
    proof: str


class Sessions:
    """Mints and checks cookie values. With a file, logging out and the secret survive a restart."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        kept = _read(file) if file is not None else None
        self._kept = kept or _Kept(secret=secrets.token_bytes(32))
        if kept is None:
            self._write()

    def begin(self, token: str, now: float) -> str:
        """The cookie value of a new session."""
        return self._sign(secrets.token_hex(16), int(now), int(now) + LIFETIME, token)

    def holds(self, value: str, token: str, now: float) -> bool:
        """Whether a cookie value is of a session that began with this token, has not run out and was not ended."""
        claim = _parse(value)
        if claim is None or not same(claim.proof, self._proof(claim, token)):
            return False
        kept = self._kept
        live = claim.began <= now + 60 and kept.since <= claim.began and now < claim.expires <= claim.began + LONGEST
        return live and claim.name not in kept.ended

    def renewed(self, value: str, token: str, now: float) -> str | None:
        """A later cookie value of a session that holds, when it is time for one."""
        claim = _parse(value)
        if claim is None:
            return None
        expires = min(int(now) + LIFETIME, claim.began + LONGEST)
        return self._sign(claim.name, claim.began, expires, token) if expires - claim.expires >= RENEW else None

    def end(self, value: str, token: str, now: float) -> None:
        """End the session of a cookie value, if it holds: every copy of the cookie is worthless from now on."""
        claim = _parse(value)
        if claim is None or not self.holds(value, token, now):
            return
        with self._lock:
            ended = {name: until for name, until in self._kept.ended.items() if until > now}
            ended[claim.name] = claim.began + LONGEST
            since = self._kept.since
            if len(ended) > MOST_ENDED:
                ended, since = {}, int(now) + 1
            self._kept = _Kept(secret=self._kept.secret, since=since, ended=ended)
            self._write()

    def _sign(self, name: str, began: int, expires: int, token: str) -> str:
        claim = _Claim(name, began, expires, "")
        return f"{name}.{began}.{expires}.{self._proof(claim, token)}"

    def _proof(self, claim: _Claim, token: str) -> str:
        key = hmac.digest(self._kept.secret, token.encode(), "sha256")
        return hmac.new(key, f"{claim.name}.{claim.began}.{claim.expires}".encode(), hashlib.sha256).hexdigest()

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._file, msgspec.json.encode(self._kept))
        except OSError as error:
            log.warning("sessions not written", path=str(self._file), error=str(error))


def _read(file: Path) -> _Kept | None:
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept if len(kept.secret) >= 32 else None


def _parse(value: str) -> _Claim | None:
    parts = value.split(".")
    if len(parts) != 4 or not value.isascii() or len(value) > 200:
        return None
    name, began, expires, proof = parts
    if not all(one.isdigit() and len(one) <= _DIGITS for one in (began, expires)):
        return None
    return _Claim(name, int(began), int(expires), proof)


def same(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def cookie_in(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The session cookie among raw request headers, or None."""
    for name, value in headers:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, content = part.strip().partition("=")
                if key == COOKIE:
                    return content
    return None


def set_cookie(value: str, seconds: int, *, path: str, secure: bool) -> str:
    """The ``Set-Cookie`` header of a session; with 0 seconds it takes the cookie back."""
    end = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path={path or '/'}; HttpOnly; SameSite=Strict{end}"
