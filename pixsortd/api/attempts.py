"""How often wrong tokens may be tried: a growing wait for each address, and a limit for all together.

After `FREE` wrong tries an address waits 1, 2, 4, ... seconds, at most `LONGEST`; nobody else waits
with it. Someone with very many addresses meets a token bucket for all of them: `BURST` wrong tries,
then one every `EVERY` seconds. Addresses that showed the right token lately are not held up by that.
"""

import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

FREE = 5
"""Wrong tries of one address that cost no wait."""
LONGEST = 300.0
"""Seconds that one more wrong try costs at most."""
FORGET = 3600.0
"""Seconds after which an address without further wrong tries starts anew."""
BURST = 100
"""Wrong tries of all addresses together before they are slowed down."""
EVERY = 2.0
"""Seconds after which one more is allowed then."""
MOST = 1024
"""Addresses remembered, wrong ones and right ones each."""


class _Wrong(NamedTuple):
    tries: int
    last: float
    until: float
    tokens: tuple[bytes, ...]
    """Marks of the latest ones tried: a forgotten client that repeats its old token is not guessing."""


class Attempts:
    """Counts tries by address; ``clock`` must not go backwards. Memory is bounded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()
        self._left = float(BURST)
        self._refilled = clock()
        self._salt = secrets.token_bytes(16)

    def wait(self, address: str) -> float:
        """Seconds until this address may try a token again; 0 when it may now."""
        now, who = self._clock(), _who(address)
        known = self._wrong.get(who)
        alone = known.until - now if known else 0.0
        self._refill(now)
        together = (1 - self._left) * EVERY if self._left < 1 and who not in self._right else 0.0
        return max(alone, together, 0.0)

    def failed(self, address: str, token: str) -> float | None:
        """Count a wrong try; the seconds the address has to wait now, or None for a token it tried before."""
        now, who = self._clock(), _who(address)
        mark = hmac.digest(self._salt, token.encode("utf-8", "surrogatepass"), "sha256")[:8]
        known = self._wrong.get(who)
        if known is not None and mark in known.tokens:
            return None
        self._wrong.pop(who, None)
        self._refill(now)
        self._left = max(0.0, self._left - 1)
        count = known.tries + 1 if known and now - known.last < FORGET else 1
        wait = min(2.0 ** (count - FREE), LONGEST) if count >= FREE else 0.0
        self._wrong[who] = _Wrong(count, now, now + wait, (*(known.tokens if known else ()), mark)[-FREE:])
        while len(self._wrong) > MOST:
            self._wrong.popitem(last=False)
        return wait

    def succeeded(self, address: str) -> None:
        """Forget the wrong tries of an address."""
        who = _who(address)
        self._wrong.pop(who, None)
        self._right[who] = None
        self._right.move_to_end(who)
        while len(self._right) > MOST:
            self._right.popitem(last=False)

    def _refill(self, now: float) -> None:
        self._left = min(float(BURST), self._left + (now - self._refilled) / EVERY)
        self._refilled = now


def _who(address: str) -> str:
    """The address, or for IPv6 its network of 64 bits: one customer has a whole one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
