"""BRISQUE: a photo's statistics, judged by a support vector machine taught by people. Ours, for the CPU.

A. Mittal, A. K. Moorthy and A. C. Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", IEEE
Transactions on Image Processing 21 (2012); the trained machine and the range of each of its inputs are those of the
"BRISQUE Software Release" (2011) of the Laboratory for Image and Video Engineering, University of Texas at Austin.
Scores equal those of ``pyiqa:brisque``, which is the reference and takes the same file.
"""

import math

import numpy as np

from pixsortd.analyze.metrics import parameters, pyiqa_registry
from pixsortd.analyze.metrics.contrast import LONG_SIDE, contrast, half_luma, inner_contrast, luma
from pixsortd.analyze.metrics.distributions import (
    GAMMA_1,
    GAMMA_2,
    GAMMA_3,
    SHAPES,
    Doubles,
    asymmetric,
    moments,
    neighbour_moments,
    symmetric,
)
from pixsortd.analyze.metrics.pyiqa_registry import ParameterFile
from pixsortd.analyze.ports import Floats, Picture
from pixsortd.records import MetricInfo

NAME = "brisque"
VERSION = "1"
"""To be raised whenever scores change."""
_SMALLEST = 7
"""Pixels of the short side of the smallest picture with a score."""
_GAMMA, _RHO = 0.05, -153.591
"""Of the support vector machine: width of its kernel, and offset."""
_RANGES = (
    ("0.338 10", "0.017204 0.806612"),
    ("0.236 1.642", "-0.123884 0.20293", "0.000155 0.712298", "0.001122 0.470257"),
    ("0.244 1.641", "-0.123586 0.179083", "0.000152 0.710456", "0.000975 0.470984"),
    ("0.249 1.555", "-0.135687 0.100858", "0.000174 0.684173", "0.000913 0.534174"),
    ("0.258 1.561", "-0.143408 0.100486", "0.000179 0.685696", "0.000888 0.536508"),
    ("0.471 3.264", "0.012809 0.703171"),
    ("0.218 1.046", "-0.094876 0.187459", "0.000015 0.442057", "0.001272 0.40803"),
    ("0.222 1.042", "-0.115772 0.162604", "0.000016 0.444362", "0.001374 0.40243"),
    ("0.227 0.996", "-0.117188 0.098323", "0.00003 0.531903", "0.001122 0.369589"),
    ("0.228 0.99", "-0.12243 0.098658", "0.000028 0.530092", "0.001118 0.370399"),
)
"""The least and greatest of each feature in the training photos, first of the picture, then at half its size.

A line is one distribution: shape and spread, or shape, mean and the spread on either side."""
_LOW, _HIGH = np.array([limits.split() for line in _RANGES for limits in line], float).T


class BrisqueFamily:
    """The one metric ``brisque``."""

    license = "MIT"
    long_side = LONG_SIDE

    def parameters(self, name: str) -> tuple[ParameterFile, ...]:
        """The files it needs."""
        return pyiqa_registry.FILES[name]

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> "Brisque":  # noqa: ARG002 - CPU only
        """BRISQUE with the support vectors from ``weights`` or pyiqa's cache."""
        (file,) = parameters.find(name, weights)
        coefficients, vectors = _read(file.path)
        info = MetricInfo(
            name=name,
            lower_better=True,
            low=0.0,
            high=150.0,
            long_side=long_side,
            version=f"own {VERSION} {file.revision}",
            license=self.license,
        )
        return Brisque(info, coefficients, vectors)


family = BrisqueFamily()


class Brisque:
    """BRISQUE behind the :class:`pixsortd.analyze.ports.PictureMetric` port."""

    device = "cpu"

    def __init__(self, info: MetricInfo, coefficients: Doubles, vectors: Doubles) -> None:
        """``vectors`` [n, 36] are the machine's support vectors, ``coefficients`` [n] their weights."""
        self.info = info
        self._coefficients = coefficients
        self._vectors = vectors

    def measure(self, picture: Picture) -> float:
        """The machine's answer; not a number for a black picture or one of less than 7 pixels."""
        if min(picture.pixels.shape[:2]) < _SMALLEST or not picture.once(luma).any():
            return math.nan
        features = np.concatenate(
            (
                _features(contrast(picture.once(luma), "constant", picture.once(inner_contrast))),
                _features(contrast(picture.once(half_luma), "constant")),
            )
        )
        scaled = 2 * (features - _LOW) / (_HIGH - _LOW) - 1
        near = np.exp(-_GAMMA * np.square(self._vectors - scaled).sum(axis=1))
        return float(near @ self._coefficients) - _RHO


def _features(contrasts: Floats) -> Doubles:
    """18 numbers: the distribution of the contrasts, and those of products of neighbours."""
    one = contrasts[None]
    alone, beside = moments(one), asymmetric(neighbour_moments(one))
    shape = beside.shape
    to_mean = np.exp(GAMMA_2 - (GAMMA_1 + GAMMA_3) / 2)[shape]
    pairs = SHAPES[shape], (beside.right - beside.left) * to_mean, beside.left**2, beside.right**2
    return np.concatenate((SHAPES[symmetric(alone)], alone.squares, np.stack(pairs, axis=1).ravel()))


def _read(path: str) -> tuple[Doubles, Doubles]:
    """Coefficients and support vectors from a torch checkpoint; raises ``WeightsDamaged``."""
    import torch

    try:
        coefficients, vectors = torch.load(path, map_location="cpu", weights_only=True)
        read = np.asarray(coefficients, float).reshape(-1), np.asarray(vectors, float).reshape(-1, len(_LOW))
        if len(read[0]) != len(read[1]):
            raise ValueError(f"{len(read[0])} coefficients for {len(read[1])} vectors")
    except Exception as error:  # a file of another kind fails in a dozen ways
        raise parameters.unfit(NAME, path, error) from error
    return read
