"""The loaded models and metrics, and for every other one the reason why it is not there."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import structlog
from PIL import Image

from pixsortd.analyze.batches import Limit, free_memory
from pixsortd.analyze.ports import Array, Batched, Embedder, Floats, Metric, Picture, PictureMetric
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
LoadMetric = Callable[[str, Settings, str], Metric | PictureMetric]
Busy = Callable[[str, Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class _Board(Generic[T]):
    """The loaded models of one kind, and what is particular to that kind."""

    load: Callable[[str, Settings, str], T]
    probe: Callable[[T], None]
    """Raises where the model does not do its work on a made picture."""
    told: Callable[[T], dict[str, Any]]
    """What an ability says of the model."""
    loaded: dict[str, T] = field(default_factory=dict)


class Shelf:
    """Loads what the settings ask for, once each; what failed is tried again by ``survey``."""

    def __init__(
        self, settings: Settings, device: str, load_embedder: LoadEmbedder, load_metric: LoadMetric, busy: Busy
    ) -> None:
        self._settings = settings
        self._device = device
        self._busy = busy
        self._spaces = _Board(load_embedder, _probe_embedder, _told_of_embedder)
        self._metrics = _Board(load_metric, _probe_metric, _told_of_metric)
        self._boards: dict[str, _Board[Any]] = {"space": self._spaces, "metric": self._metrics}
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
        return max((embedder.needs for embedder in self._spaces.loaded.values()), default=0)

    @property
    def long_side(self) -> int:
        """Pixels of the long side that serve every loaded metric."""
        return max((metric.info.long_side for metric in self._metrics.loaded.values()), default=0)

    def survey(self) -> list[Ability]:
        """Try to load everything that is wanted and not there yet; say how it stands."""
        for kind, name in self._wanted():
            self._model(kind, name)
        return self.states()

    def states(self) -> list[Ability]:
        """How everything stands, without trying again what failed before."""
        wanted = self._wanted()
        if wanted[0][1] not in self._spaces.loaded and ("space", FALLBACK) not in wanted:
            self._model("space", FALLBACK)
            wanted.insert(len(self.wanted_spaces), ("space", FALLBACK))
        return [self._ability(kind, name) for kind, name in wanted]

    def load(self, wishes: Iterable[Wants]) -> None:
        """Have everything there that is wished for, as far as it can be had."""
        wanted = list(wishes)
        for name in dict.fromkeys(name for wish in wanted for name in wish.spaces):
            self.embedder(name)
        for name in dict.fromkeys(name for wish in wanted for name in wish.metrics):
            self.metric(name)

    def embedder(self, name: str) -> Embedder | None:
        """The model of that space if it can be used; tries to load it the first time it is asked for."""
        return self._spaces.loaded.get(name) or self._first_asked("space", name)

    def metric(self, name: str) -> Metric | PictureMetric | None:
        """The metric of that name if it can be used; tries to load it the first time it is asked for."""
        return self._metrics.loaded.get(name) or self._first_asked("metric", name)

    def still_works(self, kind: str, name: str) -> bool:
        """Whether a model that just failed on a picture does its work on a made one; if not, it is put away."""
        board = self._boards[kind]
        model = board.loaded.get(name)
        if model is None:
            return False
        try:
            board.probe(model)
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            self.put_away(kind, name, error)
            return False
        return True

    def put_away(self, kind: str, name: str, error: Exception) -> None:
        """Stop using a model, with the reason; the next survey tries it again."""
        self._reasons[kind, name] = _reason(error)
        self._boards[kind].loaded.pop(name, None)
        free_memory()
        log.error("model put away", kind=kind, name=name, error=str(error))

    def limit(self, name: str, model: object = None) -> Limit:
        """The batch size the model of that name is known to take; at first the one it asks for."""
        return self.limits.setdefault(name, Limit(model.batch) if isinstance(model, Batched) else Limit())

    @property
    def together(self) -> int:
        """How many pictures the model with the largest batches takes at once."""
        return max((limit.size for limit in self.limits.values()), default=Limit().size)

    def clear(self) -> None:
        """Let go of everything."""
        for board in self._boards.values():
            board.loaded.clear()
        free_memory()

    def _wanted(self) -> list[tuple[str, str]]:
        """Kind and name of everything that is configured, the main space first."""
        spaces = [("space", name) for name in self.wanted_spaces]
        return spaces + [("metric", name) for name in dict.fromkeys(self._settings.score.metrics)]

    def _first_asked(self, kind: str, name: str) -> Any:
        return None if (kind, name) in self._reasons else self._model(kind, name)

    def _model(self, kind: str, name: str) -> Any:
        """The model of that name, loaded now where it is not there yet; None where it cannot be had."""
        board = self._boards[kind]
        if name not in board.loaded:
            self._busy(f"load:{name}", ())
            model = self._load(kind, name, board)
            if model is not None:
                board.loaded[name] = model
        return board.loaded.get(name)

    def _load(self, kind: str, name: str, board: _Board[T]) -> T | None:
        started = time.perf_counter()
        first: Exception | None = None
        for device in dict.fromkeys((self._device, "cpu")):
            try:
                model = board.load(name, self._settings, device)
                board.probe(model)
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

    def _ability(self, kind: str, name: str) -> Ability:
        board = self._boards[kind]
        model = board.loaded.get(name)
        return Ability(
            kind=kind,
            name=name,
            state=AbilityState.UNAVAILABLE if model is None else AbilityState.READY,
            reason=self._reasons.get((kind, name)),
            at=time.time(),
            **({} if model is None else board.told(model)),
        )


def checked(vectors: Array, count: int, dim: int) -> Floats:
    """``vectors`` if they are what an embedder promises; raises ``ValueError``."""
    if vectors.shape != (count, dim) or not np.isfinite(vectors).all():
        raise ValueError(f"the model gave {vectors.shape} or infinite values instead of {(count, dim)} numbers")
    return vectors


def _probe_embedder(embedder: Embedder) -> None:
    ready = embedder.prepare(ImageView.of(Image.fromarray(_made_picture())))
    checked(embedder.embed(ready[None]), 1, embedder.space.dim)


def _told_of_embedder(embedder: Embedder) -> dict[str, Any]:
    return {"space": embedder.space, "device": embedder.device}


def _probe_metric(metric: Metric | PictureMetric) -> None:
    scored(metric, [_made_picture()])


def _told_of_metric(metric: Metric | PictureMetric) -> dict[str, Any]:
    return {"metric": metric.info, "device": metric.device, "inline": isinstance(metric, PictureMetric)}


def scored(metric: Metric | PictureMetric, pictures: Sequence[Array]) -> Sequence[float]:
    """Raw scores of pictures uint8 [h, w, 3] of one size; raises ``ValueError`` if there are not as many."""
    if isinstance(metric, PictureMetric):
        return [metric.measure(Picture(picture)) for picture in pictures]
    pixels = np.stack([np.moveaxis(picture, 2, 0) for picture in pictures])
    scores = metric.score(pixels.astype(np.float32) / np.float32(255))
    if len(scores) != len(pictures):
        raise ValueError(f"the metric gave {len(scores)} scores for {len(pictures)} pictures")
    return scores


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
