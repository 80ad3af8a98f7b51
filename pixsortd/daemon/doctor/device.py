"""Is the device there that the models shall run on?"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pixsortd.config import Settings
from pixsortd.daemon.doctor.finding import Finding, fail, ok, warn
from pixsortd.records import Record

CHECK = "device"
PATIENCE = 60
ASK_TORCH = (
    "import json, torch; c = torch.cuda; there = c.is_available(); "
    "m = getattr(torch.backends, 'mps', None); "
    "print(json.dumps({'torch': torch.__version__, 'cuda': c.get_device_name(0) if there else None, "
    "'built_for_cuda': torch.version.cuda, 'mps': bool(m and m.is_available())}))"
)
"""Runs in a process of its own: nothing here loads torch."""


class Torch(Record, frozen=True, kw_only=True):
    """What torch says of itself."""

    torch: str
    cuda: str | None = None
    built_for_cuda: str | None = None
    mps: bool = False


def device_is_there(settings: Settings) -> Iterator[Finding]:
    """Judge ``embed.device`` against the hardware and what torch can use of it."""
    yield judge(settings.embed.device, nvidia=nvidia(), torch=ask_torch())


def nvidia() -> str:
    """The name of the NVIDIA device the driver shows, empty where there is none."""
    if not Path("/dev/nvidia0").exists() and not Path("/dev/nvidiactl").exists():
        return ""
    try:
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout.split("\n")
        return names[0].strip() or "an NVIDIA device"
    except (OSError, subprocess.SubprocessError):
        return "an NVIDIA device"


def ask_torch() -> Torch | str:
    """What torch says in a child process, or why it says nothing."""
    try:
        child = subprocess.run([sys.executable, "-c", ASK_TORCH], capture_output=True, timeout=PATIENCE, check=False)
        return msgspec.json.decode(child.stdout, type=Torch)
    except subprocess.TimeoutExpired:
        return f"it did not start within {PATIENCE} s"
    except msgspec.DecodeError:
        last = child.stderr.decode(errors="replace").strip().splitlines()
        return last[-1] if last else "it ended without a word"


def judge(wanted: str, *, nvidia: str, torch: Torch | str) -> Finding:
    """Whether the wanted device will be used; CPU is always fine where nothing better is there."""
    if isinstance(torch, str):
        return fail(
            CHECK, f"torch cannot be loaded: {torch}", "Install again: `pip install .`; `builtin` needs no torch."
        )
    if torch.cuda:
        return ok(CHECK, f"CUDA on {torch.cuda} (torch {torch.torch})")
    if torch.mps and wanted in ("auto", "mps"):
        return ok(CHECK, f"MPS (torch {torch.torch})")
    if wanted not in ("auto", "cpu"):
        step = 'Set embed.device to "auto", or install the driver and a torch that is built for it.'
        return fail(CHECK, f"embed.device is {wanted}, but torch {torch.torch} finds no such device", step)
    if nvidia and wanted == "auto":
        why = "is built for the CPU only" if torch.built_for_cuda is None else "finds no working driver"
        step = "Install a torch with CUDA: see https://pytorch.org/get-started/locally/."
        return warn(CHECK, f"{nvidia} is there, but torch {torch.torch} {why}, so the CPU is used", step)
    return ok(CHECK, f"CPU (torch {torch.torch})")
