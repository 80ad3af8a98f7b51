"""What the analysis asks of embedders and metrics.

A family is the object an entry point names (groups ``pixsortd.embedders`` and
``pixsortd.metrics``); its ``load`` makes the one model that is used. Everything that can be wrong
with a model is raised from ``load`` as a :class:`pixsortd.errors.ModelProblem`.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.records import MetricInfo, Space

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


@runtime_checkable
class Embedder(Protocol):
    """One loaded embedding model."""

    space: Space
    device: str
    """``cpu``, ``cuda`` or ``mps``: where ``embed`` runs."""
    needs: int
    """Pixels of the short side below which its input would be enlarged."""

    def prepare(self, view: ImageView) -> Array:
        """The model's input for one photo; the same shape and dtype for every photo.

        Runs in several threads at once.
        """

    def embed(self, batch: Array) -> Floats:
        """Unit vectors, float32 [n, dim], of a stacked batch of ``prepare``'s arrays."""


@runtime_checkable
class EmbedderFamily(Protocol):
    """One kind of embedding models, found by name."""

    names: tuple[str, ...]
    """Names or name prefixes it answers to, e.g. ``clip``, ``open_clip:``."""
    license: str
    needs_weights: bool

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> Embedder:
        """The model of that name on ``device``; raises ``ModelProblem``.

        ``settings`` is the user's ``[spaces.NAME]`` table where there is one.
        """


@runtime_checkable
class Metric(Protocol):
    """One loaded quality metric."""

    info: MetricInfo
    device: str

    def score(self, batch: Floats) -> Sequence[float]:
        """Raw scores of float32 [n, 3, h, w] in 0..1, RGB, all of one size."""


@runtime_checkable
class MetricFamily(Protocol):
    """One kind of quality metrics, found by name."""

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> Metric:
        """The metric of that name; ``weights`` is a local parameter file. Raises ``ModelProblem``."""
