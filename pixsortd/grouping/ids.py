"""Ids of groups: made from the founding member, so that the same group has the same id on every machine."""

import hashlib
from collections.abc import Container


def fresh(founder: bytes, taken: Container[str], prefix: str = "g") -> str:
    """A new id, the prefix and 10 hex digits, from the member of smallest hash; salted until nobody has it."""
    salt = 0
    while True:
        text = founder + salt.to_bytes(4, "big")
        candidate = prefix + hashlib.blake2b(text, digest_size=5).hexdigest()
        if candidate not in taken:
            return candidate
        salt += 1
