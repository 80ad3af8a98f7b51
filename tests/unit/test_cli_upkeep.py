"""Checking, rebuilding and the models' list, on real files."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import structlog
from click.testing import CliRunner, Result

from pixsortd.analyze import models as analyze_models
from pixsortd.analyze.models import ModelEntry, Progress
from pixsortd.cli import main
from pixsortd.daemon.doctor import weights
from pixsortd.daemon.doctor.finding import Level
from pixsortd.daemon.lock import InstanceLock, is_held
from pixsortd.decisions import Decisions
from pixsortd.errors import DownloadFailed
from pixsortd.index.vectors import Vectors
from pixsortd.records import Found, NameGroup, Reason, RootRecord, RootState, root_id
from tests.unit.index_material import SPACE, analysis, index, opened, stamp

PHOTOS = root_id(b"elsewhere")
Ask = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with three photos, a vector file and a decision."""
    state = tmp_path / "state"
    with opened(state / "index") as store:
        index(store, b"a.jpg", b"b.jpg", b"c.jpg")
        search = Vectors(state / "index", store, SPACE)
        search.load()
        search.save()
    decisions = Decisions.open(state / "decisions")
    decisions.append(NameGroup(group="g1", name="Beach"))
    decisions.append(NameGroup(group="g2", name="Hill"))
    decisions.close()
    return state


@pytest.fixture(autouse=True)
def no_log_of_an_earlier_test() -> Iterator[None]:
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def ask(state: Path) -> Ask:
    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["--set", f"state_dir={state}", *words])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


def codes(result: Result) -> list[str]:
    return [json.loads(line)["code"] for line in result.stdout.splitlines()]


def holds_wrong_counts(state: Path) -> None:
    from pixsortd.index.schema import Table

    with opened(state / "index") as store, store.engine.write() as edit:
        edit.clear(Table.COUNTERS)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "lock.mdb"
    }


def test_a_sound_index_passes_and_is_left_alone(ask: Ask, state: Path) -> None:
    before = snapshot(state)
    assert "Everything is as it must be" in ask("check").stderr
    assert "A rebuild would change nothing" in ask("rebuild", "--verify").stderr
    assert snapshot(state) == before


def test_no_index_yet(ask: Ask, state: Path) -> None:
    (state / "index" / "data.mdb").unlink()
    for words in (["check"], ["rebuild"], ["rebuild", "--verify"]):
        assert "there is no index yet" in ask(*words, code=6).stderr


def test_what_is_wrong_is_told_and_rebuilt(ask: Ask, state: Path) -> None:
    holds_wrong_counts(state)
    assert codes(ask("check", "--json", code=1)) == ["ledger"]
    text = ask("check", code=1)
    assert "3 rows say so" in text.stdout
    assert "pixsortd rebuild" in text.stdout
    assert "ledger" in codes(ask("rebuild", "--verify", "--json", code=1))
    assert "things were wrong before" in ask("rebuild").stderr
    ask("check")
    ask("rebuild", "--verify")


def test_a_damaged_vector_file_is_noticed_without_touching_it(ask: Ask, state: Path) -> None:
    (file,) = (state / "index").glob("*.faiss")
    file.write_bytes(file.read_bytes()[:-3] + b"xyz")
    before = snapshot(state)
    assert codes(ask("rebuild", "--verify", "--json", code=1)) == ["search-file"]
    assert snapshot(state) == before
    ask("rebuild")
    ask("rebuild", "--verify")


def test_a_damaged_index_is_said_and_replaced(ask: Ask, state: Path) -> None:
    data = state / "index" / "data.mdb"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    said = ask("check", code=7).stderr
    assert "Index damaged" in said
    assert "pixsortd rebuild" in said
    ask("rebuild")
    ask("check")


