"""Where files may go: into roots that may be written, but never into an inbox or what pixsortd keeps for itself."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pixsortd.config import RootSettings
from pixsortd.records import Place, Reason, Role
from pixsortd.sorting.rules.words import Wrong

KeptOut = Callable[[RootSettings, bytes], Reason | None]
"""Why a file of that path below a root would not be looked at; None where it would be."""


class _Root(NamedTuple):
    real: bytes
    named: bytes
    """As the settings have it, made absolute; its links are not resolved."""
    settings: RootSettings


class Ground:
    """The roots as they are when the rules are read; links in their own paths are resolved then."""

    def __init__(
        self, roots: Sequence[RootSettings], state_dir: Path, kept_out: KeptOut = lambda _root, _path: None
    ) -> None:
        self._roots = [_root(settings) for settings in roots]
        self._state = os.path.realpath(os.fsencode(state_dir))
        self._kept_out = kept_out

    def real(self, directory: bytes) -> bytes:
        """A directory of a template with the links in the path of its root resolved; raises ``Wrong``.

        The directory need not be there. Links below a root are left as they are: nothing is moved through them.
        """
        for seen, path in ((directory, "named"), (directory, "real"), (os.path.realpath(directory), "real")):
            holding = [root for root in self._roots if _inside(seen, getattr(root, path))]
            if holding:
                innermost = max(holding, key=lambda root: len(getattr(root, path)))
                real = innermost.real + seen[len(getattr(innermost, path)) :]
                self._require(real)
                return real
        raise Wrong(
            f"{os.fsdecode(directory)} is in no root",
            "Add a [[roots]] table with writable = true that holds it, or choose a directory in one.",
        )

    def place(self, path: bytes) -> Place:
        """An absolute path below a real root as a place; raises ``Wrong`` where nothing may be put."""
        root = self._require(path)
        return Place(base=root.real, path=path[len(root.real.rstrip(b"/")) + 1 :])

    def seen(self, path: bytes) -> Place:
        """As :meth:`place`, for a file: raises ``Wrong`` also where it would not be looked at."""
        place = self.place(path)
        reason = self._kept_out(self._require(path).settings, place.path)
        if reason is not None:
            raise Wrong(
                f"what is in {os.fsdecode(path.rpartition(b'/')[0])} is not looked at, and would leave the library:"
                f" {reason.message}",
                f"Choose another destination. {reason.next_step}".strip(),
            )
        return place

    def _require(self, path: bytes) -> _Root:
        shown = os.fsdecode(path)
        holding = [root for root in self._roots if _inside(path, root.real)]
        if not holding:
            raise Wrong(f"{shown} is in no root", "Add a [[roots]] table with writable = true that holds it.")
        root = max(holding, key=lambda one: len(one.real))
        if _inside(path, self._state):
            raise Wrong(f"{shown} is in the state directory, which is pixsortd's own", "Choose another directory.")
        if root.settings.role is Role.INBOX:
            raise Wrong(
                f"{shown} is in an inbox ({root.settings.path}), where it would be sorted again",
                "Choose a directory outside of it.",
            )
        if not root.settings.may_be_written:
            raise Wrong(
                f"{shown} is in a root that is only read ({root.settings.path})",
                "Set writable = true for that root, or choose a directory in another.",
            )
        return root


def _root(settings: RootSettings) -> _Root:
    named = os.path.abspath(os.path.expanduser(os.fsencode(settings.path)))
    return _Root(os.path.realpath(named), named, settings)


def _inside(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")
