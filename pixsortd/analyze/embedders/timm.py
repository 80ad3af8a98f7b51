"""Pooled features of timm's image models: ``resnet50`` and ``timm:NAME``.

The classifier is left out and the features before it are pooled as the model itself does. All
other weights must be there by name and shape. https://github.com/huggingface/pytorch-image-models
"""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from pixsortd.analyze import torchvision_ops, weights
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.embedders.torch_model import TorchEmbedder, described
from pixsortd.analyze.weights import Origin
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem

_PREFIX = "timm:"
_ALIASES = {"resnet50": "timm:resnet50.a1_in1k"}
_KNOWN = {"timm:resnet50.a1_in1k": Origin(repo="timm/resnet50.a1_in1k", license="Apache-2.0")}
_RESIZE = {"center": "shortest", "border": "longest"}


class Timm:
    """The family of timm models."""

    names = ("resnet50", _PREFIX)
    license = "Apache-2.0 (resnet50), else the repository's"
    needs_weights = True

    def origin(self, name: str, settings: SpaceSettings | None) -> Origin | None:
        """The repository timm's own registry names for a model."""
        full = _ALIASES.get(name, name)
        known = _KNOWN.get(full) or _published(full.removeprefix(_PREFIX))
        return weights.pinned(known, settings) if known is not None else None

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> TorchEmbedder:
        """The model of ``name`` without its classifier."""
        full = _ALIASES.get(name, name)
        args = settings.args if settings is not None else {}
        origin = None if settings is not None and settings.weights else self.origin(name, settings)
        found = weights.find(origin, settings, models, name)
        model = _build(full.removeprefix(_PREFIX), args, found)
        return TorchEmbedder(
            model,
            name=name,
            model=described(full, args),
            weights=found,
            preprocessing=_preprocessing(model, args),
            device=device,
        )


family = Timm()


def _timm() -> Any:
    torchvision_ops.make_importable()
    import timm

    return timm


def _published(model: str) -> Origin | None:
    config = _config(model)
    if not config.hf_hub_id:
        return None
    names = (config.hf_hub_filename,) if config.hf_hub_filename else Origin(repo="").weights
    return Origin(repo=config.hf_hub_id, weights=names, license=config.license or "")


def _config(model: str) -> Any:
    timm = _timm()
    arch = model.partition(".")[0]
    try:
        config = timm.get_pretrained_cfg(model) if timm.is_model(arch) else None
    except RuntimeError:  # a known architecture without that tag
        config = None
    if config is None:
        known = timm.list_models() if not timm.is_model(arch) else timm.list_pretrained(f"{arch}.*")
        near = ", ".join(difflib.get_close_matches(model, known, n=5, cutoff=0.3)) or "see timm.list_models()"
        raise ModelProblem(f"timm has no model {model!r}", next_step=f"Near: {near}.")
    return config


def _build(model: str, args: Mapping[str, Any], found: weights.Weights) -> Any:
    timm = _timm()
    config = _config(model)
    heads = (config.classifier,) if isinstance(config.classifier, str) else tuple(config.classifier or ())
    dropped = tuple(f"{head}." for head in heads)
    state = {name: value for name, value in weights.read_state(found).items() if not name.startswith(dropped)}
    # Through timm's own loader, whose filters rename old checkpoints; equal class counts make it strict.
    source = {"state_dict": state, "num_classes": 0, "custom_load": False}
    overlay = {"pretrained_cfg_overlay": {**args.get("pretrained_cfg_overlay", {}), **source}}
    try:
        built = timm.create_model(model, pretrained=True, num_classes=0, **{**args, **overlay})
    except Exception as error:
        own = _tensor_names(model, args)
        raise weights.mismatch(found, model, own - set(state), set(state) - own, error) from error
    built.pretrained_cfg.pop("state_dict", None)  # timm keeps a second copy of everything there
    return built


def _tensor_names(model: str, args: Mapping[str, Any]) -> set[str]:
    try:
        return set(_timm().create_model(model, pretrained=False, num_classes=0, **args).state_dict())
    except Exception as error:
        raise ModelProblem(
            f"timm cannot build {model} ({type(error).__name__}: {weights.first_line(error)})",
            next_step="Check the arguments of the space.",
        ) from error


def _preprocessing(model: Any, args: Mapping[str, Any]) -> Preprocessing:
    from timm.data import resolve_data_config

    sized = {"img_size": args["img_size"]} if isinstance(args.get("img_size"), int) else {}
    config = resolve_data_config(sized, model=model)
    _, height, width = config["input_size"]
    size = (math.floor(height / config["crop_pct"]), math.floor(width / config["crop_pct"]))
    resize = _RESIZE.get(config["crop_mode"], config["crop_mode"])
    mean, std = config["mean"], config["std"]
    return Preprocessing(
        resize="cover" if resize == "shortest" and size[0] != size[1] else resize,
        size=size,
        crop=(height, width),
        interpolation=config["interpolation"],
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        fill=tuple(round(255 * value) for value in mean) if resize == "longest" else (0, 0, 0),
    )