def test_originals_are_read_when_asked(ask: Ask, state: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    photo = photos / "d.jpg"
    photo.write_bytes(b"as it was")
    seen = photo.stat()
    with opened(state / "index") as store:
        store.save_root(RootRecord(id=PHOTOS, path=os.fsencode(photos), state=RootState.ONLINE))
        as_seen = msgspec.structs.replace(
            stamp(seen.st_ino, size=seen.st_size), mtime_ns=seen.st_mtime_ns, ctime_ns=seen.st_ctime_ns
        )
        store.record(PHOTOS, [Found(path=b"d.jpg", stamp=as_seen, settled=True)])
        row = store.file(PHOTOS, b"d.jpg")
        assert row is not None
        store.commit([(row, analysis(hashlib.sha256(b"as it was").digest()))])
    ask("check", "--read-data")
    with opened(state / "index") as store:
        row = store.file(PHOTOS, b"d.jpg")
        assert row is not None
        store.record(PHOTOS, [Found(path=b"d.jpg", stamp=msgspec.structs.replace(as_seen, size=1), settled=True)])
        row = store.file(PHOTOS, b"d.jpg")
        assert row is not None
        store.record(PHOTOS, [Found(path=b"d.jpg", stamp=as_seen, settled=True)])
        row = store.file(PHOTOS, b"d.jpg")
        assert row is not None
        store.commit([(row, analysis(hashlib.sha256(b"something else").digest()))])
    assert codes(ask("check", "--read-data", "--json", code=1)) == ["content"]
    ask("check")


def test_a_damaged_decision_is_named_by_its_line(ask: Ask, state: Path) -> None:
    log = next((state / "decisions").iterdir())
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:-4])
    ask("check")
    log.write_bytes(lines[0].replace(b"Beach", b"Peach") + lines[1])
    (finding,) = [json.loads(line) for line in ask("check", "--json", code=1).stdout.splitlines()]
    assert finding["message"].startswith(f"{log}:1: ")


def test_beside_a_running_daemon(ask: Ask, state: Path) -> None:
    assert not is_held(state)
    with InstanceLock(state):
        assert is_held(state)
        ask("check")
        ask("rebuild", "--verify")
        assert "Already running" in ask("rebuild", code=3).stderr
    assert not is_held(state)


WHY = Reason(code="weights-missing", message="clip is not on this machine", next_step="Pull it.")
CLIP = ModelEntry(kind="space", name="clip", model="clip", configured=True, present=False, license="MIT", reason=WHY)
NIQE = ModelEntry(kind="metric", name="niqe", model="niqe", configured=True, present=True, size=1500, license="PFN")
OTHER = ModelEntry(kind="metric", name="musiq", model="musiq", configured=False, present=None, gated=True)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """A list of models and a pull that are made up; what was pulled."""
    pulled: list[tuple[str, ...]] = []

    def pull(_: object, names: tuple[str, ...], watch: Callable[[Progress], None]) -> list[ModelEntry]:
        pulled.append(names)
        if "broken" in names:
            raise DownloadFailed("the hub said no", next_step="Try again later.")
        for done in (0, 500, 1000):
            watch(Progress(name="clip", file="model.bin", done=done, total=1000, repo="laion/clip", license="MIT"))
        return [msgspec.structs.replace(CLIP, present=True, reason=None)]

    monkeypatch.setattr(analyze_models, "models_list", lambda _: [CLIP, NIQE, OTHER])
    monkeypatch.setattr(analyze_models, "models_pull", pull)
    return pulled


def test_models_are_listed(ask: Ask, shelf: object) -> None:
    text = ask("models").stdout.splitlines()
    assert text[0].split() == ["name", "kind", "configured", "here", "size", "licence"]
    assert text[1].split() == ["clip", "space", "yes", "no", "MIT"]
    assert text[2].split() == ["niqe", "metric", "yes", "yes", "1.5", "kB", "PFN"]
    assert "when tried" in text[3]
    assert text[4:] == ["clip", "  clip is not on this machine", "  → Pull it."]
    rows = [json.loads(line) for line in ask("models", "list", "--json").stdout.splitlines()]
    assert [row["present"] for row in rows] == [False, True, None]
    assert rows[0]["reason"] == {"code": "weights-missing", "message": WHY.message, "next_step": "Pull it."}


def test_models_are_pulled_with_size_and_licence_told(ask: Ask, shelf: list[tuple[str, ...]]) -> None:
    result = ask("models", "pull", "clip")
    assert shelf == [("clip",)]
    assert result.stderr.count("clip: model.bin from laion/clip, 1.0 kB, licence: MIT") == 1
    assert "yes" in result.stdout
    assert "the hub said no" in ask("models", "pull", "broken", code=8).stderr
    assert ask("models", "pull", "--quiet", "--json").stderr == ""


def test_the_doctor_judges_weights() -> None:
    found = list(weights.weights_are_there(None, lambda _: [CLIP, NIQE, OTHER]))  # type: ignore[arg-type]
    assert [one.level for one in found] == [Level.WARN, Level.OK]
    assert "`builtin` stands in" in found[0].message
    assert found[0].next_step == "Pull it."
