"""The base path: behind a reverse proxy that passes it on, everything is served below it."""

from litestar.types import Scope

OUTSIDE = "pixsortd.outside"
"""Set in the scope of a request whose path is not below the base path."""
_EVERYWHERE = frozenset({"/health/live"})
"""Also answered at the root, for probes that know nothing of the proxy."""


def entered(scope: Scope, base: str) -> Scope:
    """The request as it would look without the base path."""
    if not base or scope["path"] in _EVERYWHERE:
        return scope
    raw, path = scope.get("raw_path") or scope["path"].encode(), base.encode()
    inside = raw == path or raw.startswith((path + b"/", path + b"?"))
    if not inside:
        return {**scope, OUTSIDE: True}  # type: ignore[return-value]
    return {**scope, "path": scope["path"][len(base) :] or "/", "raw_path": raw[len(path) :] or b"/"}  # type: ignore[return-value]
