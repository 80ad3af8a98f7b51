"""Which models and metrics there are, which of them lie on this machine, and fetching the others.

For people: nothing is loaded here, except that a metric whose files are not known beforehand is
built once while it is fetched.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from pixsortd.analyze import download, hub, network, plugins, weights
from pixsortd.analyze.metrics import pyiqa_registry
from pixsortd.analyze.metrics.pyiqa_registry import ParameterFile
from pixsortd.analyze.weights import Origin
from pixsortd.config import Settings, SpaceSettings
from pixsortd.errors import ModelProblem, WeightsMissing
from pixsortd.records import Reason, Record

KNOWN_METRICS = ("piqe", "brisque", "niqe", "musiq", "cnniqa", "liqe", "clipiqa+")
_TORCH = "https://download.pytorch.org/"


class ModelEntry(Record, frozen=True, kw_only=True):
    """One line of ``pixsortd models list``."""

    kind: str
    """``space`` or ``metric``."""
    name: str
    model: str
    """The model behind a space's name."""
    configured: bool
    present: bool | None
    """None: only known when it is tried."""
    repo: str = ""
    revision: str = ""
    license: str = ""
    gated: bool = False
    size: int | None = None
    """Bytes on this machine."""
    path: str = ""
    reason: Reason | None = None
    """Why it cannot be used, with the next step."""


class Progress(Record, frozen=True, kw_only=True):
    """How far a pull is. The first one of a file comes before its first byte."""

    name: str
    """Of the space or metric."""
    file: str
    done: int
    total: int | None
    repo: str = ""
    license: str = ""


@runtime_checkable
class Published(Protocol):
    """A family that can say where its weights come from."""

    def origin(self, name: str, settings: SpaceSettings | None) -> Origin | None:
        """The hub repository of the model ``name``, or None."""


@runtime_checkable
class Parametered(Protocol):
    """A metric family that can say which files its metrics need."""

    def parameters(self, name: str) -> tuple[ParameterFile, ...] | None:
        """The files of the metric ``name``, None if that is only known when it is built.

        Raises ``ModelProblem`` for a name it does not know.
        """


Watch = Callable[[Progress], None]


def models_list(settings: Settings) -> list[ModelEntry]:
    """Everything configured, then everything else that has a short name."""
    weights.use_torch_cache(settings.models)
    spaces = dict.fromkeys((settings.embed.space, *settings.embed.also, *settings.spaces))
    known = dict.fromkeys(name for name in plugins.names(plugins.EMBEDDERS) if name not in _general_forms())
    metrics = dict.fromkeys((*settings.score.metrics, *settings.score.weights))
    return [
        *(_space(name, settings, name in spaces) for name in {**spaces, **known}),
        *(_metric(name, settings, name in metrics) for name in {**metrics, **dict.fromkeys(KNOWN_METRICS)}),
    ]


def models_pull(settings: Settings, names: Sequence[str], on_progress: Watch) -> list[ModelEntry]:
    """Fetch the named models and metrics (none named: everything configured that is missing).

    Returns their entries afterwards. Raises ``DownloadFailed``, ``WeightsDamaged`` or another
    ``ModelProblem`` at the first that cannot be had; what was fetched before it stays.
    """
    weights.use_torch_cache(settings.models)
    entries = list(_named(settings, names)) if names else [e for e in models_list(settings) if e.configured]
    pulled = []
    for entry in entries:
        if not entry.present or _damaged(entry):
            _PULL[entry.kind](entry, settings, on_progress)
        pulled.append(_ENTRY[entry.kind](entry.name, settings, entry.configured))
    return pulled


class Terms(Record, frozen=True, kw_only=True):
    """Licences of a metric."""

    code: str = ""
    files: frozenset[str] = frozenset()
    """Those of its parameter files."""


def metric_terms(name: str) -> Terms:
    """Under which terms a metric is used; empty for one that does not exist."""
    try:
        code, files = plugins.metric_family(name).license, _parameters(name)
    except ModelProblem:
        return Terms()
    return Terms(code=code, files=frozenset(file.license for file in files or ()))


