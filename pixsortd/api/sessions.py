"""Login sessions without state: a cookie that proves its holder once knew the token."""

import hashlib
import hmac

COOKIE = "pixsortd_session"
LIFETIME = 30 * 86400
"""Seconds."""


def same(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _proof(token: str, expires: int) -> str:
    return hmac.new(token.encode(), b"pixsortd session %d" % expires, hashlib.sha256).hexdigest()


def mint(token: str, now: float) -> str:
    """A cookie value that is valid for `LIFETIME` seconds from ``now``."""
    expires = int(now) + LIFETIME
    return f"{expires}.{_proof(token, expires)}"


def valid(value: str, token: str, now: float) -> bool:
    """Whether a cookie value was minted with this token and has not run out."""
    expires, _, proof = value.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return False
    return same(proof, _proof(token, int(expires))) and now < int(expires) <= now + LIFETIME


def cookie_in(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The session cookie among raw request headers, or None."""
    for name, value in headers:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, content = part.strip().partition("=")
                if key == COOKIE:
                    return content
    return None
