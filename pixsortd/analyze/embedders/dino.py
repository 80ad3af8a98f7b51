"""Vision models through transformers: ``dinov2``, ``dinov3`` and ``transformers:REPO``.

The embedding is the class token after the final normalisation (what DINOv2 and DINOv3 call the
pooled output), or the pooled output of models that have no tokens.
"""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pixsortd.analyze import torchvision_ops, weights
from pixsortd.analyze.embedders.preprocess import Preprocessing, Size
from pixsortd.analyze.embedders.torch_model import TorchEmbedder, described
from pixsortd.analyze.weights import Origin
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsDamaged, WeightsMissing

if TYPE_CHECKING:
    import torch

_PREFIX = "transformers:"
_WEIGHTS, _CONFIG, _PROCESSOR = "weights", "config.json", "preprocessor_config.json"
_EXTRA = (_CONFIG, _PROCESSOR)
_KNOWN = {
    "dinov2": Origin(repo="facebook/dinov2-small", extra=_EXTRA, license="Apache-2.0"),
    "dinov3": Origin(
        repo="facebook/dinov3-vits16-pretrain-lvd1689m", extra=_EXTRA, license="DINOv3 License", gated=True
    ),
}
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_UNUSED = ("classifier.", "pooler.", "head.")
"""Parts a checkpoint may bring or lack without changing the class token."""


class Transformers:
    """The family of transformers' vision models."""

    names = ("dinov2", "dinov3", _PREFIX)
    license = "Apache-2.0 (dinov2), DINOv3 License (dinov3), else the repository's"
    needs_weights = True

    def origin(self, name: str, settings: SpaceSettings | None) -> Origin:
        """The repository a name stands for."""
        found = _KNOWN.get(name) or Origin(repo=name.removeprefix(_PREFIX), extra=_EXTRA)
        return weights.pinned(found, settings)

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> TorchEmbedder:
        """The model of ``name`` from the hub's cache, or from ``weights``: a directory or a file in one."""
        origin = self.origin(name, settings)
        if settings is not None and settings.weights:
            files = _own_files(settings.weights)
            found = weights.local_file(files[_WEIGHTS], pin=settings.revision)
        else:
            found = weights.cached_weights(origin, models, name)
            files = {file: weights.cached_file(origin, file, models, name) for file in _EXTRA}
        args = settings.args if settings is not None else {}
        preprocessing = _preprocessing(_json(files[_PROCESSOR]))
        model = _build(_json(files[_CONFIG]), args, found)
        return TorchEmbedder(
            model,
            name=name,
            model=described(f"{_PREFIX}{origin.repo}#cls", args),
            weights=found,
            preprocessing=preprocessing,
            device=device,
            features=_class_token,
        )


family = Transformers()


def _own_files(path: str) -> dict[str, str]:
    """The files of a local model: ``path`` is its directory, or the weights file inside it."""
    path = os.path.expanduser(path)
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    choices = [os.path.join(directory, name) for name in Origin(repo="").weights] if directory == path else [path]
    files = {file: os.path.join(directory, file) for file in _EXTRA}
    files[_WEIGHTS] = next((choice for choice in choices if os.path.isfile(choice)), choices[0])
    for file in files.values():
        if not os.path.isfile(file):
            raise WeightsMissing(
                "a file of the model is not there",
                path=file,
                next_step=f"Put the weights, {' and '.join(_EXTRA)}, as published together, into one directory.",
            )
    return files


def _json(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError) as error:
        raise WeightsDamaged(
            f"the model's description cannot be read ({weights.first_line(error)})", path=path
        ) from error
    if not isinstance(content, dict):
        raise WeightsDamaged("the model's description is not a JSON object", path=path)
    return content


def _build(config: Mapping[str, Any], args: Mapping[str, Any], found: weights.Weights) -> Any:
    torchvision_ops.make_importable()
    import torch
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    kind = str(config.get("model_type", ""))
    state = weights.read_state(found)
    try:
        settled = AutoConfig.for_model(kind, **{**{k: v for k, v in config.items() if k != "model_type"}, **args})
        with torch.device("meta"):
            kind_of_model = type(AutoModel.from_config(settled))
        model, report = kind_of_model.from_pretrained(
            None, config=settled, state_dict=state, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:
        raise ModelProblem(
            f"transformers cannot build this {kind or 'unnamed'} model "
            f"({type(error).__name__}: {weights.first_line(error)})",
            path=found.path,
            next_step="Check that the weights and config.json belong together.",
        ) from error
    missing, unexpected = (
        {key for key in report[what] if not key.startswith(_UNUSED)} for what in ("missing_keys", "unexpected_keys")
    )
    if missing or unexpected or report["mismatched_keys"]:
        missing |= {str(key[0]) for key in report["mismatched_keys"]}
        raise weights.mismatch(found, kind, missing, unexpected)
    return model


def _class_token(model: "torch.nn.Module", pixels: "torch.Tensor") -> "torch.Tensor":
    output = model(pixel_values=pixels)
    tokens: torch.Tensor = output.last_hidden_state
    return tokens[:, 0] if tokens.ndim == 3 else output.pooler_output


def _preprocessing(config: Mapping[str, Any]) -> Preprocessing:
    """The chain of ``preprocessor_config.json``, in the words of transformers' image processors."""
    size = _size(config.get("size", 224))
    if not config.get("do_resize", True) or not config.get("do_normalize", True):
        raise ModelProblem(
            "this model wants pictures of their own size or without normalisation, which is not supported"
        )
    crop = _size(config.get("crop_size", size)) if config.get("do_center_crop", False) else size
    given = config.get("size", {})
    square = isinstance(given, Mapping) and "height" in given
    mean, std = config["image_mean"], config["image_std"]
    return Preprocessing(
        resize="squash" if square else "shortest",
        size=size,
        crop=crop,
        interpolation=_FILTERS.get(int(config.get("resample", 2)), str(config.get("resample"))),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )


def _size(given: int | Mapping[str, int]) -> Size:
    if isinstance(given, int):
        return (given, given)
    short = given.get("shortest_edge")
    return (short, short) if short is not None else (given["height"], given["width"])
