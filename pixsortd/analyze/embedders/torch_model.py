"""What every torch embedding model shares: device, precision, normalisation, unit vectors."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.ports import Array, Floats
from pixsortd.analyze.view import ImageView
from pixsortd.analyze.weights import Weights, first_line
from pixsortd.errors import ModelProblem
from pixsortd.records import Space

if TYPE_CHECKING:
    import torch

Forward = Callable[["torch.Tensor"], "torch.Tensor"]
"""Pixels [n, 3, h, w], normalised, to features [n, dim] (or [n, dim, 1, 1])."""


class TorchEmbedder:
    """A loaded model behind the :class:`pixsortd.analyze.ports.Embedder` port.

    Float32 on the CPU and MPS; on CUDA bfloat16 where the GPU has it, else float16. A photo whose
    features are not finite gets a row of NaN, which is that photo's failure only.
    """

    needs: int
    space: Space
    device: str

    def __init__(
        self,
        forward: Forward,
        *,
        name: str,
        model: str,
        weights: Weights,
        preprocessing: Preprocessing,
        device: str,
    ) -> None:
        import torch

        self._forward = forward
        self._preprocessing = preprocessing
        self._mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)
        self.device = device
        self.needs = preprocessing.needs
        try:
            dim = int(self._features(np.zeros((1, *preprocessing.crop, 3), np.uint8)).shape[1])
        except Exception as error:
            raise ModelProblem(
                f"{model} does not run on {device} ({type(error).__name__}: {first_line(error)})",
                next_step='Try `device = "cpu"` in [embed], or another model.',
            ) from error
        self.space = Space(name=name, model=model, revision=weights.revision, preprocessing=preprocessing.text, dim=dim)

    def prepare(self, view: ImageView) -> Array:
        """uint8 [height, width, 3]; thread-safe."""
        return self._preprocessing.apply(view)

    def embed(self, batch: Array) -> Floats:
        """Unit vectors, float32 [n, dim]."""
        from torch.nn.functional import normalize

        unit: Floats = normalize(self._features(batch), dim=1).cpu().numpy()
        return unit

    def _features(self, batch: Array) -> "torch.Tensor":
        import torch

        with torch.inference_mode(), _precision(self.device):
            pixels = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device).permute(0, 3, 1, 2)
            features = self._forward((pixels.float() / 255 - self._mean) / self._std)
            return features.float().flatten(1)


def _precision(device: str) -> contextlib.AbstractContextManager[Any]:
    import torch

    if not device.startswith("cuda"):
        return contextlib.nullcontext()
    return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)


def described(model: str, args: Mapping[str, Any]) -> str:
    """A model's name with its arguments, the same text for the same arguments."""
    return model + (json.dumps(dict(args), sort_keys=True, separators=(",", ":"), default=str) if args else "")
