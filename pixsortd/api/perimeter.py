"""Who may talk to the daemon: one pure function from a request's facts to a refusal or None.

The threats are a web page in the user's own browser (DNS rebinding, cross-site requests, forms) and
other machines on the network. Hence: a Host allow-list computed from the bind address, no foreign
or ``null`` Origin, no cross-site fetches, and writes that no form can send. The token is `door`'s.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import NamedTuple

from pixsortd.api.bodies import rule_for
from pixsortd.api.problems import Refusal
from pixsortd.config import ApiSettings
from pixsortd.records import Record

MAX_PATH = 1024
MAX_HEAD = 32 * 1024
"""Bytes of a request's header lines."""
_LINE = len(b": \r\n")

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_AUTHORITY = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_NUMBER = re.compile(r"[0-9]{1,20}")
_DEFAULT_PORT = {"http": 80, "https": 443}
_PLAIN_PATH = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%-]+/)*[A-Za-z0-9._~!$&'()*+,;=:@%-]*")
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+|%")
_NEVER_ESCAPED = frozenset("/\\%-._~")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
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
    base_path: str = ""
    """What a reverse proxy puts before every path, ``/photos``; without a slash at its end."""

    @classmethod
    def of(cls, settings: ApiSettings) -> "Perimeter":
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
            base_path=settings.base_path,
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
    client: str = ""
    """Address at the other end of the connection."""
    outside: bool = False
    """The path is not below the base path."""


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


def _check_head(facts: Facts, _: Perimeter) -> Refusal | None:
    # The parser's own limit holds for a head that is still incomplete: one that arrives whole passes it.
    if sum(len(name) + len(value) + _LINE for name, value in facts.headers) > MAX_HEAD:
        return Refusal(431, "head-too-large", "The request's headers are larger than any that mean something here.")
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


_BROWSER = (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"referer", b"cookie")


def _check_written_by_hand(facts: Facts, _: Perimeter) -> Refusal | None:
    """A browser says where a write comes from; one that looks like a browser's and does not is a forgery."""
    if facts.method in _READS or _values(facts, b"origin"):
        return None
    if any(_values(facts, name) for name in _BROWSER):
        return Refusal(
            403, "no-origin", "A write from a browser needs its Origin.", next_step="Send no cookie: use the token."
        )
    return None


def _check_framing(facts: Facts, _: Perimeter) -> Refusal | None:
    """Shapes in which two servers could see two different requests, and protocols we do not speak."""
    if _values(facts, b"content-length") and _values(facts, b"transfer-encoding"):
        return Refusal(400, "malformed-length", "A request has a length or is chunked, not both.")
    if any(one.strip() for one in _values(facts, b"upgrade")):
        return Refusal(400, "no-upgrade", "This daemon speaks HTTP/1.1 and nothing else.")
    return None


def _check_body(facts: Facts, _: Perimeter) -> Refusal | None:
    if facts.method not in WRITES:
        return None
    lengths, types = _values(facts, b"content-length"), _values(facts, b"content-type")
    if len(lengths) > 1 or any(not _NUMBER.fullmatch(one) for one in lengths):
        return Refusal(400, "malformed-length", "The Content-Length header is not one number.")
    length = int(lengths[0]) if lengths else 0
    rule = rule_for(facts.method, facts.path)
    if rule.max_bytes is not None and length > rule.max_bytes:
        return rule.too_large()
    if not length and not types and not _values(facts, b"transfer-encoding"):
        return None
    kinds = [one.partition(";")[0].strip().lower() for one in types]
    if kinds != [rule.kind] or _values(facts, b"content-encoding") not in ([], ["identity"]):
        return rule.wrong_kind()
    return None


def _check_base(facts: Facts, rules: Perimeter) -> Refusal | None:
    if not facts.outside:
        return None
    return Refusal(404, "outside", "There is nothing at this address.", next_step=f"Look below {rules.base_path}/.")


def needs_token(path: bytes) -> bool:
    """Whether a path is closed to those who show no token where there is one.

    Open are the page's own files, the question whether the process lives and the login; all else is
    closed: ``/metrics``, ``/schema`` and ``/health/ready`` tell about photos and machine.
    """
    text = path.decode("latin-1").rstrip("/")
    return text not in _OPEN and is_api(text)


def from_proxy(facts: Facts, rules: Perimeter) -> bool:
    """Whether to believe the headers by which a reverse proxy tells about its client.

    Only for a Host of the configuration's ``allowed_hosts``, and a proxy on this machine or network.
    """
    hosts = _values(facts, b"host")
    split = _split(hosts[0]) if len(hosts) == 1 else None
    if split is None or not ({split[0], f"{split[0]}:{split[1]}"} & rules.extra):
        return False
    try:
        return ipaddress.ip_address(facts.client.partition("%")[0]).is_private
    except ValueError:
        return False


def client_of(facts: Facts, rules: Perimeter) -> str:
    """The client's address: the one that a believed proxy saw, else that of the connection."""
    if from_proxy(facts, rules):
        seen = ",".join(_values(facts, b"x-forwarded-for")).rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(seen))
        except ValueError:
            pass
    return facts.client


def is_https(facts: Facts, rules: Perimeter) -> bool:
    """Whether the client's connection is encrypted, as a believed proxy says."""
    return from_proxy(facts, rules) and _values(facts, b"x-forwarded-proto")[-1:] == ["https"]


_CHECKS: tuple[Callable[[Facts, Perimeter], Refusal | None], ...] = (
    _check_path,
    _check_head,
    _check_host,
    _check_origin,
    _check_fetch_site,
    _check_written_by_hand,
    _check_framing,
    _check_body,
    _check_base,
)


def judge(facts: Facts, rules: Perimeter) -> Refusal | None:
    """The first reason to turn the request away, or None."""
    for check in _CHECKS:
        refusal = check(facts, rules)
        if refusal is not None:
            return refusal
    return None
