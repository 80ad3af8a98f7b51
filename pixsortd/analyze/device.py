"""Where models run: ``auto`` is CUDA, then MPS, then the CPU."""

import os
import sys

_GPU_NODES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Without one of these a Linux machine has no GPU, and the seconds of importing torch are saved."""


def resolve_device(wanted: str) -> str:
    """``wanted`` as torch names it; ``auto`` becomes what this machine has."""
    if wanted != "auto":
        return wanted
    if sys.platform == "linux" and not any(os.path.exists(node) for node in _GPU_NODES):
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
