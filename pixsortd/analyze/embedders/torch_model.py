"""What every torch embedding model shares: preparation, unit vectors, the name of its space."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pixsortd.analyze.embedders.engine import Engine, Features
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.ports import Array, Floats
from pixsortd.analyze.view import ImageView
from pixsortd.analyze.weights import Weights, first_line
from pixsortd.errors import ModelProblem
from pixsortd.records import Space

if TYPE_CHECKING:
    import torch


def call(net: "torch.nn.Module", pixels: "torch.Tensor") -> "torch.Tensor":
    """The features of a net whose output they are."""
    features: torch.Tensor = net(pixels)
    return features


class TorchEmbedder:
    """A loaded model behind the :class:`pixsortd.analyze.ports.Embedder` port.

    A photo whose features are not finite gets a row of NaN, which is that photo's failure only.
    """

    needs: int
    batch: int
    space: Space
    device: str

    def __init__(
        self,
        net: "torch.nn.Module",
        *,
        name: str,
        model: str,
        weights: Weights,
        preprocessing: Preprocessing,
        device: str,
        features: Features = call,
    ) -> None:
        """Takes ``net`` over: it is changed and moved to ``device``."""
        self._preprocessing = preprocessing
        self.device = device
        self.needs = preprocessing.needs
        try:
            self._engine = Engine(net, features, preprocessing, device)
            dim = int(self._engine(np.zeros((1, *preprocessing.crop, 3), np.uint8)).shape[1])
        except Exception as error:
            raise ModelProblem(
                f"{model} does not run on {device} ({type(error).__name__}: {first_line(error)})",
                next_step='Try `device = "cpu"` in [embed], or another model.',
            ) from error
        self.batch = self._engine.batch
        self.space = Space(name=name, model=model, revision=weights.revision, preprocessing=preprocessing.text, dim=dim)

    def prepare(self, view: ImageView) -> Array:
        """uint8 [height, width, 3]; thread-safe."""
        return self._preprocessing.apply(view)

    def embed(self, batch: Array) -> Floats:
        """Unit vectors, float32 [n, dim]."""
        from torch.nn.functional import normalize

        unit: Floats = normalize(self._engine(batch), dim=1).cpu().numpy()
        return unit


def described(model: str, args: Mapping[str, Any]) -> str:
    """A model's name with its arguments, the same text for the same arguments."""
    return model + (json.dumps(dict(args), sort_keys=True, separators=(",", ":"), default=str) if args else "")
