"""The one place that makes ``import torchvision`` safe beside a torch it was not built for.

The registry's torchvision is compiled for CUDA; beside a CPU build of torch its compiled part does
not load, and the import then fails because two operator schemas are unknown. None of torchvision's
operators is used here, so declaring the schemas is enough.
"""

import functools
import importlib.util
from pathlib import Path
from typing import Any

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def make_importable() -> Any:
    """Load torchvision's compiled operators, or declare the two schemas its import insists on.

    Idempotent; to be called before the first import of torchvision or of anything that imports it
    (open_clip, timm, pyiqa, transformers' image processors). Returns the library that owns the
    declarations, which must stay alive, or None where the compiled part works.
    """
    import torch

    ops: Any = torch.ops  # neither is typed
    library: Any = torch.library
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return None
    for compiled in Path(spec.origin).parent.glob("_C.*"):
        try:
            ops.load_library(str(compiled))
            return None
        except OSError:
            continue
    torchvision = library.Library("torchvision", "FRAGMENT")
    torchvision.define(f"nms{_NMS}")
    torchvision.define(f"qnms{_NMS}")
    return torchvision
