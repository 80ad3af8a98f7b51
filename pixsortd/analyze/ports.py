"""What the analysis asks of embedders and metrics.

A family is the object an entry point names (groups ``pixsortd.embedders`` and
``pixsortd.metrics``); its ``load`` makes the one model that is used. Everything that can be wrong
with a model is raised from ``load`` as a :class:`pixsortd.errors.ModelProblem`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from pixsortd.analyze.view import ImageView
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.records import MetricInfo, Space

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
T = TypeVar("T")


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
class Batched(Protocol):
    """A model that knows how many pictures it best takes at once; half of them when memory runs out."""

    batch: int


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


class Picture:
    """A photo at the size it is scored, and whatever has been derived of it. For one thread at a time."""

    def __init__(self, pixels: Array) -> None:
        """``pixels`` are uint8 [h, w, 3], RGB."""
        self.pixels = pixels
        self._derived: dict[Callable[[Picture], Any], Any] = {}

    def once(self, derive: Callable[["Picture"], T]) -> T:
        """What ``derive`` makes of this picture, made once however many metrics ask. Not to be changed."""
        if derive not in self._derived:
            self._derived[derive] = derive(self)
        made: T = self._derived[derive]
        return made


@runtime_checkable
class PictureMetric(Protocol):
    """One loaded quality metric that is quick on a CPU: it is computed where a photo is decoded."""

    info: MetricInfo
    device: str

    def measure(self, picture: Picture) -> float:
        """The raw score; not a number where there is none, for an even surface for instance.

        Runs in several threads at once.
        """


@runtime_checkable
class MetricFamily(Protocol):
    """One kind of quality metrics, found by name."""

    license: str
    long_side: int
    """Pixels of the long side its metrics are computed at unless the settings say otherwise."""

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> Metric | PictureMetric:
        """The metric of that name; ``weights`` is a local parameter file. Raises ``ModelProblem``."""
