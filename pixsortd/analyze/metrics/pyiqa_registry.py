"""What pyiqa says of its metrics: direction and range as data, without importing torch.

pyiqa's registry is one module of plain data inside a package whose import takes seconds; it is
read by itself. https://github.com/chaofengc/IQA-PyTorch
"""

import difflib
import functools
import importlib.metadata
import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from pixsortd.errors import DependencyMissing, ModelProblem
from pixsortd.records import MetricInfo

LICENSE = "PolyForm-Noncommercial-1.0.0"
REPO = "chaofengc/IQA-PyTorch-Weights"
_NOT_OF_PHOTOS = frozenset({"FID", "InceptionScore", "CLIPScore"})
"""Metrics of sets of pictures, or of a picture with a caption."""
FILES: Mapping[str, tuple[str, ...]] = {
    "piqe": (),
    "entropy": (),
    "brisque": ("brisque_svm_weights.pth",),
    "niqe": ("niqe_modelparameters.mat",),
    "niqe_matlab": ("niqe_matlab_params.mat",),
    "ilniqe": ("ILNIQE_templateModel.mat",),
    "cnniqa": ("CNNIQA_koniq10k-e6f14c91.pth",),
    "musiq": ("musiq_koniq_ckpt-e95806b9.pth",),
    "clipiqa+": ("CLIP-IQA+_learned_prompts-603f3273.pth", "../clip/RN50.pt"),
    "liqe": ("liqe_koniq.pt", "../clip/ViT-B-32.pt"),
}
"""Files of well-known metrics, relative to pyiqa's directory in torch's cache; others are found by asking."""
BY_PATH = frozenset({"brisque", "niqe", "niqe_matlab", "ilniqe"})
"""Metrics whose one parameter file can be handed over by path."""


def torch_cache() -> str:
    """pyiqa's directory in torch's cache: below ``TORCH_HOME``, else below the XDG cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(base, "torch")
    return os.path.join(os.path.expanduser(home), "hub", "pyiqa")


def known_files(name: str) -> tuple[str, ...] | None:
    """Paths of the files a metric needs; None where that is not known beforehand."""
    files = FILES.get(name)
    return None if files is None else tuple(os.path.normpath(os.path.join(torch_cache(), file)) for file in files)


@functools.cache
def registry() -> Mapping[str, Mapping[str, Any]]:
    """pyiqa's no-reference metrics that score one photo, by name."""
    package = importlib.util.find_spec("pyiqa")
    if package is None or package.origin is None:
        raise DependencyMissing("pyiqa is not installed", next_step="Install it: `pip install pyiqa`.")
    path = os.path.join(os.path.dirname(package.origin), "default_model_configs.py")
    spec = importlib.util.spec_from_file_location("pixsortd_pyiqa_registry", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        name: config
        for name, config in module.DEFAULT_CONFIGS.items()
        if config.get("metric_mode") == "NR" and config["metric_opts"]["type"] not in _NOT_OF_PHOTOS
    }


def version() -> str:
    """pyiqa's version."""
    return importlib.metadata.version("pyiqa")


def describe(name: str, *, long_side: int, weights: str = "") -> MetricInfo:
    """Direction and range of a metric by pyiqa's own registry; raises ``ModelProblem`` for an unknown name."""
    known = registry()
    config = known.get(name)
    if config is None:
        near = ", ".join(difflib.get_close_matches(name, known, n=3))
        raise ModelProblem(
            f"pyiqa has no metric {name!r} for single photos" + (f"; near: {near}" if near else ""),
            next_step="Correct [score] metrics; any no-reference metric of pyiqa can be named.",
        )
    low, high = _range(str(config.get("score_range", "")))
    return MetricInfo(
        name=name,
        lower_better=bool(config.get("lower_better", False)),
        low=low,
        high=high,
        long_side=long_side,
        version=f"pyiqa {version()}" + (f" {weights}" if weights else ""),
        license=LICENSE,
    )


def _range(text: str) -> tuple[float | None, float | None]:
    """``"~0, ~100"`` to (0, 100); a missing end is open."""
    low, _, high = text.partition(",")
    return _bound(low), _bound(high)


def _bound(text: str) -> float | None:
    number = text.strip().lstrip("~")
    return float(number) if number else None
