"""When each inbox is looked at: once it has rested for a moment, so that files which arrive together are one plan."""

PATIENCE = 10
"""While files keep arriving, an inbox is looked at after so many times the moment."""


class Due:
    """The inboxes that are to be looked at, and when. One thread at a time; times are monotonic."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def touch(self, root: str, now: float, delay: float) -> None:
        """Something about an inbox has changed."""
        since = self._since.setdefault(root, now)
        self._due[root] = min(now + delay, since + PATIENCE * delay)

    def __contains__(self, root: str) -> bool:
        return root in self._due

    def next(self) -> float | None:
        """When the first is due; None when none waits."""
        return min(self._due.values(), default=None)

    def take(self, now: float) -> str | None:
        """An inbox whose time has come, which is no longer due then; the one that waits longest first."""
        ready = [(self._since[root], root) for root, due in self._due.items() if due <= now]
        if not ready:
            return None
        _, root = min(ready)
        self.drop(root)
        return root

    def drop(self, root: str) -> None:
        """It is being looked at anyway."""
        self._since.pop(root, None)
        self._due.pop(root, None)
