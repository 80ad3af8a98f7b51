"""Downloads against a small server that speaks the hub's language: HEAD and GET with ETags, commits and ranges."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pixsortd.analyze import download, hub, models, network, plugins, weights
from pixsortd.analyze.hub import Plan
from pixsortd.analyze.metrics import pyiqa_registry
from pixsortd.analyze.weights import Origin
from pixsortd.config import EmbedSettings, ModelSettings, ScoreSettings, Settings
from pixsortd.errors import DownloadFailed, WeightsDamaged, WeightsMissing
from pixsortd.records import Record

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
REPO = "somebody/some-model"
BIG = bytes(range(256)) * 12_000


class Stored(NamedTuple):
    """A repository of the small hub."""

    files: dict[str, bytes]
    license: str = "mit"
    gated: bool = False


class SmallHub:
    """The server, what it has been asked, and how it misbehaves."""

    def __init__(self) -> None:
        self.repos: dict[str, Stored] = {}
        self.plain: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.cut_after: int | None = None
        self.cuts = 0
        self.sends_wrong = False
        self.ranges = True
        self.redirects = True
        hub_itself = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub_itself.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the base class's name

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Cut connections are the point of these tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request, as the hub and its content network would answer it."""
        self.asked.append((request.command, request.path, request.headers.get("Range")))
        path = request.path.strip("/")
        if path.startswith("api/models/"):
            self._about(request, path.removeprefix("api/models/").partition("/revision/")[0])
        elif path.startswith("cdn/") or path in self.plain:
            content = self.plain.get(path) or self._blob(path.removeprefix("cdn/"))
            self._send(request, content)
        else:
            repo, _, rest = path.partition("/resolve/")
            self._resolve(request, repo, rest.partition("/")[2])

    def _about(self, request: BaseHTTPRequestHandler, repo: str) -> None:
        stored = self.repos.get(repo)
        if stored is None:
            self._error(request, 404, "RepoNotFound")
        elif stored.gated:
            self._error(request, 401, "GatedRepo")
        else:
            body = {"sha": COMMIT, "cardData": {"license": stored.license}, "gated": False}
            body["siblings"] = [{"rfilename": name} for name in stored.files]
            self._send(request, json.dumps(body).encode(), cut=False)

    def _resolve(self, request: BaseHTTPRequestHandler, repo: str, name: str) -> None:
        stored = self.repos.get(repo)
        if stored is None or name not in stored.files:
            self._error(request, 404, "EntryNotFound")
            return
        content = stored.files[name]
        if name.endswith(".json"):
            etag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            self._send(request, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, cut=False)
            return
        digest = hashlib.sha256(content).hexdigest()
        linked = {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        if self.redirects:
            # An absolute address on another host, as the hub's large files have.
            elsewhere = self.url.replace("127.0.0.1", "localhost")
            request.send_response(302)
            for key, value in {**linked, "Location": f"{elsewhere}/cdn/{digest}", "Content-Length": "0"}.items():
                request.send_header(key, value)
            request.end_headers()
        else:
            self._send(request, content, {**linked, "ETag": f'"{digest}"'})

    def _blob(self, digest: str) -> bytes:
        stored = (content for repo in self.repos.values() for content in repo.files.values())
        return next(content for content in stored if hashlib.sha256(content).hexdigest() == digest)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        content: bytes,
        headers: dict[str, str] | None = None,
        *,
        cut: bool = True,
    ) -> None:
        start = 0
        asked = request.headers.get("Range")
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(content):
            self._error(request, 416, "")
            return
        body = content[start:]
        if self.sends_wrong and cut:
            body = bytes(len(body))
        request.send_response(206 if start else 200)
        for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            request.send_header(key, value)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        if request.command == "HEAD":
            return
        if cut and self.cut_after is not None and len(body) > self.cut_after and self.cuts > 0:
            self.cuts -= 1
            request.wfile.write(body[: self.cut_after])
            request.wfile.flush()
            request.close_connection = True
            request.connection.close()
            return
        request.wfile.write(body)

    def _error(self, request: BaseHTTPRequestHandler, status: int, code: str) -> None:
        request.send_response(status)
        request.send_header("X-Error-Code", code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def gets(self) -> list[str | None]:
        """The ranges of the requests for big files."""
        return [asked for command, path, asked in self.asked if command == "GET" and "/api/" not in path]


@pytest.fixture
def small_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    served = SmallHub()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", served.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    served.repos[REPO] = Stored({"model.safetensors": BIG, "config.json": b"{}", "README.md": b"hello"})
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> ModelSettings:
    return ModelSettings(dir=str(tmp_path / "hub"))


ORIGIN = Origin(repo=REPO, extra=("config.json",))


def quiet(*_args: object) -> None:
    """Watch nothing."""


def pull(cache: ModelSettings, watch: Callable[[str, int, int | None], None] = quiet, origin: Origin = ORIGIN) -> Plan:
    planned = hub.plan(origin)
    hub.pull(origin, cache, planned, watch)
    return planned


def partials(cache: ModelSettings) -> list[Path]:
    return list(Path(cache.dir).rglob("*.partial"))


def test_size_and_licence_are_known_before_anything_is_fetched(small_hub: SmallHub, cache: ModelSettings) -> None:
    planned = hub.plan(ORIGIN)
    assert (planned.license, planned.size, planned.commit) == ("mit", len(BIG) + 2, COMMIT)
    assert small_hub.gets() == []
    assert not Path(cache.dir).exists()


def test_what_was_pulled_is_found_by_us_and_by_the_hubs_own_library(small_hub: SmallHub, cache: ModelSettings) -> None:
    seen: list[tuple[str, int, int | None]] = []
    pull(cache, lambda *step: seen.append(step))
    found = weights.cached_weights(ORIGIN, cache, "mine")
    assert Path(found.path).read_bytes() == BIG
    assert found.sha256 == hashlib.sha256(BIG).hexdigest()
    assert Path(weights.cached_file(ORIGIN, "config.json", cache, "mine")).read_bytes() == b"{}"
    big = [done for name, done, total in seen if name == "model.safetensors" and total == len(BIG)]
    assert big[0] == 0
    assert big[-1] == len(BIG)
    assert big == sorted(big)

    from huggingface_hub import hf_hub_download, scan_cache_dir

    assert hf_hub_download(REPO, "model.safetensors", cache_dir=cache.dir, local_files_only=True) == found.path
    scanned = scan_cache_dir(cache.dir)
    assert not scanned.warnings
    assert {file.file_name for repo in scanned.repos for rev in repo.revisions for file in rev.files} == {
        "model.safetensors",
        "config.json",
    }


def test_the_manifest_says_what_came(small_hub: SmallHub, cache: ModelSettings) -> None:
    pull(cache)
    kept = hub.manifest(os.path.join(cache.dir, hub.folder(REPO)))["model.safetensors"]
    assert (kept.sha256, kept.size, kept.license) == (hashlib.sha256(BIG).hexdigest(), len(BIG), "mit")
    assert kept.commit == COMMIT
    assert kept.at == pytest.approx(time.time(), abs=60)


def test_what_is_there_is_not_fetched_again(small_hub: SmallHub, cache: ModelSettings) -> None:
    pull(cache)
    before = len(small_hub.gets())
    pull(cache)
    assert len(small_hub.gets()) == before


def test_a_cut_connection_is_resumed(small_hub: SmallHub, cache: ModelSettings) -> None:
    small_hub.cut_after, small_hub.cuts = 1_200_000, 2
    pull(cache)
    assert Path(weights.cached_weights(ORIGIN, cache, "mine").path).read_bytes() == BIG
    ranges = [asked for asked in small_hub.gets() if asked]
    assert ranges
    assert not partials(cache)


def test_a_later_run_goes_on_where_the_last_one_stopped(small_hub: SmallHub, cache: ModelSettings) -> None:
    blobs = Path(cache.dir) / hub.folder(REPO) / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(BIG).hexdigest()}.partial").write_bytes(BIG[:2_000_000])
    pull(cache)
    assert Path(weights.cached_weights(ORIGIN, cache, "mine").path).read_bytes() == BIG
    assert "bytes=2000000-" in small_hub.gets()


