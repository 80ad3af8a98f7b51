"""NIQE: how far a photo's statistics are from those of undistorted photos. Ours, for the CPU.

A. Mittal, R. Soundararajan and A. C. Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal
Processing Letters 20 (2013). Scores equal those of ``pyiqa:niqe``, which is the reference and takes the same file.
"""

import math

import numpy as np

from pixsortd.analyze.metrics import parameters, pyiqa_registry
from pixsortd.analyze.metrics.contrast import LONG_SIDE, contrast, halved, inner_contrast, luma
from pixsortd.analyze.metrics.distributions import (
    GAMMA_1,
    GAMMA_2,
    GAMMA_3,
    SHAPES,
    Doubles,
    asymmetric,
    moments,
    neighbour_moments,
)
from pixsortd.analyze.metrics.pyiqa_registry import ParameterFile
from pixsortd.analyze.ports import Floats, Picture
from pixsortd.records import MetricInfo

NAME = "niqe"
VERSION = "1"
"""To be raised whenever scores change."""
_BLOCK = 96
"""Pixels of a side of the blocks whose statistics are compared."""
_FEATURES = 36
_SINGULAR = _FEATURES * float(np.finfo(np.float64).eps)
"""Directions below this share of the largest one count as none."""


class NiqeFamily:
    """The one metric ``niqe``."""

    license = "MIT"
    long_side = LONG_SIDE

    def parameters(self, name: str) -> tuple[ParameterFile, ...]:
        """The files it needs."""
        return pyiqa_registry.FILES[name]

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> "Niqe":  # noqa: ARG002 - CPU only
        """NIQE with the statistics of undistorted photos from ``weights`` or pyiqa's cache."""
        (file,) = parameters.find(name, weights)
        mean, covariance = _read(file.path)
        info = MetricInfo(
            name=name,
            lower_better=True,
            low=0.0,
            high=100.0,
            long_side=long_side,
            version=f"own {VERSION} {file.revision}",
            license=self.license,
        )
        return Niqe(info, mean, covariance)


family = NiqeFamily()


class Niqe:
    """NIQE behind the :class:`pixsortd.analyze.ports.PictureMetric` port."""

    device = "cpu"

    def __init__(self, info: MetricInfo, mean: Doubles, covariance: Doubles) -> None:
        """``mean`` [36] and ``covariance`` [36, 36] are those of undistorted photos."""
        self.info = info
        self._mean = mean
        self._covariance = covariance

    def measure(self, picture: Picture) -> float:
        """The distance of the two Gaussians; not a number below 96 pixels and where no block has structure."""
        height, width = (side // _BLOCK * _BLOCK for side in picture.pixels.shape[:2])
        if not height or not width:
            return math.nan
        levels = picture.once(luma)[:height, :width]
        inner = picture.once(inner_contrast)[: height - 6, : width - 6]
        features = np.concatenate(
            (
                _features(contrast(levels, "edge", inner), _BLOCK),
                _features(contrast(halved(levels), "edge"), _BLOCK // 2),
            ),
            axis=1,
        )
        known = ~np.isnan(features)
        whole = features[known.all(axis=1)]
        if not len(whole):
            return math.nan
        mean = np.where(known, features, 0).sum(axis=0) / known.sum(axis=0)
        covariance = np.cov(whole, rowvar=False) if len(whole) > 1 else np.zeros_like(self._covariance)
        apart = self._mean - mean
        inverse = np.linalg.pinv((self._covariance + covariance) / 2, rcond=_SINGULAR, hermitian=True)
        return math.sqrt(max(0.0, float(apart @ inverse @ apart)))


def _features(contrasts: Floats, block: int) -> Doubles:
    """18 numbers of each block: the distribution of its contrasts, and those of products of neighbours."""
    height, width = contrasts.shape
    grid = contrasts.reshape(height // block, block, width // block, block).swapaxes(1, 2)
    parted = np.ascontiguousarray(grid).reshape(-1, block, block)
    alone, beside = asymmetric(moments(parted)), asymmetric(neighbour_moments(parted))
    to_scale = np.exp((GAMMA_1 - GAMMA_3) / 2)
    found = [SHAPES[alone.shape], (alone.left + alone.right) / 2 * to_scale[alone.shape]]
    left, right = beside.left * to_scale[beside.shape], beside.right * to_scale[beside.shape]
    means = (right - left) * np.exp(GAMMA_2 - GAMMA_1)[beside.shape]
    for columns in zip(SHAPES[beside.shape], means, left, right, strict=True):
        found += columns
    return np.stack(found, axis=1)


def _read(path: str) -> tuple[Doubles, Doubles]:
    """Mean and covariance from MATLAB's file; raises ``WeightsDamaged``."""
    from scipy.io import loadmat

    try:
        stored = loadmat(path, variable_names=["mu_prisparam", "cov_prisparam"])
        mean = np.asarray(stored["mu_prisparam"], float).reshape(_FEATURES)
        covariance = np.asarray(stored["cov_prisparam"], float).reshape(_FEATURES, _FEATURES)
    except Exception as error:  # a file of another kind fails in a dozen ways
        raise parameters.unfit(NAME, path, error) from error
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise parameters.unfit(NAME, path, ValueError("infinite values"))
    return mean, covariance
