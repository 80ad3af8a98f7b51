"""Who may talk to the daemon: one pure function from a request's facts to a refusal or None.

The threats are a web page in the user's own browser (DNS rebinding, cross-site requests, forms) and
other machines on the network. Hence: a Host allow-list computed from the bind address, no foreign
or ``null`` Origin, no cross-site fetches, JSON-only writes, and a token whenever one is set.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import NamedTuple

from pixsortd.api import sessions
from pixsortd.api.problems import Refusal
from pixsortd.config import ApiSettings
from pixsortd.records import Record

MAX_BODY = 1_000_000
MAX_PATH = 1024

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_AUTHORITY = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_NUMBER = re.compile(r"[0-9]{1,20}")
_DEFAULT_PORT = {"http": 80, "https": 443}
_PLAIN_PATH = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%-]+/)*[A-Za-z0-9._~!$&'()*+,;=:@%-]*")
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+|%")
_NEVER_ESCAPED = frozenset("/\\%-._~")
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_API = ("/api", "/schema", "/metrics", "/health")
_OPEN = frozenset({"/health/live", "/api/health/live", "/api/session"})


class Perimeter(Record, frozen=True, kw_only=True):
    """What is allowed in."""

    port: int
    """Of the bind; 0 when the system chose it, then the connection's own is used."""
    names: frozenset[str]
    """Host names of this machine, lower case, valid with our own port."""
    extra: frozenset[str]
    """Configured ``name`` or ``name:port`` entries, lower case."""
    token: str | None

    @classmethod
    def of(cls, settings: ApiSettings, token: str | None) -> "Perimeter":
        """The perimeter of a bind address."""
        host = settings.host.lower()
        names = set() if host in _WILDCARDS else {f"[{host}]" if ":" in host else host}
        if not is_loopback(host):
            machine = socket.gethostname().lower()
            names |= {machine, machine.split(".")[0], machine.split(".")[0] + ".local"}
        return cls(
            port=settings.port,
            names=frozenset(names),
            extra=frozenset(one.strip().lower() for one in settings.allowed_hosts),
            token=token,
        )


class Facts(NamedTuple):
    """All of a request that the decision looks at."""

    method: str
    path: bytes
    """Raw, as sent, without the query."""
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    server: tuple[str, int]
    """Local address of the connection."""
    now: float


def is_loopback(host: str) -> bool:
    """Whether a bind host can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _values(facts: Facts, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in facts.headers if key == name]


def _literal(address: str) -> str:
    """An address as it appears in a URL: brackets for IPv6, plain IPv4 for a mapped one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.lower()
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if mapped is not None:
        return str(mapped)
    return f"[{parsed}]" if isinstance(parsed, ipaddress.IPv6Address) else str(parsed)


def _split(authority: str, scheme: str = "http") -> tuple[str, int] | None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    name, port = match[1].lower(), int(match[2]) if match[2] else _DEFAULT_PORT[scheme]
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            return None
    return (name, port) if 0 < port < 65536 else None


def is_ours(name: str, port: int, server: tuple[str, int], rules: Perimeter) -> bool:
    """Whether ``name:port`` is an address of this daemon, as seen by a connection that arrived at ``server``."""
    if f"{name}:{port}" in rules.extra:
        return True
    own_port = rules.port or server[1]
    if name in rules.extra:
        return port in (80, 443, own_port)
    if port != own_port:
        return False
    here = _literal(server[0])
    return name == here or name in rules.names or (name in LOOPBACK_NAMES and is_loopback(here))


def _honest(escapes: bytes) -> bool:
    """Whether percent escapes stand for visible text that had to be escaped, such as the space in a group's label."""
    try:
        text = bytes.fromhex(escapes.decode().replace("%", "")).decode()
    except ValueError:
        return False
    plain = any(one in _NEVER_ESCAPED or (one.isascii() and one.isalnum()) for one in text)
    return bool(text) and text.isprintable() and not plain


def _check_path(facts: Facts, _: Perimeter) -> Refusal | None:
    if len(facts.path) > MAX_PATH:
        return Refusal(414, "path-too-long", "The address is longer than any that exists here.")
    if not _PLAIN_PATH.fullmatch(facts.path) or any(part in (b".", b"..") for part in facts.path.split(b"/")):
        return Refusal(400, "malformed-path", "The address has odd characters, dot segments or empty segments.")
    if not all(_honest(one) for one in _ESCAPES.findall(facts.path)):
        return Refusal(400, "malformed-path", "The address has percent escapes that stand for no visible text.")
    return None