def test_a_server_that_always_cuts_is_reported_and_what_came_is_kept(small_hub: SmallHub, cache: ModelSettings) -> None:
    small_hub.cut_after, small_hub.cuts = 0, 10**6
    with pytest.raises(DownloadFailed) as failed:
        pull(cache)
    assert "goes on from there" in failed.value.next_step
    small_hub.cuts = 0
    pull(cache)


def test_a_server_without_ranges_starts_over(small_hub: SmallHub, cache: ModelSettings) -> None:
    small_hub.ranges = False
    small_hub.cut_after, small_hub.cuts = 1_500_000, 1
    pull(cache)
    assert Path(weights.cached_weights(ORIGIN, cache, "mine").path).read_bytes() == BIG


@pytest.mark.parametrize("redirects", [True, False])
def test_a_wrong_checksum_never_becomes_a_model(small_hub: SmallHub, cache: ModelSettings, redirects: bool) -> None:
    small_hub.sends_wrong, small_hub.redirects = True, redirects
    with pytest.raises(WeightsDamaged, match="checksum promised"):
        pull(cache)
    assert not partials(cache)
    with pytest.raises(WeightsMissing):
        weights.cached_weights(ORIGIN, cache, "mine")
    small_hub.sends_wrong = False
    pull(cache)


