"""Every no-reference metric of pyiqa, by pyiqa's name. Loaded only in the worker.

pyiqa fetches missing parameter files while a metric is being built; that is refused here at once,
so an absent file is a clear ``WeightsMissing`` and never a wait for the network.
"""

import contextlib
import logging
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import structlog

from pixsortd.analyze import network, opencv, torchvision_ops, weights
from pixsortd.analyze.batches import is_out_of_memory
from pixsortd.analyze.metrics import parameters, pyiqa_registry
from pixsortd.analyze.metrics.pyiqa_registry import ParameterFile
from pixsortd.analyze.ports import Floats
from pixsortd.errors import ModelProblem, PixsortdError, WeightsDamaged, WeightsMissing
from pixsortd.records import MetricInfo

_ON_CPU = 4
"""Photos per forward pass on a CPU: deep metrics at 512 pixels need up to a gigabyte for each four, and more at once
is no faster. A GPU takes the whole batch; whoever calls makes it smaller when memory runs out."""
_SEED = 123
_OFFLINE_ERRORS = ("LocalEntryNotFoundError", "OfflineModeIsEnabled", "Refused")

log = structlog.get_logger()


class PyIqa:
    """The family of pyiqa's metrics."""

    license = pyiqa_registry.LICENSE
    long_side = 512

    def parameters(self, name: str) -> tuple[ParameterFile, ...] | None:
        """The files it needs, None where only pyiqa knows; raises ``ModelProblem`` for an unknown name."""
        plain = pyiqa_registry.plain(name)
        pyiqa_registry.describe(plain, long_side=0)
        return pyiqa_registry.FILES.get(plain)

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> "IqaMetric":
        """The metric ``name``; ``weights`` is a parameter file of the user's own."""
        plain = pyiqa_registry.plain(name)
        pyiqa_registry.describe(plain, long_side=long_side)
        files = parameters.find(plain, weights)
        own = {"pretrained_model_path": files[0].path} if files and (weights or plain in pyiqa_registry.BY_PATH) else {}
        info = pyiqa_registry.describe(plain, long_side=long_side, weights="+".join(file.revision for file in files))
        with network.refused():
            metric = IqaMetric(build(plain, device, own), info, device)
            if device != "cpu" and not metric.runs():
                log.warning("metric runs on the CPU instead", metric=plain, device=device)
                metric = IqaMetric(build(plain, "cpu", own), info, "cpu")
        return metric


family = PyIqa()


class IqaMetric:
    """A loaded metric behind the :class:`pixsortd.analyze.ports.Metric` port."""

    def __init__(self, net: Any, info: MetricInfo, device: str) -> None:
        self.info = info
        self.device = device
        self._net = net

    def score(self, batch: Floats) -> list[float]:
        """Raw scores; NaN for a photo the metric has no answer for, such as an even surface.

        Raises only where memory runs out, on whatever device.

        The same pixels always give the same score: a metric that draws random numbers is given
        one photo at a time and the same numbers each time.
        """
        scores: list[float] = []
        size = _ON_CPU if self.device == "cpu" else max(1, len(batch))
        for start in range(0, len(batch), size):
            scores += self._chunk(batch[start : start + size])
        return scores

    def _chunk(self, batch: Floats) -> list[float]:
        if len(batch) > 1:
            together, drew = self._forward(batch)
            if together is not None and not drew:
                return together
        singly = (self._forward(batch[i : i + 1])[0] for i in range(len(batch)))
        return [answer[0] if answer is not None else math.nan for answer in singly]

    def _forward(self, batch: Floats) -> tuple[list[float] | None, bool]:
        """The scores of a batch, or None where it fails; and whether random numbers were drawn."""
        import torch

        with _seeded() as drew:
            try:
                pixels = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
                with torch.inference_mode():
                    answer = self._net(pixels)
                scores = [float(value) for value in answer.flatten().tolist()]
            except Exception as error:  # an odd picture makes metrics fail in many ways
                if is_out_of_memory(error):
                    raise
                log.debug(
                    "metric has no answer", metric=self.info.name, photos=len(batch), error=weights.first_line(error)
                )
                scores = []
            return (scores if len(scores) == len(batch) else None), drew()

    def runs(self) -> bool:
        """Whether the device can do what this metric needs (MPS has no float64)."""
        noise = np.random.RandomState(0).uniform(0, 1, (1, 3, 256, 256)).astype(np.float32)
        return self._forward(noise)[0] is not None


@contextlib.contextmanager
def _seeded() -> Iterator[Callable[[], bool]]:
    """Fixed random numbers inside, the former state afterwards; yields whether any were drawn so far."""
    import torch

    before: Any = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        np.random.seed(_SEED)
        fresh, position = torch.random.get_rng_state(), _position()
        try:
            yield lambda: _position() != position or not torch.equal(torch.random.get_rng_state(), fresh)
        finally:
            np.random.set_state(before)


def _position() -> int:
    state: Any = np.random.get_state()
    return int(state[2])


def build(name: str, device: str, own: dict[str, str]) -> Any:
    """pyiqa's metric ``name``; whatever is wrong is raised as ``ModelProblem``.

    What pyiqa prints goes to stderr, because a worker's stdout carries its answers.
    """
    torchvision_ops.make_importable()
    opencv.make_importable()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            import pyiqa
            from pyiqa.utils import get_root_logger

            get_root_logger().setLevel(logging.WARNING)
            return pyiqa.create_metric(name, device=device, **own)
    except PixsortdError:
        raise
    except Exception as error:
        raise _problem(name, own, error) from error


def _problem(name: str, own: dict[str, str], error: BaseException) -> ModelProblem | ImportError:
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, network.Refused):
            return WeightsMissing(
                f"{name} needs {link.url}, which is not on this machine", next_step=weights.pull_step(name)
            )
        if type(link).__name__ in _OFFLINE_ERRORS:
            return WeightsMissing(f"the weights of {name} are not on this machine", next_step=weights.pull_step(name))
        if isinstance(link, ImportError):
            return link
    said = f"({type(error).__name__}: {weights.first_line(error)})"
    if own:
        return WeightsDamaged(
            f"the parameter file does not fit {name} {said}",
            path=next(iter(own.values())),
            next_step="Fetch the file again, or leave it out of [score] weights.",
        )
    return ModelProblem(
        f"pyiqa cannot make {name} {said}", next_step="Leave it out of [score] metrics, or see the log."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
