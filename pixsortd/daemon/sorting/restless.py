"""Files in inboxes that never rest, as on a share that is written to for ever."""

import os
import threading
from collections.abc import Iterator, Sequence

from pixsortd.records import Change, Found, Reason, RootRecord

NEVER_SETTLES = "never-settles"
"""The code of the reason that such a file is found with."""


class Restless:
    """Hears what watchers record. Any thread may ask."""

    def __init__(self) -> None:
        self._paths: dict[bytes, set[bytes]] = {}
        """By the path of the root."""
        self._lock = threading.Lock()

    def hear(self, record: RootRecord, changes: Sequence[Change]) -> None:
        """What was recorded of an inbox."""
        with self._lock:
            paths = self._paths.setdefault(record.path, set())
            for change in changes:
                if isinstance(change, Found) and change.reason is not None and change.reason.code == NEVER_SETTLES:
                    paths.add(change.path)
                else:
                    paths.discard(change.path)

    def count(self) -> int:
        """How many there are."""
        with self._lock:
            return sum(map(len, self._paths.values()))

    def notices(self) -> Iterator[Reason]:
        """What a person has to know, one inbox each."""
        with self._lock:
            found = {base: sorted(paths) for base, paths in self._paths.items() if paths}
        for base, paths in found.items():
            yield Reason(
                code="inbox-restless",
                message=f"{len(paths)} files in {os.fsdecode(base)} are being written to all the time and cannot be"
                f" sorted, such as {os.fsdecode(paths[0])}",
                next_step="End the program that writes them; they are taken in by themselves once they rest.",
            )
