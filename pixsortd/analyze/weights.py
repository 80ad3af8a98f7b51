"""Weights on this machine: where they are, whether they are whole, and what they are called.

Weights are named by the first 16 hex digits of their SHA-256, wherever they came from, so the same
file fetched from the hub or given by path makes the same embedding space. Reading never runs code
from the file: safetensors, or ``torch.load`` with ``weights_only=True``. Nothing here uses the network.
"""

import functools
import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pixsortd.config import ModelSettings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsDamaged, WeightsMissing, explain_os_error
from pixsortd.records import Record

if TYPE_CHECKING:
    import torch

REVISION_DIGITS = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{8,64}")
_WRAPPERS = ("state_dict", "model", "params")


class Origin(Record, frozen=True, kw_only=True):
    """Where a model's weights come from: a repository of the hub, and which of its files."""

    repo: str
    revision: str = "main"
    weights: tuple[str, ...] = ("model.safetensors", "pytorch_model.bin")
    """Names the weights may have, best first; the first that exists is used."""
    extra: tuple[str, ...] = ()
    """Small files that must lie beside them."""
    license: str = ""
    """Empty: whatever the repository's card says."""
    gated: bool = False
    """The licence must be accepted on the hub's page, with an account, before the first download."""


class Weights(Record, frozen=True, kw_only=True):
    """A weights file that is whole."""

    path: str
    sha256: str

    @property
    def revision(self) -> str:
        """The short name that goes into the embedding space."""
        return self.sha256[:REVISION_DIGITS]


def hub_cache(models: ModelSettings) -> str:
    """The directory of hub files: ``models.dir``, else the hub's own cache (``HF_HOME``)."""
    if models.dir:
        return os.path.expanduser(models.dir)
    from huggingface_hub import constants

    return str(constants.HF_HUB_CACHE)


def use_torch_cache(models: ModelSettings) -> None:
    """Make torch's own cache follow ``models.dir``; an explicit ``TORCH_HOME`` wins."""
    if models.dir:
        os.environ["TORCH_HOME"] = os.environ.get("TORCH_HOME") or os.path.join(os.path.expanduser(models.dir), "torch")


