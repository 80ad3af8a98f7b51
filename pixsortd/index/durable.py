"""Files that are there whole or not at all, and a full disk said in words."""

import os
from collections.abc import Sequence
from pathlib import Path

from pixsortd.durable import is_full, sync_path
from pixsortd.errors import IndexFull, IndexProblem, explain_os_error
from pixsortd.sealed import Buffer


def write_whole(path: Path, parts: Sequence[Buffer], *, durable: bool) -> None:
    """Write a file under a temporary name and rename it into place; ``durable`` also survives a power cut.

    Raises ``IndexFull`` or ``IndexProblem``; nothing is left behind then, and an older file stays.
    """
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_path(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise said(error, path) from error


def said(error: OSError, path: Path) -> IndexProblem:
    """The domain error of an operating system error on a file of the index."""
    what, advice = explain_os_error(error)
    kind = IndexFull if is_full(error) else IndexProblem
    return kind(what, path=os.fspath(path), next_step=advice)
