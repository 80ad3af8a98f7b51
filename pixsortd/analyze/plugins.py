"""Embedders and metrics by name, through entry points: ours take the same road as anybody's.

A name finds its family by the exact name of an entry point, else by what stands before its colon
(``timm:resnet18`` belongs to the entry point ``timm``). A metric's plain name that is no entry
point belongs to ``pyiqa``. Importing this module loads no model library.
"""

import difflib
import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import msgspec
import structlog

from pixsortd.analyze import weights
from pixsortd.analyze.ports import Embedder, EmbedderFamily, Metric, MetricFamily, PictureMetric
from pixsortd.config import Settings
from pixsortd.errors import DependencyMissing, ModelProblem, PixsortdError

EMBEDDERS = "pixsortd.embedders"
METRICS = "pixsortd.metrics"
_PLAIN_METRICS = "pyiqa"

log = structlog.get_logger()


@functools.cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def names(group: str) -> tuple[str, ...]:
    """The names of a group's entry points, sorted."""
    return tuple(sorted(_points(group)))


def embedder_family(model: str) -> EmbedderFamily:
    """The family that answers to a model's name; raises ``ModelProblem``."""
    family: EmbedderFamily = _family(EMBEDDERS, model)
    return family


def metric_family(name: str) -> MetricFamily:
    """The family that answers to a metric's name; raises ``ModelProblem``."""
    family: MetricFamily = _family(METRICS, name if _point(METRICS, name) is not None else _PLAIN_METRICS)
    return family


def embedder(name: str, settings: Settings, device: str) -> Embedder:
    """The model of the space ``name``: a ``[spaces.NAME]`` table, or a model's own name.

    Raises ``WeightsMissing``, ``WeightsDamaged``, ``DependencyMissing`` or another ``ModelProblem``.
    """
    own = settings.spaces.get(name)
    model = own.model if own is not None else name
    loaded: Embedder = _guarded(name, lambda: embedder_family(model).load(model, own, settings.models, device))
    if loaded.space.name != name:
        loaded.space = msgspec.structs.replace(loaded.space, name=name)
    log.info("embedder loaded", space=name, model=loaded.space.model, revision=loaded.space.revision, device=device)
    return loaded


def metric(name: str, settings: Settings, device: str) -> Metric | PictureMetric:
    """The quality metric ``name``; raises as :func:`embedder` does."""
    weights.use_torch_cache(settings.models)
    score = settings.score
    family = metric_family(name)
    long_side = score.long_side or family.long_side
    loaded: Metric | PictureMetric = _guarded(
        name, lambda: family.load(name, score.weights.get(name), long_side, device)
    )
    if loaded.info.name != name:
        loaded.info = msgspec.structs.replace(loaded.info, name=name)
    log.info("metric loaded", metric=name, version=loaded.info.version, device=loaded.device)
    return loaded


def _point(group: str, name: str) -> EntryPoint | None:
    points = _points(group)
    prefix, colon, _ = name.partition(":")
    return points.get(name) or (points.get(prefix) if colon else None)


def _family(group: str, name: str) -> Any:
    point = _point(group, name)
    if point is None:
        if not _points(group):
            raise DependencyMissing(
                "pixsortd's own plug-ins are not registered", next_step="Install the package: `pip install -e .`."
            )
        near = difflib.get_close_matches(name, names(group), n=1)
        raise ModelProblem(
            f"nothing answers to the model name {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            next_step=f"Known: {', '.join(names(group))}; general forms are open_clip:ARCH/TAG, transformers:REPO "
            "and timm:NAME.",
        )
    return _guarded(name, point.load)


def _guarded(name: str, load: Any) -> Any:
    """Whatever a plug-in does wrong while loading becomes a ``ModelProblem``."""
    try:
        return load()
    except PixsortdError:
        raise
    except ImportError as error:
        raise DependencyMissing(
            f"{name} needs a package that cannot be imported ({weights.first_line(error)})",
            next_step=f"Install {error.name}." if error.name else "Install what it needs.",
        ) from error
    except Exception as error:  # a plug-in's failure disables that plug-in only
        raise ModelProblem(
            f"{name} cannot be loaded ({type(error).__name__}: {weights.first_line(error)})",
            next_step="Look at the log; then correct the configuration or the plug-in.",
        ) from error
