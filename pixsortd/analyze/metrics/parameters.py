"""The parameter files of metrics: a file of the user's own, else the one in pyiqa's cache."""

import os

from pixsortd.analyze import weights
from pixsortd.analyze.metrics import pyiqa_registry
from pixsortd.errors import WeightsDamaged, WeightsMissing


def find(name: str, own: str | None) -> list[weights.Weights]:
    """The parameter files of a metric that are known beforehand, all there and readable.

    Raises ``WeightsMissing``, and ``WeightsDamaged`` for a checkpoint that could run code.
    """
    paths = (own,) if own else map(pyiqa_registry.place, pyiqa_registry.FILES.get(name, ()))
    files: list[weights.Weights] = []
    for path in paths:
        if not own and not os.path.isfile(path):
            raise WeightsMissing(
                f"{os.path.basename(path)} is not on this machine",
                next_step=f"{weights.pull_step(name)} Or name a file of your own in [score] weights.",
            )
        files.append(weights.local_file(path))
        if name in pyiqa_registry.BY_PATH and not path.endswith(".mat"):
            weights.check_checkpoint(files[-1])
    return files


def unfit(name: str, path: str, error: BaseException) -> WeightsDamaged:
    """The error for a parameter file that is not the metric's."""
    return WeightsDamaged(
        f"the parameter file does not fit {name} ({type(error).__name__}: {weights.first_line(error)})",
        path=path,
        next_step="Fetch the file again, or leave it out of [score] weights.",
    )