def checksum(path: str) -> str:
    """SHA-256 of a file in hex; remembered while its size and times stay the same."""
    stat = os.stat(path)
    return _checksum(os.path.realpath(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@functools.lru_cache(maxsize=64)
def _checksum(path: str, *_stamp: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pull_step(name: str) -> str:
    """The advice for weights that can be fetched."""
    return f"Run `pixsortd models pull {name}` while the network is there."


def local_file(path: str, *, pin: str = "") -> Weights:
    """The user's own file; ``pin`` is the first hex digits its SHA-256 must have (or nothing)."""
    path = os.path.expanduser(path)
    try:
        digest = checksum(path)
    except FileNotFoundError:
        raise WeightsMissing(
            "the weights file is not there", path=path, next_step="Correct the path in the configuration."
        ) from None
    except OSError as error:
        what, advice = explain_os_error(error)
        raise WeightsMissing(f"the weights file cannot be read: {what}", path=path, next_step=advice) from error
    if _HEX.fullmatch(pin) and not digest.startswith(pin):
        raise WeightsDamaged(
            f"the weights file's SHA-256 begins with {digest[:REVISION_DIGITS]}, not with {pin}",
            path=path,
            next_step="Fetch the right file, or correct `revision` in the configuration.",
        )
    return Weights(path=path, sha256=digest)


def cached_path(origin: Origin, filename: str, models: ModelSettings) -> str | None:
    """The file of that name in the hub's cache, or None. Never asks the network."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        origin.repo, filename, cache_dir=hub_cache(models), revision=origin.revision or "main"
    )
    return found if isinstance(found, str) else None


def cached_file(origin: Origin, filename: str, models: ModelSettings, name: str) -> str:
    """As :func:`cached_path`, raising ``WeightsMissing`` where it is absent."""
    path = cached_path(origin, filename, models)
    if path is None:
        raise WeightsMissing(f"{filename} of {origin.repo} is not on this machine", next_step=pull_step(name))
    return path


def cached_weights(origin: Origin, models: ModelSettings, name: str) -> Weights:
    """The first of ``origin.weights`` found in the hub's cache, checked against the hub's own checksum."""
    for filename in origin.weights:
        path = cached_path(origin, filename, models)
        if path is None:
            continue
        digest = checksum(path)
        blob = os.path.basename(os.path.realpath(path))
        if _SHA256.fullmatch(blob) and blob != digest:
            raise WeightsDamaged(
                "the cached weights do not have the checksum the hub gave for them",
                path=path,
                next_step=pull_step(name),
            )
        return Weights(path=path, sha256=digest)
    raise WeightsMissing(f"the weights of {origin.repo} are not on this machine", next_step=pull_step(name))


def find(origin: Origin | None, settings: SpaceSettings | None, models: ModelSettings, name: str) -> Weights:
    """The weights for a space: the user's own file where one is named, else the hub's cache."""
    if settings is not None and settings.weights:
        return local_file(settings.weights, pin=settings.revision)
    if origin is None:
        raise WeightsMissing(
            f"{name} has no published weights",
            next_step="Give a file of your own: `weights = ...` in a [spaces.NAME] table.",
        )
    return cached_weights(origin, models, name)


def pinned(origin: Origin, settings: SpaceSettings | None) -> Origin:
    """``origin`` at the user's ``revision`` where one is given."""
    if settings is None or not settings.revision or settings.weights:
        return origin
    return msgspec.structs.replace(origin, revision=settings.revision)


def read_state(weights: Weights) -> "dict[str, torch.Tensor]":
    """The tensors of a weights file by name, on the CPU, without the wrappers of training scripts.

    Raises ``WeightsDamaged`` when the file is neither safetensors nor a plain torch checkpoint.
    """
    loader = _read_safetensors if weights.path.endswith(".safetensors") else _read_torch
    content = _guarded_load(loader, weights)
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    state = {name.removeprefix("module."): value for name, value in _tensors(content)}
    if not state:
        raise WeightsDamaged("the weights file holds no tensors", path=weights.path)
    return state


def check_checkpoint(weights: Weights) -> None:
    """Raise ``WeightsDamaged`` for a torch checkpoint that could run code or is not whole."""
    _guarded_load(_read_torch, weights)


def _guarded_load(loader: Callable[[str], Any], weights: Weights) -> Any:
    try:
        return loader(weights.path)
    except Exception as error:  # a hostile or truncated file fails in a dozen ways
        raise WeightsDamaged(
            f"the weights cannot be read safely ({type(error).__name__}: {first_line(error)})",
            path=weights.path,
            next_step="Fetch the file again; only safetensors and plain torch checkpoints are accepted.",
        ) from error


def _tensors(content: Any) -> "list[tuple[str, torch.Tensor]]":
    import torch

    if not isinstance(content, Mapping):
        return []
    return [(str(name), value) for name, value in content.items() if isinstance(value, torch.Tensor)]


def _read_safetensors(path: str) -> Any:
    from safetensors.torch import load_file

    return load_file(path, device="cpu")


def _read_torch(path: str) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


def first_line(error: BaseException) -> str:
    """The first line of a library's message, cut to what fits in a status line."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def mismatch(
    weights: Weights,
    model: str,
    missing: Collection[str],
    unexpected: Collection[str],
    error: BaseException | None = None,
) -> ModelProblem:
    """The error for a readable file that belongs to another model; ``error`` speaks where the names agree."""
    names = f"{_some('missing', missing)}, {_some('unexpected', unexpected)}"
    return WeightsDamaged(
        f"the weights do not fit {model}: {first_line(error) if error and not missing and not unexpected else names}",
        path=weights.path,
        next_step="Check that the file belongs to this model and these arguments.",
    )


def _some(word: str, names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} tensors {word}" + (f" ({shown})" if names else "")
