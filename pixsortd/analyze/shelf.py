"""The loaded models and metrics, and for every other one the reason why it is not there."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
import structlog
from PIL import Image

from pixsortd.analyze.batches import Limit, free_memory
from pixsortd.analyze.ports import Array, Embedder, Floats, Metric
from pixsortd.analyze.view import ImageView
from pixsortd.analyze.work import first_words
from pixsortd.config import Settings
from pixsortd.errors import ModelProblem
from pixsortd.records import Ability, AbilityState, Reason, Wants

log = structlog.get_logger()

FALLBACK = "builtin"
"""The space that needs no weights: it stands in while the configured one is not ready."""

T = TypeVar("T")
LoadEmbedder = Callable[[str, Settings, str], Embedder]
LoadMetric = Callable[[str, Settings, str], Metric]
Busy = Callable[[str, Sequence[int]], None]


class Shelf:
    """Loads what the settings ask for, once each; what failed is tried again by ``survey``."""

    def __init__(
        self, settings: Settings, device: str, load_embedder: LoadEmbedder, load_metric: LoadMetric, busy: Busy
    ) -> None:
        self._settings = settings
        self._device = device
        self._load_embedder = load_embedder
        self._load_metric = load_metric
        self._busy = busy
        self._spaces: dict[str, Embedder] = {}
        self._metrics: dict[str, Metric] = {}
        self._reasons: dict[tuple[str, str], Reason] = {}
        self.limits: dict[str, Limit] = {}

    @property
    def wanted_spaces(self) -> tuple[str, ...]:
        """The configured spaces, the main one first."""
        embed = self._settings.embed
        return tuple(dict.fromkeys((embed.space, *embed.also)))

    @property
    def short_side(self) -> int:
        """Pixels of the short side that serve every loaded model."""
        return max((embedder.needs for embedder in self._spaces.values()), default=0)

    def survey(self) -> list[Ability]:
        """Try to load everything that is wanted and not there yet; say how it stands."""
        for name in self.wanted_spaces:
            self._space(name)
        for name in self._settings.score.metrics:
            self._metric(name)
        return self.states()

    def states(self) -> list[Ability]:
        """How everything stands, without trying again what failed before."""
        names = list(self.wanted_spaces)
        if names[0] not in self._spaces and FALLBACK not in names:
            self._space(FALLBACK)
            names.append(FALLBACK)
        spaces = [self._space_ability(name) for name in names]
        return spaces + [self._metric_ability(name) for name in dict.fromkeys(self._settings.score.metrics)]

    def load(self, wishes: Iterable[Wants]) -> None:
        """Have everything there that is wished for, as far as it can be had."""
        wanted = list(wishes)
        for name in dict.fromkeys(name for wish in wanted for name in wish.spaces):
            self.embedder(name)
        for name in dict.fromkeys(name for wish in wanted for name in wish.metrics):
            self.metric(name)

    def embedder(self, name: str) -> Embedder | None:
        """The model of that space if it can be used; tries to load it the first time it is asked for."""
        return self._spaces.get(name) or (None if ("space", name) in self._reasons else self._space(name))

    def metric(self, name: str) -> Metric | None:
        """The metric of that name if it can be used; tries to load it the first time it is asked for."""
        return self._metrics.get(name) or (None if ("metric", name) in self._reasons else self._metric(name))

    def still_works(self, kind: str, name: str) -> bool:
        """Whether a model that just failed on a picture does its work on a made one; if not, it is put away."""
        try:
            if kind == "space":
                _probe_embedder(self._spaces[name])
            else:
                _probe_metric(self._metrics[name])
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            self.put_away(kind, name, error)
            return False
        return True

    def put_away(self, kind: str, name: str, error: Exception) -> None:
        """Stop using a model, with the reason; the next survey tries it again."""
        self._reasons[kind, name] = _reason(error)
        (self._spaces if kind == "space" else self._metrics).pop(name, None)
        free_memory()
        log.error("model put away", kind=kind, name=name, error=str(error))

    def limit(self, name: str) -> Limit:
        """The batch size the model of that name is known to take."""
        return self.limits.setdefault(name, Limit())

    @property
    def together(self) -> int:
        """How many pictures the model with the largest batches takes at once."""
        return max((limit.size for limit in self.limits.values()), default=Limit().size)

    def clear(self) -> None:
        """Let go of everything."""
        self._spaces.clear()
        self._metrics.clear()
        free_memory()

    def _space(self, name: str) -> Embedder | None:
        if name not in self._spaces:
            self._busy(f"load:{name}", ())
            embedder = self._load("space", name, self._load_embedder, _probe_embedder)
            if embedder is not None:
                self._spaces[name] = embedder
        return self._spaces.get(name)

    def _metric(self, name: str) -> Metric | None:
        if name not in self._metrics:
            self._busy(f"load:{name}", ())
            metric = self._load("metric", name, self._load_metric, _probe_metric)
            if metric is not None:
                self._metrics[name] = metric
        return self._metrics.get(name)

    def _load(
        self, kind: str, name: str, load: Callable[[str, Settings, str], T], probe: Callable[[T], None]
    ) -> T | None:
        started = time.perf_counter()
        first: Exception | None = None
        for device in dict.fromkeys((self._device, "cpu")):
            try:
                model = load(name, self._settings, device)
                probe(model)
            # Loading runs foreign code on foreign files and drivers; none of it may cost more than this model.
            except Exception as error:  # noqa: BLE001
                first = first or error
                # A missing or damaged file is missing on every device.
                if isinstance(error, ModelProblem) and type(error) is not ModelProblem:
                    break
                continue
            self._reasons.pop((kind, name), None)
            if first is not None:
                self._reasons[kind, name] = _on_cpu(first)
            log.info("model ready", kind=kind, name=name, device=device, seconds=_since(started))
            return model
        assert first is not None
        self._reasons[kind, name] = _reason(first)
        log.warning("model not available", kind=kind, name=name, reason=str(first))
        return None

    def _space_ability(self, name: str) -> Ability:
        embedder = self._spaces.get(name)
        return Ability(
            kind="space",
            name=name,
            state=AbilityState.UNAVAILABLE if embedder is None else AbilityState.READY,
            reason=self._reasons.get(("space", name)),
            space=None if embedder is None else embedder.space,
            device="" if embedder is None else embedder.device,
            at=time.time(),
        )

    def _metric_ability(self, name: str) -> Ability:
        metric = self._metrics.get(name)
        return Ability(
            kind="metric",
            name=name,
            state=AbilityState.UNAVAILABLE if metric is None else AbilityState.READY,
            reason=self._reasons.get(("metric", name)),
            metric=None if metric is None else metric.info,
            device="" if metric is None else metric.device,
            at=time.time(),
        )


def checked(vectors: Array, count: int, dim: int) -> Floats:
    """``vectors`` if they are what an embedder promises; raises ``ValueError``."""
    if vectors.shape != (count, dim) or not np.isfinite(vectors).all():
        raise ValueError(f"the model gave {vectors.shape} or infinite values instead of {(count, dim)} numbers")
    return vectors


def _probe_embedder(embedder: Embedder) -> None:
    ready = embedder.prepare(ImageView.of(Image.fromarray(_made_picture())))
    checked(embedder.embed(ready[None]), 1, embedder.space.dim)


def _probe_metric(metric: Metric) -> None:
    pixels: Floats = np.moveaxis(_made_picture(), 2, 0)[None].astype(np.float32) / np.float32(255)
    if len(metric.score(pixels)) != 1:
        raise ValueError("the metric did not give one score for one picture")


def _made_picture() -> Array:
    """A picture with edges, gradients and noise, as any model must be able to take."""
    height, width = 288, 384
    y, x = np.mgrid[0:height, 0:width]
    base = (x // 24 + y // 24) % 2 * 60 + x * 100 // width + 40
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 3))
    return np.asarray((base[..., None] + noise).clip(0, 255), np.uint8)


def _reason(error: Exception) -> Reason:
    if isinstance(error, ModelProblem):
        return error.reason()
    message = f"{type(error).__name__}: {first_words(error)}"
    return Reason(code="model", message=message, next_step="See the daemon's log.")


def _on_cpu(error: Exception) -> Reason:
    return Reason(
        code="device",
        message=f"it runs on the CPU, the device refused: {_reason(error).message}",
        next_step="Look at the driver; the device is tried again when the worker restarts.",
    )


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 2)