def test_a_spoilt_partial_file_is_noticed_and_forgotten(small_hub: SmallHub, cache: ModelSettings) -> None:
    blobs = Path(cache.dir) / hub.folder(REPO) / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(BIG).hexdigest()}.partial").write_bytes(bytes(1000))
    with pytest.raises(WeightsDamaged):
        pull(cache)
    pull(cache)


def test_a_full_disk_is_said_before(small_hub: SmallHub, cache: ModelSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _path: _Usage(free=1000))
    with pytest.raises(DownloadFailed, match="3 MB are needed and 0 MB are free"):
        pull(cache)
    assert small_hub.gets() == []


class _Usage(Record):
    free: int


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_fills_up_is_said_in_words(small_hub: SmallHub, cache: ModelSettings) -> None:
    blobs = Path(cache.dir) / hub.folder(REPO) / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(BIG).hexdigest()}.partial").symlink_to("/dev/full")
    with pytest.raises(DownloadFailed, match="no space is left") as failed:
        pull(cache)
    assert "goes on from there" in failed.value.next_step
    with pytest.raises(WeightsMissing):
        weights.cached_weights(ORIGIN, cache, "mine")


def test_offline_is_said_at_once(cache: ModelSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    sleeps: list[float] = []
    monkeypatch.setattr(time, "sleep", sleeps.append)
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1 cannot be reached") as failed:
        hub.plan(ORIGIN)
    assert "network" in failed.value.next_step
    assert sleeps == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadFailed, match="switched off by HF_HUB_OFFLINE"):
        hub.plan(ORIGIN)


def test_gated_and_unknown_repositories_are_explained(small_hub: SmallHub) -> None:
    small_hub.repos["somebody/gated"] = Stored({}, gated=True)
    with pytest.raises(DownloadFailed, match="accepted its licence") as failed:
        hub.plan(Origin(repo="somebody/gated", license="Special License"))
    assert "https://huggingface.co/somebody/gated" in failed.value.next_step
    with pytest.raises(DownloadFailed, match="has no somebody/nothing at revision main"):
        hub.plan(Origin(repo="somebody/nothing"))
    with pytest.raises(DownloadFailed, match=r"none of pytorch_model\.bin"):
        hub.plan(Origin(repo=REPO, weights=("pytorch_model.bin",)))


def test_something_that_is_not_the_hub_is_recognised(small_hub: SmallHub) -> None:
    small_hub.plain["api/models/somebody/some-model/revision/v1"] = b"<html>"
    with pytest.raises(DownloadFailed):
        hub.plan(Origin(repo="../../etc", revision="v1"))


