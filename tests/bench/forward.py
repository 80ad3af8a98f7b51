"""Photos a second through each net, as the worker runs it, against the plain way: one by one, float32, no_grad.

The nets have random weights, which cost what real ones do. Prepared inputs in, unit vectors out; both sides
keep freed memory as the worker does. The table under ``batches`` shows what each batch size costs a photo.
"""

import copy
import ctypes
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pixsortd.analyze import torchvision_ops
from pixsortd.analyze.device import resolve_device
from pixsortd.analyze.embedders.dino import _class_token
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.embedders.torch_model import TorchEmbedder, call
from pixsortd.analyze.ports import Array, Embedder
from pixsortd.analyze.weights import Weights
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result

SIDE = 224
PREPROCESSING = Preprocessing(size=(SIDE, SIDE), crop=(SIDE, SIDE), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
BATCHES = {"cpu": (1, 4, 8, 16, 32), "cuda": (16, 64, 128, 256, 512)}
_TRIM, _MMAP = -1, -3


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The smallest of the nets' ratios."""
    parser = options("tests.bench forward", __doc__, "16 photos, 3 rounds")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    given = parser.parse_args(arguments)
    require_quiet(given.anyway)
    libc, device = ctypes.CDLL(None), resolve_device(given.device)
    libc.mallopt(_MMAP, 32 << 20)
    libc.mallopt(_TRIM, 256 << 20)
    detail: dict[str, Any] = {"device": device}
    ratios = []
    for name in given.nets:
        detail[name], ratio = _compared(name, device, 16 if given.quick else 64, 3 if given.quick else 5)
        ratios.append(ratio)
    return result("forward", min(ratios), ">= 1.2x for every net", lambda value: value >= 1.2, "x", detail)


def ceiling(embedder: Embedder, photos: int, batch: int | None = None, rounds: int = 5) -> float:
    """Seconds a photo of ``embedder`` alone, the median of ``rounds`` over ``photos`` made inputs.

    ``batch`` None takes the embedder's own. For embedders that take prepared pictures (all but ``builtin``).
    """
    size = batch or getattr(embedder, "batch", 32)
    inputs = _inputs(photos)
    seconds = [_seconds(lambda: embedder.embed(inputs[:size]))]  # the first is for what is made at the first call
    for _ in range(rounds):
        seconds.append(_seconds(lambda: [embedder.embed(inputs[at : at + size]) for at in range(0, photos, size)]))
    return statistics.median(seconds[1:]) / photos


def _compared(name: str, device: str, photos: int, rounds: int) -> tuple[dict[str, Any], float]:
    import torch

    torch.manual_seed(0)
    net, features = NETS[name]()
    naive = copy.deepcopy(net).to(device).eval()
    weights = Weights(path="", sha256="0" * 64)
    ours = TorchEmbedder(
        net, name=name, model=name, weights=weights, preprocessing=PREPROCESSING, device=device, features=features
    )
    inputs = _inputs(photos if device == "cpu" else 8 * photos)

    def plainly() -> None:
        with torch.no_grad():
            for picture in inputs:
                pixels = torch.from_numpy(picture).permute(2, 0, 1).contiguous()[None].to(device).float()
                torch.nn.functional.normalize(features(naive, (pixels / 255 - 0.5) / 0.25).flatten(1)).cpu().numpy()

    def batched() -> None:
        for start in range(0, len(inputs), ours.batch):
            ours.embed(inputs[start : start + ours.batch])

    contenders = {"plain": lambda: _seconds(plainly), "ours": lambda: _seconds(batched)}
    interleaved(contenders, 1)
    times = interleaved(contenders, rounds)
    ratio = median_ratio(times, "plain", "ours")
    rates = {side: round(len(inputs) / statistics.median(spent), 1) for side, spent in times.items()}
    sizes = [size for size in BATCHES["cpu" if device == "cpu" else "cuda"] if size <= len(inputs)]
    table = {size: round(1e3 * ceiling(ours, max(size, photos), size, rounds), 2) for size in sizes}
    row = {"photos a second": rates, "ratio": round(ratio, 2), "batch": ours.batch, "ms a photo by batch": table}
    return row, ratio


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _inputs(count: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def _clip() -> tuple[Any, Any]:
    torchvision_ops.make_importable()
    import open_clip

    return open_clip.create_model("ViT-B-32", load_weights=False, pretrained_text=False).visual.eval(), call


def _dinov2() -> tuple[Any, Any]:
    torchvision_ops.make_importable()
    import transformers

    small = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    return transformers.Dinov2Model(small).eval(), _class_token


def _timm(name: str) -> Callable[[], tuple[Any, Any]]:
    def make() -> tuple[Any, Any]:
        torchvision_ops.make_importable()
        import timm

        return timm.create_model(name, num_classes=0).eval(), call

    return make


NETS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "clip ViT-B-32": _clip,
    "dinov2 ViT-S/14": _dinov2,
    "resnet50": _timm("resnet50"),
    "mobilenetv2": _timm("mobilenetv2_100"),
}
