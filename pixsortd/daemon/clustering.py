"""One clustering in the analyst process, for the library and for batches alike."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from pixsortd.daemon.jobs import Cancelled, Progress
from pixsortd.errors import GroupingCancelled
from pixsortd.grouping.request import Reply, Request
from pixsortd.grouping.run import recluster

Fill = Callable[[IO[bytes]], bytes]
"""Writes vectors into a file, as ``numpy.save`` does; the hashes of their photos, one behind the other."""


def clustered(
    scratch: Path, fill: Fill, asked: Callable[[str, bytes], Request], progress: Progress
) -> tuple[bytes, Reply]:
    """What ``fill`` answered, and the analyst's answer to what ``asked`` makes of the vectors' path and of that.

    The vectors lie in a file in ``scratch`` meanwhile. Raises ``Cancelled``, ``GroupingFailed``.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".npy") as file:
        contents = fill(file)
        file.flush()
        try:
            return contents, recluster(asked(file.name, contents), progress, progress.cancelled)
        except GroupingCancelled as error:
            raise Cancelled from error
