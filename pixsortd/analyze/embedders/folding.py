"""Batch normalisation folded into the convolution before it: the same function with one pass less.

At inference a batch normalisation is a fixed scale and shift per channel, which the convolution's own
weights can carry (Jacob et al. 2018, section 3.2). On a CPU the pass it saves is bound by memory.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-4
"""Folding must not move any feature further than this, relative to the largest one."""


def fold(model: "torch.nn.Module", run: Callable[[], "torch.Tensor"]) -> int:
    """Fold in place what one ``run`` of the model shows to be foldable; returns how many layers went.

    A layer goes where its only input is what a convolution just gave. Should the model's output differ
    afterwards (the convolution's result was used elsewhere too), all is put back and 0 returned.
    ``model`` is in evaluation mode.
    """
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    if not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()):
        return 0
    with torch.no_grad():  # weights made in inference mode could not be used outside it
        pairs, before = _observed(model, run)
        if not pairs:
            return 0
        kept = [(conv, conv.weight, conv.bias, name, norm) for conv, name, norm in pairs]
        for conv, name, norm in pairs:
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
            _put(model, name, _rest(norm))
        if torch.allclose(run(), before, rtol=0, atol=TOLERANCE * float(before.abs().max())):
            return len(pairs)
        for conv, weight, bias, name, norm in kept:
            conv.weight, conv.bias = weight, bias
            _put(model, name, norm)
    return 0


def _observed(
    model: "torch.nn.Module", run: Callable[[], "torch.Tensor"]
) -> tuple[list[tuple[Any, str, Any]], "torch.Tensor"]:
    """(convolution, name of the layer after it, that layer) of all pairs that run once, and the model's output."""
    import torch

    made: list[tuple[Any, Any]] = []  # with the tensors, so that none is freed and its place taken by another
    met: list[tuple[Any, str, Any]] = []

    def convolved(conv: Any, _: Any, output: Any) -> None:
        made.append((conv, output))

    def normalised(name: str) -> Any:
        def hook(norm: Any, inputs: Any) -> None:
            met.extend((conv, name, norm) for conv, output in made if output is inputs[0])

        return hook

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            hooks.append(module.register_forward_hook(convolved))
        elif isinstance(module, torch.nn.BatchNorm2d) and module.track_running_stats and module.affine:
            hooks.append(module.register_forward_pre_hook(normalised(name)))
    try:
        output = run()
    finally:
        for hook in hooks:
            hook.remove()
    convs, norms = [conv for conv, _ in made], [name for _, name, _ in met]
    return [pair for pair in met if convs.count(pair[0]) == 1 and norms.count(pair[1]) == 1], output


def _rest(norm: Any) -> Any:
    """What a layer does after normalising: timm's also drop and activate."""
    import torch

    return torch.nn.Sequential(*(getattr(norm, part) for part in ("drop", "act") if hasattr(norm, part)))


def _put(model: Any, name: str, module: Any) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