def _check_host(facts: Facts, rules: Perimeter) -> Refusal | None:
    hosts = _values(facts, b"host")
    if len(hosts) != 1:
        return Refusal(400, "malformed-host", "A request needs exactly one Host header.")
    split = _split(hosts[0])
    if split is None:
        return Refusal(400, "malformed-host", "The Host header is not a name and port.")
    if not is_ours(*split, facts.server, rules):
        return Refusal(
            421,
            "foreign-host",
            "This daemon does not answer to that Host name.",
            next_step="Add it to allowed_hosts in the [api] section if it is yours.",
        )
    return None


def _check_origin(facts: Facts, rules: Perimeter) -> Refusal | None:
    origins = _values(facts, b"origin")
    if not origins:
        return None
    match = _ORIGIN.fullmatch(origins[0]) if len(origins) == 1 else None
    split = _split(match[2], match[1]) if match else None
    if split is None or not is_ours(*split, facts.server, rules):
        return Refusal(
            403,
            "foreign-origin",
            "Requests from other sites are refused.",
            next_step="Add the site's host to allowed_hosts in the [api] section if it is yours.",
        )
    return None


def is_api(path: str) -> bool:
    """Whether a path belongs to the API rather than to the page."""
    return any(path == one or path.startswith(one + "/") for one in _API)


def _check_fetch_site(facts: Facts, _: Perimeter) -> Refusal | None:
    sites = _values(facts, b"sec-fetch-site")
    if all(site in ("same-origin", "none") for site in sites):
        return None
    top_level = _values(facts, b"sec-fetch-mode") == ["navigate"] and _values(facts, b"sec-fetch-dest") == ["document"]
    if top_level and facts.method == "GET" and not is_api(facts.path.decode("latin-1")):
        return None
    return Refusal(403, "cross-site", "Another site's page may link to this one, but not fetch from it.")


def too_large() -> Refusal:
    """The refusal of a body past `MAX_BODY`, whether announced or found out while reading."""
    return Refusal(413, "body-too-large", f"A request body may have at most {MAX_BODY} bytes.")


def _check_body(facts: Facts, _: Perimeter) -> Refusal | None:
    if facts.method not in _WRITES:
        return None
    lengths, types = _values(facts, b"content-length"), _values(facts, b"content-type")
    if len(lengths) > 1 or any(not _NUMBER.fullmatch(one) for one in lengths):
        return Refusal(400, "malformed-length", "The Content-Length header is not one number.")
    length = int(lengths[0]) if lengths else 0
    if length > MAX_BODY:
        return too_large()
    if not length and not types and not _values(facts, b"transfer-encoding"):
        return None
    kinds = [one.partition(";")[0].strip().lower() for one in types]
    if kinds != ["application/json"] or _values(facts, b"content-encoding") not in ([], ["identity"]):
        return Refusal(
            415, "not-json", "A request body must be plain application/json.", headers=(("accept", "application/json"),)
        )
    return None


def has_token(headers: list[tuple[bytes, bytes]], token: str, now: float) -> bool:
    """Whether the request shows the token, as a bearer or by a session cookie."""
    given = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
    if len(given) == 1:
        scheme, _, secret = given[0].partition(" ")
        return scheme.lower() == "bearer" and sessions.same(secret.strip(), token)
    cookie = sessions.cookie_in(headers)
    return not given and cookie is not None and sessions.valid(cookie, token, now)


def _check_token(facts: Facts, rules: Perimeter) -> Refusal | None:
    path = facts.path.decode("latin-1").rstrip("/")
    if rules.token is None or path in _OPEN or not is_api(path) or has_token(facts.headers, rules.token, facts.now):
        return None
    return Refusal(
        401,
        "token-needed",
        "This address needs the daemon's token.",
        next_step="Send it as 'Authorization: Bearer TOKEN', or log in on the page.",
        headers=(("www-authenticate", 'Bearer realm="pixsortd"'),),
    )


_CHECKS: tuple[Callable[[Facts, Perimeter], Refusal | None], ...] = (
    _check_path,
    _check_host,
    _check_origin,
    _check_fetch_site,
    _check_body,
    _check_token,
)


def judge(facts: Facts, rules: Perimeter) -> Refusal | None:
    """The first reason to turn the request away, or None."""
    for check in _CHECKS:
        refusal = check(facts, rules)
        if refusal is not None:
            return refusal
    return None
