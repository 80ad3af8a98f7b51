"""A full disk at every stage: said, nothing half-written, and work resumes when there is room."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pixsortd.decisions import Decisions
from pixsortd.errors import IndexFull, IndexProblem, PixsortdError, StateDirectoryFull
from pixsortd.index.backup import backups, make_backup
from pixsortd.index.probe import Verdict, probe
from pixsortd.index.startup import open_index
from pixsortd.index.store import Store
from pixsortd.index.vectors import Vectors
from pixsortd.records import FileState, Ledger, RatePhoto, Space
from tests.unit.index_material import ROOT, analysis, content, drop, index

MEGABYTES = 12
WIDE = Space(name="wide", model="wide", revision="1", preprocessing="none", dim=512)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system of 12 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not permitted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Take all room but ``leave`` bytes; the file that takes it."""
    ballast, room = place / "ballast", os.statvfs(place)
    handle = os.open(ballast, os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(handle, 0, max(1, room.f_bavail * room.f_frsize - leave))
    os.close(handle)
    return ballast


def raised(stage: Callable[[], object], error: type[PixsortdError]) -> PixsortdError | None:
    """Run a stage; the error of that type it ended with, if it did."""
    try:
        stage()
    except error as problem:
        return problem
    return None


@pytest.mark.parametrize("leave", [0, 4096, 40_000, 200_000])
def test_every_write_fails_whole_and_resumes(small: Path, leave: int) -> None:
    store, _ = open_index(small / "index", small / "backups", map_size=1 << 30)
    decisions = Decisions.open(small / "decisions")
    vectors = Vectors(small / "vectors", store, WIDE)
    vectors.load()
    index(store, *(b"first/%d" % i for i in range(20)))
    queued = drop(store, *(b"queued/%d" % i for i in range(40)), start=100)
    make_backup(store, small / "backups", keep=1)

    def commit() -> None:
        photos = store.commit([(row, analysis(content(row.path), space=WIDE)) for row in queued])
        vectors.add([photo.number for photo in photos], [bytes(1024) for _ in photos])

    stages: dict[str, tuple[Callable[[], object], type[PixsortdError]]] = {
        "record": (lambda: drop(store, *(b"more/%d" % i for i in range(500)), start=1000), IndexFull),
        "commit": (commit, IndexFull),
        "meta": (lambda: store.meta_set("big", bytes(500_000)), IndexFull),
        "backup": (lambda: make_backup(store, small / "backups", keep=1), IndexFull),
        "decision": (lambda: decisions.append(RatePhoto(sha256=bytes(32), stars=1)), StateDirectoryFull),
    }
    ballast = fill(small, leave)
    failed = set[str]()
    for name, (stage, error) in stages.items():
        before = store.ledger(ROOT), store.counts(), decisions.ratings()
        problem = raised(stage, error)
        if problem is not None:
            failed.add(name)
            assert problem.status == 507
            assert problem.next_step
            assert (store.ledger(ROOT), store.counts(), decisions.ratings()) == before
    assert "meta" in failed
    assert "backup" in failed
    if not leave:
        assert failed == set(stages)
    assert len(backups(small / "backups")) == 1
    row = store.file(ROOT, b"first/0")
    assert row is not None
    assert row.state is FileState.INDEXED, "reading goes on"
    ballast.unlink()
    for name in failed:
        stages[name][0]()
    assert store.ledger(ROOT) == Ledger(on_disk=560, indexed=60, pending=500)
    assert vectors.save()
    store.close()
    decisions.close()
    assert probe(small / "index").verdict is Verdict.SOUND
    again = Decisions.open(small / "decisions")
    assert again.ratings() == {bytes(32): 1}
    assert again.torn is None
    again.close()


def test_filling_it_drop_by_drop(small: Path) -> None:
    store = Store.open(small / "index", map_size=1 << 30)
    kept = batch = 0

    def another_batch() -> None:
        rows = drop(store, *(b"%d/%d" % (batch, i) for i in range(20)), start=batch * 20 + 1)
        store.commit([(row, analysis(content(row.path), space=WIDE)) for row in rows])

    while raised(another_batch, IndexFull) is None:
        kept, batch = kept + 20, batch + 1
    ledger = store.ledger(ROOT)
    assert ledger.indexed == kept > 0
    assert ledger.pending in (0, 20)
    store.close()
    assert probe(small / "index").verdict is Verdict.SOUND


def test_a_first_start_on_a_full_disk_is_refused_with_a_sentence(small: Path) -> None:
    for leave in (0, 20_000, 36_000):
        ballast = fill(small, leave)
        with pytest.raises(IndexFull, match=r"full|no space"):
            open_index(small / "index", small / "backups", map_size=1 << 30)
        ballast.unlink()
    store, opened_as = open_index(small / "index", small / "backups", map_size=1 << 30)
    assert opened_as.origin == "fresh"
    store.close()


def test_a_later_start_on_a_full_disk_reads_and_waits(small: Path) -> None:
    store, _ = open_index(small / "index", small / "backups", map_size=1 << 30)
    index(store, *(b"%d" % i for i in range(100)))
    store.close()
    ballast = fill(small, 0)
    store, opened_as = open_index(small / "index", small / "backups", map_size=1 << 30)
    assert (opened_as.origin, store.counts().photos) == ("clean", 100)
    with pytest.raises(IndexFull):
        store.meta_set("big", bytes(500_000))
    ballast.unlink()
    store.meta_set("big", bytes(500_000))
    store.close()


def test_damage_on_a_full_disk_loses_no_backup(small: Path) -> None:
    store, _ = open_index(small / "index", small / "backups", map_size=1 << 30)
    index(store, *(b"%d" % i for i in range(100)))
    make_backup(store, small / "backups", keep=1)
    store.close()
    data = small / "index" / "data.mdb"
    data.write_bytes(b"nonsense" * (data.stat().st_size // 8))
    ballast = fill(small, 0)
    for _ in range(2):
        with pytest.raises(IndexProblem):
            open_index(small / "index", small / "backups", map_size=1 << 30)
    ballast.unlink()
    store, opened_as = open_index(small / "index", small / "backups", map_size=1 << 30)
    assert (opened_as.origin, store.counts().photos) == ("restored", 100)
    store.close()
