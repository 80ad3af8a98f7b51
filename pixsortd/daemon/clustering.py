"""One clustering in the analyst process, for the library and for batches alike."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixsortd.daemon.jobs import Cancelled, Progress
from pixsortd.errors import GroupingCancelled
from pixsortd.grouping.request import Reply, Request
from pixsortd.grouping.run import recluster


def clustered(
    scratch: Path, vectors: npt.NDArray[np.float16], asked: Callable[[str], Request], progress: Progress
) -> Reply:
    """The answer to what ``asked`` makes of the path of a file in ``scratch``, which holds the vectors meanwhile.

    Raises ``Cancelled``, ``GroupingFailed``.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".npy") as file:
        np.save(file, vectors)
        file.flush()
        try:
            return recluster(asked(file.name), progress, progress.cancelled)
        except GroupingCancelled as error:
            raise Cancelled from error