# --- what the command line calls ---------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    points = {
        plugins.EMBEDDERS: [
            EntryPoint(name, f"pixsortd.analyze.embedders.{module}:family", plugins.EMBEDDERS)
            for name, module in (("builtin", "builtin"), ("dinov2", "dino"), ("transformers", "dino"))
        ],
        plugins.METRICS: [EntryPoint("pyiqa", "pixsortd.analyze.metrics.iqa:family", plugins.METRICS)],
    }
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: points[group])
    plugins._points.cache_clear()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    yield Settings(
        embed=EmbedSettings(space="dinov2"),
        models=ModelSettings(dir=str(tmp_path / "hub")),
        score=ScoreSettings(metrics=("piqe", "niqe")),
    )
    plugins._points.cache_clear()


def publish(small_hub: SmallHub, parameters: bytes = b"parameters") -> list[models.Progress]:
    """Put a model and a metric's file on the hub; returns a list to collect progress in."""
    small_hub.repos["facebook/dinov2-small"] = Stored(
        {"model.safetensors": BIG, "config.json": b"{}", "preprocessor_config.json": b"{}"}, license="apache-2.0"
    )
    small_hub.repos[pyiqa_registry.REPO] = Stored({"niqe_modelparameters.mat": parameters})
    return []


def test_everything_configured_is_pulled(small_hub: SmallHub, settings: Settings) -> None:
    steps = publish(small_hub)
    entries = {entry.name: entry for entry in models.models_pull(settings, [], steps.append)}
    assert {name: entry.present for name, entry in entries.items()} == {"dinov2": True, "piqe": True, "niqe": True}
    assert entries["dinov2"].size == len(BIG) + 4
    assert Path(entries["niqe"].path).read_bytes() == b"parameters"
    announced = next(step for step in steps if step.file == "model.safetensors")
    assert (announced.done, announced.total, announced.license) == (0, len(BIG), "Apache-2.0")
    listed = {entry.name: entry for entry in models.models_list(settings)}
    assert listed["dinov2"].present
    assert listed["niqe"].present
    assert models.models_pull(settings, [], steps.append) == list(entries.values())


def test_damaged_weights_are_pulled_again(small_hub: SmallHub, settings: Settings) -> None:
    steps = publish(small_hub)
    models.models_pull(settings, ["dinov2"], steps.append)
    blob = Path(next(entry.path for entry in models.models_list(settings) if entry.name == "dinov2")).resolve()
    blob.write_bytes(b"x" + BIG[1:])
    models.models_pull(settings, ["dinov2"], steps.append)
    assert blob.read_bytes() == BIG


def test_nothing_to_fetch_for_a_file_of_ones_own(settings: Settings) -> None:
    own = Settings(score=ScoreSettings(weights={"niqe": "/nowhere/niqe.mat"}))
    with pytest.raises(WeightsMissing, match="not there"):
        models.models_pull(own, ["niqe"], quiet)


def test_metrics_whose_files_are_not_known_are_pulled_by_asking_pyiqa(
    small_hub: SmallHub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyiqa asks by URL while the metric is built; the answer is fetched and checked by us."""
    import urllib.request

    parameters = b"p" * 5000
    url = f"{small_hub.url}/{pyiqa_registry.REPO}/resolve/main/niqe_modelparameters.mat"
    asked: list[bytes] = []

    def build(_name: str, _device: str, _own: Any) -> None:
        with urllib.request.urlopen(url) as answer:
            assert int(answer.info().get_all("Content-Length")[0]) == len(parameters)
            asked.append(answer.read())

    monkeypatch.setattr("pixsortd.analyze.metrics.iqa.build", build)
    small_hub.cut_after, small_hub.cuts = 1000, 1
    steps = publish(small_hub, parameters)
    (entry,) = models.models_pull(settings, ["nima"], steps.append)
    assert asked == [parameters]
    assert (entry.name, entry.present, entry.license) == ("nima", None, pyiqa_registry.LICENSE)
    assert steps[-1].done == steps[-1].total == len(parameters)
    assert not (Path(pyiqa_registry.torch_cache()) / ".pixsortd").exists()
    with network.refused(), pytest.raises(network.Refused):
        urllib.request.urlopen(url)
