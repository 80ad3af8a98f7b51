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
from pixsortd.records import MetricInfo, Record

LICENSE = "PolyForm-Noncommercial-1.0.0"
LIVE = "LIVE, University of Texas at Austin: free for any purpose with its copyright notice"
"""Terms of the parameters that came with the papers on NIQE and BRISQUE."""
PREFIX = "pyiqa:"
"""Names the metric of pyiqa where another family has one of the same name."""
REPO = "chaofengc/IQA-PyTorch-Weights"
_NOT_OF_PHOTOS = frozenset({"FID", "InceptionScore", "CLIPScore"})
"""Metrics of sets of pictures, or of a picture with a caption."""
_CLIP = "https://openaipublic.azureedge.net/clip/models"


class ParameterFile(Record, frozen=True, kw_only=True):
    """A file that pyiqa wants in its cache."""

    name: str
    """Relative to pyiqa's directory in torch's cache."""
    url: str = ""
    """Empty: in the repository of pyiqa's weights."""
    sha256: str | None = None
    license: str = LICENSE


def _params(name: str, terms: str = LICENSE) -> tuple[ParameterFile, ...]:
    return (ParameterFile(name=name, license=terms),)


def _clip(name: str, sha256: str) -> ParameterFile:
    """OpenAI publishes each CLIP checkpoint below its own checksum."""
    return ParameterFile(name=f"../clip/{name}", url=f"{_CLIP}/{sha256}/{name}", sha256=sha256)


_RN50 = _clip("RN50.pt", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762")
_VIT_B_32 = _clip("ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af")
FILES: Mapping[str, tuple[ParameterFile, ...]] = {
    "piqe": (),
    "entropy": (),
    "brisque": _params("brisque_svm_weights.pth", LIVE),
    "niqe": _params("niqe_modelparameters.mat", LIVE),
    "niqe_matlab": _params("niqe_matlab_params.mat"),
    "ilniqe": _params("ILNIQE_templateModel.mat"),
    "cnniqa": _params("CNNIQA_koniq10k-e6f14c91.pth"),
    "musiq": _params("musiq_koniq_ckpt-e95806b9.pth"),
    "clipiqa": (_RN50,),
    "clipiqa+": (*_params("CLIP-IQA+_learned_prompts-603f3273.pth"), _RN50),
    "liqe": (*_params("liqe_koniq.pt"), _VIT_B_32),
}
"""Files of well-known metrics; those of others are found by asking pyiqa."""
BY_PATH = frozenset({"brisque", "niqe", "niqe_matlab", "ilniqe"})
"""Metrics whose one parameter file can be handed over by path."""


def plain(name: str) -> str:
    """pyiqa's own name of a metric."""
    return name.removeprefix(PREFIX)


def torch_cache() -> str:
    """pyiqa's directory in torch's cache: below ``TORCH_HOME``, else below the XDG cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(base, "torch")
    return os.path.join(os.path.expanduser(home), "hub", "pyiqa")


def place(file: ParameterFile) -> str:
    """Where pyiqa looks for a file."""
    return os.path.normpath(os.path.join(torch_cache(), file.name))


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
