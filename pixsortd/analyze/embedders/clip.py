"""CLIP image towers through open_clip: ``clip`` and ``open_clip:ARCH/TAG``.

The preprocessing is that of the tag, also for a local file: open_clip itself falls back to
OpenAI's values when it is given a bare file, which is silently wrong for many checkpoints
(https://github.com/mlfoundations/open_clip/issues/1068).
"""

import os
from collections.abc import Mapping
from typing import Any

from pixsortd.analyze import torchvision_ops, weights
from pixsortd.analyze.embedders.engine import Features
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.embedders.torch_model import TorchEmbedder, call, described
from pixsortd.analyze.weights import Origin
from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem

_PREFIX = "open_clip:"
_ALIASES = {"clip": "open_clip:ViT-B-32/datacomp_xl_s13b_b90k"}
_KNOWN = {
    "open_clip:ViT-B-32/datacomp_xl_s13b_b90k": Origin(
        repo="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        weights=("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
        license="MIT",
    )
}
_PREPROCESS = "force_preprocess_cfg"
_NEEDED = ("mean", "std", "interpolation", "resize_mode")


class OpenClip:
    """The family of open_clip models."""

    names = ("clip", _PREFIX)
    license = "MIT"
    needs_weights = True

    def origin(self, name: str, settings: SpaceSettings | None) -> Origin | None:
        """Where the weights are published; None for a tag with no repository on the hub."""
        full = _ALIASES.get(name, name)
        known = _KNOWN.get(full) or _published(*_parts(full))
        return weights.pinned(known, settings) if known is not None else None

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> TorchEmbedder:
        """The image tower of ``name``, weights checked strictly."""
        full = _ALIASES.get(name, name)
        arch, tag = _parts(full)
        args = dict(settings.args) if settings is not None else {}
        origin = None if settings is not None and settings.weights else self.origin(name, settings)
        found = weights.find(origin, settings, models, name)
        config = _preprocess_config(arch, tag, args.pop(_PREPROCESS, {}))
        model = _build(arch, config, args, found, full)
        tower, features = _tower(model)
        return TorchEmbedder(
            tower,
            name=name,
            model=described(full, args),
            weights=found,
            preprocessing=_preprocessing(config, model.visual.image_size),
            device=device,
            features=features,
        )


family = OpenClip()


def _parts(full: str) -> tuple[str, str]:
    arch, _, tag = full.removeprefix(_PREFIX).partition("/")
    return arch, tag


def _open_clip() -> Any:
    torchvision_ops.make_importable()
    import open_clip

    return open_clip


def _published(arch: str, tag: str) -> Origin | None:
    """The repository open_clip's own registry names for a tag."""
    open_clip = _open_clip()
    place = str(open_clip.get_pretrained_cfg(arch, tag).get("hf_hub", "")) if tag else ""
    if not place:
        return None
    repo, file = os.path.split(place)
    if not file:
        return Origin(repo=repo, weights=("open_clip_model.safetensors", "open_clip_pytorch_model.bin"))
    stem, suffix = os.path.splitext(file)
    return Origin(repo=repo, weights=tuple(dict.fromkeys((f"{stem}.safetensors", f"{stem}{suffix}"))))


def _preprocess_config(arch: str, tag: str, forced: Mapping[str, Any]) -> dict[str, Any]:
    open_clip = _open_clip()
    if arch not in open_clip.list_models():
        raise ModelProblem(
            f"open_clip has no architecture {arch!r}", next_step=f"Known: {_near(arch, open_clip.list_models())}."
        )
    config = {**open_clip.get_pretrained_cfg(arch, tag), **forced}
    if any(key not in config for key in _NEEDED):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(arch)) or "none"
        raise ModelProblem(
            f"open_clip does not know how photos are prepared for {arch} with {tag or 'no'} tag",
            next_step=f"Name one of its tags ({tags}) as {_PREFIX}{arch}/TAG, or give {', '.join(_NEEDED)} in "
            f"args.{_PREPROCESS} of a [spaces.NAME] table.",
        )
    return config


def _near(word: str, words: list[str]) -> str:
    import difflib

    return ", ".join(difflib.get_close_matches(word, words, n=5, cutoff=0.3)) or ", ".join(words[:5])


def _build(arch: str, config: Mapping[str, Any], args: Mapping[str, Any], found: weights.Weights, full: str) -> Any:
    # A checkpoint trained with QuickGELU gives other features without it, and nothing else shows it.
    args = {"force_quick_gelu": bool(config.get("quick_gelu", False)), **args}
    try:
        return _open_clip().create_model(
            arch, pretrained=found.path, pretrained_image=False, pretrained_text=False, weights_only=True, **args
        )
    except Exception as error:
        state, own = set(weights.read_state(found)), _tensor_names(arch, args)
        raise weights.mismatch(found, full, own - state, state - own, error) from error


def _tensor_names(arch: str, args: Mapping[str, Any]) -> set[str]:
    try:
        empty = _open_clip().create_model(arch, load_weights=False, pretrained_text=False, **args)
    except Exception as error:
        raise ModelProblem(
            f"open_clip cannot build {arch} ({type(error).__name__}: {weights.first_line(error)})",
            next_step="Check the arguments of the space.",
        ) from error
    return set(empty.state_dict())


def _tower(model: Any) -> tuple[Any, Features]:
    """The image half alone where it stands alone, so that the text half's memory is given back."""
    from open_clip.model import CLIP, CustomTextCLIP

    if type(model) in (CLIP, CustomTextCLIP):
        return model.visual, call
    return model, lambda whole, pixels: whole.encode_image(pixels)


def _preprocessing(config: Mapping[str, Any], image_size: int | tuple[int, int]) -> Preprocessing:
    size = (image_size, image_size) if isinstance(image_size, int) else (image_size[0], image_size[1])
    mode = str(config["resize_mode"])
    return Preprocessing(
        resize="cover" if mode == "shortest" and size[0] != size[1] else mode,
        size=size,
        crop=size,
        interpolation=str(config["interpolation"]),
        mean=_three(config["mean"]),
        std=_three(config["std"]),
        fill=(int(config.get("fill_color", 0)),) * 3,
    )


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = values
    return (float(first), float(second), float(third))
