"""Who may come in past the perimeter: the token in force, the sessions it began, and the count of wrong tries."""

import math

import structlog
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from pixsortd.api import sessions
from pixsortd.api.attempts import Attempts
from pixsortd.api.perimeter import Facts, Perimeter, client_of, is_https, needs_token
from pixsortd.api.problems import Refusal
from pixsortd.api.sessions import Sessions

log = structlog.get_logger()


class Door:
    """Knows the token; it may change while the daemon runs."""

    def __init__(self, rules: Perimeter, token: str | None, kept: Sessions, attempts: Attempts | None = None) -> None:
        self.rules = rules
        self._token = token
        self._sessions = kept
        self._attempts = attempts or Attempts()

    @property
    def locked(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def change_token(self, token: str | None) -> None:
        """From now on this token counts, and every session of the one before is over."""
        self._token = token

    def judge(self, facts: Facts) -> Refusal | None:
        """The reason to turn a request away that the perimeter let through, or None.

        A wrong bearer token counts as a try, like a wrong login, and makes its address wait; then the
        right one has to wait too, or the answer would tell them apart. A session's cookie never waits:
        it cannot be guessed.
        """
        if self._token is None or not needs_token(facts.path) or self.cookie_holds(facts):
            return None
        given = _bearer(facts)
        return self.try_token(given, facts) if given else _needed()

    def try_token(self, given: str, facts: Facts) -> Refusal | None:
        """None when this is the token and its client need not wait; else the refusal. Counts the try."""
        client = client_of(facts, self.rules)
        wait = self._attempts.wait(client)
        if wait > 0:
            return _too_many(wait)
        if self._token is None or sessions.same(given, self._token):
            self._attempts.succeeded(client)
            return None
        again = self._attempts.failed(client, given)
        if again is not None:
            log.warning("wrong token", address=client, path=facts.path.decode("latin-1"), wait=round(again))
        return _wrong()

    def knows(self, facts: Facts) -> bool:
        """Whether the request shows what `judge` asks for; a wrong token counts here too."""
        if self._token is None or self.cookie_holds(facts):
            return True
        given = _bearer(facts)
        return bool(given) and self.try_token(given, facts) is None

    def cookie_holds(self, facts: Facts) -> bool:
        """Whether the request comes with the cookie of a session that lasts."""
        cookie = sessions.cookie_in(facts.headers)
        return cookie is not None and self._token is not None and self._sessions.holds(cookie, self._token, facts.now)

    # --- sessions: each answers with the Set-Cookie header to send ----------------------------------

    def begin_session(self, facts: Facts) -> str:
        """Begin a session for a client that showed the token."""
        assert self._token is not None
        return self._cookie(self._sessions.begin(self._token, facts.now), sessions.LIFETIME, facts)

    def renew_session(self, facts: Facts) -> str | None:
        """A later cookie for a session that is in use, when it is time for one."""
        cookie = sessions.cookie_in(facts.headers)
        if cookie is None or self._token is None or not self.cookie_holds(facts):
            return None
        value = self._sessions.renewed(cookie, self._token, facts.now)
        return self._cookie(value, sessions.LIFETIME, facts) if value else None

    def end_session(self, facts: Facts) -> str:
        """End the session of the request, if it has one."""
        cookie = sessions.cookie_in(facts.headers)
        if cookie is not None and self._token is not None:
            self._sessions.end(cookie, self._token, facts.now)
        return self._cookie("", 0, facts)

    def _cookie(self, value: str, seconds: int, facts: Facts) -> str:
        path, secure = self.rules.base_path, is_https(facts, self.rules)
        return sessions.set_cookie(value, seconds, path=path, secure=secure)


Entrance = NamedDependency[SkipValidation[Door]]


def _bearer(facts: Facts) -> str:
    """The token in the Authorization header; empty without one, for another scheme or several headers."""
    given = [value.decode("latin-1") for name, value in facts.headers if name == b"authorization"]
    scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return secret.strip() if scheme.lower() == "bearer" else ""


_CHALLENGE = (("www-authenticate", 'Bearer realm="pixsortd"'),)


def _needed() -> Refusal:
    return Refusal(
        401,
        "token-needed",
        "This address needs the daemon's token.",
        next_step="Send it as 'Authorization: Bearer TOKEN', or log in on the page. `pixsortd token` shows it.",
        headers=_CHALLENGE,
    )


def _wrong() -> Refusal:
    return Refusal(
        401,
        "wrong-token",
        "That is not this daemon's token.",
        next_step="`pixsortd token` on its machine shows it.",
        headers=_CHALLENGE,
    )


def _too_many(wait: float) -> Refusal:
    seconds = max(1, math.ceil(wait))
    return Refusal(
        429,
        "too-many-tries",
        f"Too many wrong tokens; wait {seconds} seconds.",
        next_step="Nothing is lost: after the wait the right token works.",
        headers=(("retry-after", str(seconds)),),
    )