def _damaged(entry: ModelEntry) -> bool:
    """Whether a file beside the entry's own in the hub's cache is not what its name promises."""
    directory = os.path.dirname(entry.path)
    if not entry.repo or os.path.basename(os.path.dirname(directory)) != "snapshots":
        return False
    blobs = (os.path.realpath(os.path.join(directory, name)) for name in os.listdir(directory))
    return any(not os.path.isfile(blob) or not hub.intact(blob) for blob in blobs)


def _named(settings: Settings, names: Sequence[str]) -> Iterator[ModelEntry]:
    listed = {entry.name: entry for entry in models_list(settings)}
    for name in names:
        metric = name.partition(":")[0] in plugins.names(plugins.METRICS) or name in pyiqa_registry.registry()
        yield listed.get(name) or (_metric if metric else _space)(name, settings, False)


def _general_forms() -> frozenset[str]:
    """Entry points that only answer to ``PREFIX:SOMETHING``."""
    families = (plugins.embedder_family(name) for name in plugins.names(plugins.EMBEDDERS))
    return frozenset(name.rstrip(":") for family in families for name in family.names if name.endswith(":"))


def _space(name: str, settings: Settings, configured: bool) -> ModelEntry:
    own = settings.spaces.get(name)
    model = own.model if own is not None else name
    entry = ModelEntry(kind="space", name=name, model=model, configured=configured, present=False)
    try:
        family = plugins.embedder_family(model)
        if not family.needs_weights:
            return _with(entry, present=True, license=family.license)
        if own is not None and own.weights:
            return _with(entry, **_local(own.weights), license=family.license)
        origin = family.origin(model, own) if isinstance(family, Published) else None
        if origin is None:
            return _with(entry, present=None, license=family.license)
        return _with(entry, **_cached(origin, settings, name))
    except ModelProblem as problem:
        return _with(entry, reason=problem.reason())


def _with(entry: ModelEntry, **changes: object) -> ModelEntry:
    return msgspec.structs.replace(entry, **changes)


def _local(path: str) -> dict[str, object]:
    path = os.path.expanduser(path)
    if not os.path.exists(path):
        missing = WeightsMissing(
            "the weights file is not there", path=path, next_step="Correct the path in the configuration."
        )
        return {"path": path, "reason": missing.reason()}
    return {"path": path, "present": True, "size": os.path.getsize(path) if os.path.isfile(path) else None}


def _cached(origin: Origin, settings: Settings, name: str) -> dict[str, object]:
    found = [weights.cached_path(origin, file, settings.models) for file in origin.extra]
    found.append(next(filter(None, (weights.cached_path(origin, f, settings.models) for f in origin.weights)), None))
    paths = [path for path in found if path is not None]
    present = len(paths) == len(found)
    kept = hub.manifest(os.path.join(weights.hub_cache(settings.models), hub.folder(origin.repo)))
    licenses = {line.license for line in kept.values()}
    missing = WeightsMissing(f"the weights of {origin.repo} are not on this machine", next_step=weights.pull_step(name))
    return {
        "repo": origin.repo,
        "revision": origin.revision,
        "license": origin.license or next(iter(licenses), "see the repository"),
        "gated": origin.gated,
        "present": present,
        "size": sum(os.path.getsize(path) for path in paths) if present else None,
        "path": paths[-1] if present else "",
        "reason": None if present else missing.reason(),
    }


def _metric(name: str, settings: Settings, configured: bool) -> ModelEntry:
    entry = ModelEntry(kind="metric", name=name, model=name, configured=configured, present=None)
    try:
        entry = _with(entry, license=plugins.metric_family(name).license)
        files = _parameters(name)
    except ModelProblem as problem:
        return _with(entry, present=False, reason=problem.reason())
    own = settings.score.weights.get(name)
    if own:
        return _with(entry, **{"present": False, **_local(own)})
    if files is None:
        return entry
    paths = [pyiqa_registry.place(file) for file in files]
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        absent = WeightsMissing(
            f"{os.path.basename(missing[0])} is not on this machine", next_step=weights.pull_step(name)
        )
        return _with(entry, present=False, repo=pyiqa_registry.REPO, reason=absent.reason())
    size = sum(os.path.getsize(path) for path in paths)
    return _with(entry, present=True, repo=pyiqa_registry.REPO if paths else "", size=size, path=next(iter(paths), ""))


