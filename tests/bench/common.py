"""What every benchmark shares: the machine in words, the shape of a result, made libraries."""

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import write_photo


def machine() -> str:
    """Processor, cores and memory, as far as they can be read."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{model}, {os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Python {platform.python_version()}"


def result(
    name: str, value: float, target: str, holds: Callable[[float], bool], unit: str, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """One measurement in the form that all programs here print."""
    return {
        "name": name,
        "value": value,
        "target": target,
        "holds": bool(holds(value)),
        "unit": unit,
        "machine": machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "detail": dict(detail),
    }


def library(root: Path, count: int, size: tuple[int, int] = (320, 240)) -> Path:
    """``count`` made photos in directories of 100; every tenth scene repeats, so that there are groups."""
    for number in range(count):
        write_photo(root / f"{number // 100:04}" / f"{number:06}.jpg", seed=number, size=size)
    return root
