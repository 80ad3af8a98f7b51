"""Names find their families through entry points, ours as anybody's."""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixsortd.analyze import models, plugins
from pixsortd.analyze.ports import EmbedderFamily, Metric, MetricFamily, Picture, PictureMetric
from pixsortd.config import EmbedSettings, ModelSettings, ScoreSettings, Settings, SpaceSettings
from pixsortd.errors import DependencyMissing, ModelProblem, WeightsMissing
from tests.unit.model_cache import put

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[EntryPoint]]]:
    """The entry points of pyproject.toml, installed or not, to which a test may add its own."""
    groups = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]
    points = {
        group: [EntryPoint(name, value, group) for name, value in declared.items()]
        for group, declared in groups.items()
    }
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: points[group])
    plugins._points.cache_clear()
    yield points
    plugins._points.cache_clear()


@pytest.mark.parametrize(
    "name", ["builtin", "clip", "dinov2", "dinov3", "resnet50", "open_clip:A/B", "transformers:a/b", "timm:x"]
)
def test_every_documented_name_has_a_family(name: str) -> None:
    family = plugins.embedder_family(name)
    assert isinstance(family, EmbedderFamily)
    assert any(name == known or (known.endswith(":") and name.startswith(known)) for known in family.names)


def test_metrics_belong_to_pyiqa_unless_somebody_else_says_so(declared: dict[str, list[EntryPoint]]) -> None:
    theirs = plugins.metric_family("musiq")
    assert plugins.metric_family("pyiqa:niqe") is theirs
    for name in ("niqe", "brisque", "piqe"):
        ours = plugins.metric_family(name)
        assert isinstance(ours, MetricFamily)
        assert ours is not theirs
        assert isinstance(ours, models.Parametered)
    declared[plugins.METRICS].append(EntryPoint("sharp", f"{__name__}:ANOTHER", plugins.METRICS))
    plugins._points.cache_clear()
    assert plugins.metric_family("sharp") is ANOTHER
    assert plugins.metric_family("sharp:edges") is ANOTHER


def test_a_space_of_ones_own_keeps_its_name() -> None:
    settings = Settings(spaces={"mine": SpaceSettings(model="builtin")})
    mine = plugins.embedder("mine", settings, "cpu")
    plain = plugins.embedder("builtin", settings, "cpu")
    assert (mine.space.name, plain.space.name) == ("mine", "builtin")
    assert mine.space.key == plain.space.key


def test_unknown_names_say_what_is_near() -> None:
    with pytest.raises(ModelProblem, match=r"did you mean 'dinov[23]'") as problem:
        plugins.embedder("dinov4", Settings(), "cpu")
    assert "timm:NAME" in problem.value.next_step


def test_nothing_registered_is_said(declared: dict[str, list[EntryPoint]]) -> None:
    declared[plugins.EMBEDDERS].clear()
    with pytest.raises(DependencyMissing, match="not registered"):
        plugins.embedder("builtin", Settings(), "cpu")


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("no_such_module:family", DependencyMissing, "No module named 'no_such_module'"),
        (f"{__name__}:no_such_thing", ModelProblem, "no_such_thing"),
        (f"{__name__}:BROKEN", ModelProblem, "RuntimeError: out of luck"),
    ],
)
def test_a_broken_plug_in_is_a_problem_of_its_own(
    declared: dict[str, list[EntryPoint]], target: str, error: type[ModelProblem], words: str
) -> None:
    declared[plugins.EMBEDDERS].append(EntryPoint("theirs", target, plugins.EMBEDDERS))
    plugins._points.cache_clear()
    with pytest.raises(error, match=words):
        plugins.embedder("theirs", Settings(), "cpu")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"")
    settings = Settings(spaces={"mine": SpaceSettings(model="timm:resnet18", weights=str(weights))})
    with pytest.raises(DependencyMissing, match="timm"):
        plugins.embedder("mine", settings, "cpu")


def test_metrics_are_loaded_with_their_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", "")  # so that what is set below is undone
    settings = Settings(
        models=ModelSettings(dir=str(tmp_path)),
        score=ScoreSettings(weights={"niqe": str(tmp_path / "absent.mat")}, long_side=384),
    )
    with pytest.raises(WeightsMissing) as missing:
        plugins.metric("niqe", settings, "cpu")
    assert missing.value.path == str(tmp_path / "absent.mat")
    metric = plugins.metric("piqe", settings, "cpu")
    assert metric.info.long_side == 384
    by_themselves = Settings(models=ModelSettings(dir=str(tmp_path)))
    sizes = {name: plugins.metric(name, by_themselves, "cpu").info.long_side for name in ("piqe", "pyiqa:piqe")}
    assert sizes == {"piqe": 768, "pyiqa:piqe": 512}
    reference = plugins.metric("pyiqa:piqe", settings, "cpu")
    assert (metric.info.name, reference.info.name) == ("piqe", "pyiqa:piqe")
    assert metric.info.version != reference.info.version
    assert isinstance(metric, PictureMetric)
    assert isinstance(reference, Metric)
    pixels = np.random.RandomState(1).randint(0, 256, (96, 128, 3), np.uint8)
    batch = (np.moveaxis(pixels, 2, 0)[None] / 255).astype(np.float32)
    assert metric.measure(Picture(pixels)) == pytest.approx(reference.score(batch)[0], abs=0.01)


def test_the_list_says_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", "")  # so that what is set below is undone
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(b"1234")
    settings = Settings(
        embed=EmbedSettings(space="clip", also=("mine", "nonsense")),
        spaces={"mine": SpaceSettings(model="timm:resnet18", weights=str(weights))},
        models=ModelSettings(dir=str(tmp_path / "cache")),
        score=ScoreSettings(metrics=("piqe", "niqe"), weights={"brisque": str(tmp_path / "absent.pth")}),
    )
    put(tmp_path / "cache", "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", {"open_clip_pytorch_model.bin": weights})
    entries = {entry.name: entry for entry in models.models_list(settings)}
    assert [name for name in entries if entries[name].configured] == [
        "clip",
        "mine",
        "nonsense",
        "piqe",
        "niqe",
        "brisque",
    ]
    assert (entries["clip"].present, entries["clip"].size, entries["clip"].license) == (True, 4, "MIT")
    assert (entries["mine"].present, entries["mine"].path) == (True, str(weights))
    assert entries["nonsense"].reason is not None
    assert entries["builtin"].present
    assert (entries["dinov3"].present, entries["dinov3"].gated) == (False, True)
    assert entries["piqe"].present
    assert not entries["niqe"].present
    assert entries["brisque"].reason is not None
    assert entries["brisque"].reason.code == "weights-missing"
    assert entries["musiq"].license.startswith("PolyForm")
    assert {entries[name].license for name in ("piqe", "niqe", "brisque")} == {"MIT"}


class Another:
    """A metric family of somebody else's."""

    license = "theirs"
    long_side = 512

    def load(self, name: str, weights: str | None, long_side: int, device: str) -> Any:
        """Not called."""


class Broken:
    """An embedder family that fails while loading."""

    names = ("theirs",)
    license = ""
    needs_weights = False

    def load(self, name: str, settings: SpaceSettings | None, models: ModelSettings, device: str) -> Any:
        """Fail."""
        raise RuntimeError("out of luck")


ANOTHER, BROKEN = Another(), Broken()