def _parameters(name: str) -> tuple[ParameterFile, ...] | None:
    family = plugins.metric_family(name)
    return family.parameters(name) if isinstance(family, Parametered) else None


def _pull_space(entry: ModelEntry, settings: Settings, on_progress: Watch) -> None:
    own = settings.spaces.get(entry.name)
    family = plugins.embedder_family(entry.model)
    origin = family.origin(entry.model, own) if isinstance(family, Published) else None
    if origin is None or (own is not None and own.weights):
        raise WeightsMissing(
            f"{entry.name} has no weights that could be fetched",
            path=entry.path or None,
            next_step="Name a weights file that is there in its [spaces.NAME] table.",
        )
    plan = hub.plan(origin)

    def watch(file: str, done: int, total: int | None) -> None:
        on_progress(
            Progress(name=entry.name, file=file, done=done, total=total, repo=origin.repo, license=plan.license)
        )

    for file in plan.files:
        watch(file.name, 0, file.wanted.size)
    hub.pull(origin, settings.models, plan, watch)


def _pull_metric(entry: ModelEntry, settings: Settings, on_progress: Watch) -> None:  # noqa: ARG001 - one signature
    if entry.reason is not None and entry.path:
        raise WeightsMissing(entry.reason.message, path=entry.path, next_step=entry.reason.next_step)
    files = _parameters(entry.name)
    if files is None:
        _pull_by_building(entry.name, on_progress)
        return
    for file in files:
        _pull_parameters(entry.name, file, on_progress)


_PULL = {"space": _pull_space, "metric": _pull_metric}
_ENTRY = {"space": _space, "metric": _metric}


def _pull_parameters(name: str, file: ParameterFile, on_progress: Watch) -> None:
    target = pyiqa_registry.place(file)
    if not os.path.isfile(target):
        wanted = (
            download.Wanted(url=file.url, sha256=file.sha256)
            if file.url
            else hub.look(pyiqa_registry.REPO, file.name).wanted
        )
        _fetch(name, wanted, target, file.license, on_progress)


def _fetch(name: str, wanted: download.Wanted, target: str, terms: str, on_progress: Watch) -> None:
    def watch(done: int, total: int | None) -> None:
        on_progress(
            Progress(
                name=name,
                file=os.path.basename(target),
                done=done,
                total=total,
                repo=pyiqa_registry.REPO,
                license=terms,
            )
        )

    watch(0, wanted.size)
    hub.online()
    with download.client({"User-Agent": "pixsortd"}) as session:
        download.fetch(session, wanted, target, watch)


def _pull_by_building(name: str, on_progress: Watch) -> None:
    """Let pyiqa ask for what it needs, and answer with files fetched and checked by us."""
    from pixsortd.analyze.metrics import iqa

    staging = os.path.join(pyiqa_registry.torch_cache(), ".pixsortd")

    def answer(url: str) -> str:
        target = os.path.join(staging, os.path.basename(url.partition("?")[0]))
        _fetch(name, _wanted(url), target, pyiqa_registry.LICENSE, on_progress)
        return target

    with network.answered_by(answer):
        iqa.build(pyiqa_registry.plain(name), "cpu", {})
    shutil.rmtree(staging, ignore_errors=True)


def _wanted(url: str) -> download.Wanted:
    """What can be known of a library's URL: the hub names checksums, torch puts their start into file names."""
    prefix, resolve, file = url.partition(f"{pyiqa_registry.REPO}/resolve/main/")
    if resolve and prefix.startswith("http"):
        return hub.look(pyiqa_registry.REPO, file).wanted
    stem = os.path.splitext(os.path.basename(url))[0].rpartition("-")[2]
    return download.Wanted(url=url, sha256=stem if url.startswith(_TORCH) and len(stem) == 8 else None)
