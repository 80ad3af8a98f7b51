"""What ingest is measured with: metrics and spaces that need no network, as a configuration file's tables."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pixsortd.config import Settings
from tests.bench import corpus
from tests.conftest import SHARED

Tables = Mapping[str, Mapping[str, Any]]

SPACES = ("builtin", "mobilenet", "clip")
FILES = {"brisque": "brisque_svm_weights.pth", "niqe": "niqe_modelparameters.mat"}
"""Parameter files beside the test material; without them a metric is left out."""
MOBILENET = "mobilenetv2_100.tfhub_ptq_in1k.safetensors"
CLIP = "ViT-B-32"


def tables(space: str) -> dict[str, dict[str, Any]]:
    """Settings for a space of ``SPACES`` and the default metrics, as far as their parameter files are there.

    ``clip`` is ViT-B/32 with random weights, which cost what trained ones do. Raises ``SystemExit``
    where ``mobilenet`` has no weights.
    """
    files = {name: str(SHARED / "weights" / file) for name, file in FILES.items()}
    there = {name: path for name, path in files.items() if os.path.isfile(path)}
    metrics = [name for name in Settings().score.metrics if name not in files or name in there]
    score: dict[str, Any] = {"metrics": metrics, "weights": there}
    own: dict[str, dict[str, Any]] = {}
    if space == "mobilenet":
        weights = SHARED / "weights" / MOBILENET
        if not weights.is_file():
            raise SystemExit("no weights beside the project (../shared/data or PIXSORTD_TEST_DATA)")
        own[space] = {"model": "timm:mobilenetv2_100", "weights": str(weights), "args": {"pad_type": "same"}}
    elif space == "clip":
        own["clip"] = {"model": f"open_clip:{CLIP}", "weights": str(_random_clip(corpus.home()))}
    return {"embed": {"space": space}, "score": score, "spaces": own}


def settings(given: Tables) -> Settings:
    """The same as the worker gets it."""
    return msgspec.convert(given, Settings)


def _random_clip(home: Path) -> Path:
    """A weights file of the right shapes, the same each time."""
    path = home / f"{CLIP}-random.safetensors"
    if not path.exists():
        import open_clip
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(0)
        home.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        save_file(open_clip.create_model(CLIP, pretrained=None).state_dict(), draft)
        draft.rename(path)
    return path
