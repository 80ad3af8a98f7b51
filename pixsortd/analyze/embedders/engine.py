"""A net on a device, in the form that device computes fastest; pictures in, features out.

Everywhere: batch normalisations folded, channels last, pixels travel as bytes and are normalised where
the net is. On the CPU: bfloat16 where the processor multiplies it in hardware (twice as fast) and this
net's features stay what they are in float32 (``CLOSE``), so that both share one embedding space; else
float32. On CUDA: autocast to bfloat16, or float16 on older GPUs, and pixels copied while the net computes.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pixsortd.analyze.embedders.folding import fold
from pixsortd.analyze.embedders.preprocess import Preprocessing
from pixsortd.analyze.ports import Array

if TYPE_CHECKING:
    import torch

Features = Callable[["torch.nn.Module", "torch.Tensor"], "torch.Tensor"]
"""The net and pixels [n, 3, h, w], normalised, to features [n, dim] (or [n, dim, 1, 1])."""

CPU_BATCH = 16
"""Beyond it nothing gets faster, and convolutional nets leave the cache."""
GPU_BATCH = 256
CLOSE = 0.999
"""Cosine that features in bfloat16 must have with those in float32, on every probe picture."""
_PROBE = 8
_PART = 128
"""Pictures that travel to a GPU together, while it computes those before them."""


class Engine:
    """Runs a net over bytes; ``batch`` is how many pictures it best takes at once."""

    batch: int

    def __init__(self, net: "torch.nn.Module", features: Features, preprocessing: Preprocessing, device: str) -> None:
        import torch

        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (preprocessing.mean, preprocessing.std))
        self._scale, self._shift = (1 / (255 * std)).to(device), (-mean / std).to(device)
        self._features = features
        self._device = device
        net = net.eval().requires_grad_(False)
        examples = (torch.from_numpy(_example(_PROBE, preprocessing.crop)).permute(0, 3, 1, 2) / 255 - mean) / std
        fold(net, lambda: features(net, examples[:1]))
        halved = _halved(net, features, examples) if device == "cpu" and cpu_has_bfloat16() else None
        self._number = torch.float32 if halved is None else torch.bfloat16
        placed: Any = net if halved is None else halved
        self._net = placed.to(device, memory_format=torch.channels_last)
        self._lane: Callable[[Array], Iterator[torch.Tensor]] = CudaLane(device) if _is_cuda(device) else self._whole
        self.batch = self._fitting(preprocessing)

    def __call__(self, pictures: Array) -> "torch.Tensor":
        """Features, float32 [n, dim] on the device, of uint8 [n, h, w, 3]."""
        import torch

        with torch.inference_mode(), _autocast(self._device):
            parts = [self._part(part) for part in self._lane(np.ascontiguousarray(pictures))]
            return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _part(self, pictures: "torch.Tensor") -> "torch.Tensor":
        pixels = pictures.permute(0, 3, 1, 2).float().mul_(self._scale).add_(self._shift)
        return self._features(self._net, pixels.to(self._number)).float().flatten(1)

    def _whole(self, pictures: Array) -> "Iterator[torch.Tensor]":
        import torch

        yield torch.from_numpy(pictures).to(self._device)

    def _fitting(self, preprocessing: Preprocessing) -> int:
        """A first run, which also warms up; on a GPU it shows what one picture costs in memory."""
        import torch

        if not _is_cuda(self._device):
            self(_example(1, preprocessing.crop))
            return CPU_BATCH
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        self(_example(_PROBE, preprocessing.crop))
        each = (torch.cuda.max_memory_allocated(self._device) - before) // _PROBE
        return fitting(torch.cuda.mem_get_info(self._device)[0], each)


class CudaLane:
    """The way of pictures to a GPU: page-locked, on a stream of its own, in parts that overlap with computing."""

    def __init__(self, device: str) -> None:
        import torch

        self._device = device
        self._stream: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def __call__(self, pictures: Array) -> "Iterator[torch.Tensor]":
        """The parts in order, on the device. What is computed with one may still run when the next is asked for."""
        import torch

        for start in range(0, len(pictures), _PART):
            pinned = torch.from_numpy(pictures[start : start + _PART]).pin_memory()
            with torch.cuda.stream(self._stream):
                part = pinned.to(self._device, non_blocking=True)
            computing = torch.cuda.current_stream(self._device)
            computing.wait_stream(self._stream)
            part.record_stream(computing)  # so that its memory is not given to a later copy too early
            yield part


def fitting(free: int, each: int) -> int:
    """The largest power of two up to ``GPU_BATCH`` of which half of ``free`` bytes holds ``each`` bytes a picture."""
    most = max(1, min(GPU_BATCH, free // 2 // max(1, each)))
    return 1 << (most.bit_length() - 1)


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware (AVX-512 BF16, which every AMX has too)."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())


def _halved(net: "torch.nn.Module", features: Features, examples: "torch.Tensor") -> "torch.nn.Module | None":
    """The net in bfloat16, or None where that turns its features of the ``examples``."""
    import torch

    half = copy.deepcopy(net).bfloat16()
    with torch.inference_mode():
        exact, rough = features(net, examples).flatten(1), features(half, examples.bfloat16()).float().flatten(1)
        close = torch.nn.functional.cosine_similarity(exact, rough)
    return half if bool((close >= CLOSE).all()) else None


def _is_cuda(device: str) -> bool:
    return device.startswith("cuda")


def _autocast(device: str) -> contextlib.AbstractContextManager[Any]:
    import torch

    if not _is_cuda(device):
        return contextlib.nullcontext()
    return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)


def _example(count: int, size: tuple[int, int]) -> Array:
    """Pictures from fine to coarse noise, uint8 [count, *size, 3]: they reach every weight."""
    random = np.random.default_rng(0)
    made = np.empty((count, *size, 3), np.uint8)
    for number, picture in enumerate(made):
        grain = 1 << number % 5
        cells = [-(-side // grain) for side in size]
        coarse = random.integers(0, 256, (*cells, 3), np.uint8)
        picture[...] = coarse.repeat(grain, 0).repeat(grain, 1)[: size[0], : size[1]]
    return made
