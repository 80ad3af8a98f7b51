"""The catalogue of files: changes, counters, and what follows from them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.errors import InvalidRequest
from pixsortd.index.store import Store
from pixsortd.records import (
    Arrived,
    Back,
    Change,
    Departed,
    Excluded,
    FileState,
    Found,
    Gone,
    Ledger,
    Linked,
    Missing,
    Moved,
    Reason,
    Refused,
    Role,
    RootRecord,
    RootState,
)
from tests.unit.index_material import OTHER, ROOT, SPACE, adds_up, analysis, content, drop, index, opened, stamp

WHY = Reason(code="test", message="because")


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        yield store


def words(store: Store, path: bytes) -> list[str]:
    return [step.what for step in store.file_history(ROOT, path)]


def test_found_then_settled(store: Store) -> None:
    store.record(ROOT, [Found(path=b"a/b.jpg", stamp=stamp(1), settled=False)])
    row = store.file(ROOT, b"a/b.jpg")
    assert row is not None
    assert (row.state, row.settled, row.reason and row.reason.code) == (FileState.PENDING, False, "settling")
    assert store.next_batch(9, 10**9, [ROOT]) == []
    store.record(ROOT, [Found(path=b"a/b.jpg", stamp=stamp(1), settled=True)])
    assert [found.path for found in store.next_batch(9, 10**9, [ROOT])] == [b"a/b.jpg"]
    assert store.next_batch(9, 10**9, [OTHER]) == []
    assert list(store.directories(ROOT)) == [b"a"]
    assert store.listing(ROOT, b"a")[b"b.jpg"] == store.file(ROOT, b"a/b.jpg")
    assert store.listing(ROOT, b"") == {}
    assert words(store, b"a/b.jpg") == ["found", "settled"]
    assert store.ledger(ROOT) == Ledger(on_disk=1, pending=1)


def test_never_settling_keeps_its_reason(store: Store) -> None:
    never = Reason(code="never-settles", message="It keeps changing.")
    store.record(ROOT, [Found(path=b"a", stamp=stamp(1), settled=False, reason=never)])
    row = store.file(ROOT, b"a")
    assert row is not None
    assert row.reason == never


def test_a_rename_keeps_everything(store: Store) -> None:
    (photo,) = index(store, b"a/one.jpg")
    store.record(ROOT, [Moved(old=b"a/one.jpg", path=b"b/two.jpg", stamp=stamp(1))])
    assert store.file(ROOT, b"a/one.jpg") is None
    row = store.file(ROOT, b"b/two.jpg")
    assert row is not None
    assert (row.state, row.sha256) == (FileState.INDEXED, photo.sha256)
    assert [found.path for found in store.locations(photo.sha256)] == [b"b/two.jpg"]
    assert list(store.directories(ROOT)) == [b"b"]
    assert words(store, b"b/two.jpg") == ["found", "indexed", "moved"]
    assert store.counts().photos == 1
    assert adds_up(store)


def test_a_rename_over_another_file(store: Store) -> None:
    one, two = index(store, b"one", b"two")
    store.record(ROOT, [Moved(old=b"one", path=b"two", stamp=stamp(1))])
    assert [found.path for found in store.locations(one.sha256)] == [b"two"]
    assert store.locations(two.sha256) == []
    assert [step.what for step in store.history(two.sha256)][-1] == "gone"
    assert store.ledger(ROOT) == Ledger(on_disk=1, indexed=1)
    assert adds_up(store)


def test_a_pending_file_keeps_its_steps_when_renamed(store: Store) -> None:
    drop(store, b"one")
    store.record(ROOT, [Moved(old=b"one", path=b"two", stamp=stamp(1))])
    assert words(store, b"two") == ["found", "moved"]
    assert words(store, b"one") == []


def test_hard_link_of_an_indexed_file_needs_no_work(store: Store) -> None:
    (photo,) = index(store, b"one")
    store.record(ROOT, [Linked(path=b"two", other=b"one", stamp=stamp(1))])
    assert {found.path for found in store.locations(photo.sha256)} == {b"one", b"two"}
    assert {row.path for row in store.by_inode(ROOT, 1)} == {b"one", b"two"}
    assert store.next_batch(9, 10**9, [ROOT]) == []
    assert adds_up(store)


def test_changed_content_leaves_the_photo_at_once(store: Store) -> None:
    (photo,) = index(store, b"one")
    store.record(ROOT, [Found(path=b"one", stamp=stamp(1, size=2000), settled=False)])
    assert store.locations(photo.sha256) == []
    assert store.photo(photo.sha256) is not None
    assert store.counts().photos == 0
    assert store.counts().orphans == 1
    assert [step.what for step in store.history(photo.sha256)] == ["found", "indexed", "changed"]
    assert words(store, b"one") == ["changed"]
    assert adds_up(store)


def test_found_again_with_an_equal_stamp_changes_nothing(store: Store) -> None:
    (photo,) = index(store, b"one")
    store.record(ROOT, [Found(path=b"one", stamp=stamp(1), settled=True)])
    assert [found.path for found in store.locations(photo.sha256)] == [b"one"]
    assert store.ledger(ROOT).indexed == 1


def test_missing_and_back(store: Store) -> None:
    (photo,) = index(store, b"one")
    store.record(ROOT, [Missing(path=b"one", reason=WHY)])
    row = store.file(ROOT, b"one")
    assert row is not None
    assert (row.state, row.before, row.reason) == (FileState.AWAY, FileState.INDEXED, WHY)
    assert store.counts().photos == 1, "an away photo stays in the timeline"
    store.record(ROOT, [Back(path=b"one", stamp=stamp(1, device=2))])
    row = store.file(ROOT, b"one")
    assert row is not None
    assert (row.state, row.before, row.reason, row.sha256) == (FileState.INDEXED, None, None, photo.sha256)
    assert row.stamp == stamp(1, device=2)
    assert words(store, b"one") == ["found", "indexed", "missing", "back"]


def test_every_state_returns_as_it_was(store: Store) -> None:
    drop(store, b"pending")
    store.record(ROOT, [Refused(path=b"failed", reason=WHY, stamp=stamp(9))])
    before = {path: store.file(ROOT, path) for path in (b"pending", b"failed")}
    store.record(ROOT, [Missing(path=path, reason=WHY) for path in before])
    assert store.next_batch(9, 10**9, [ROOT]) == []
    assert store.ledger(ROOT) == Ledger(on_disk=2, away=2)
    store.record(ROOT, [Back(path=b"pending", stamp=stamp(1)), Back(path=b"failed", stamp=stamp(9))])
    for path, old in before.items():
        now = store.file(ROOT, path)
        assert now is not None
        assert old is not None
        assert (now.state, now.reason, now.settled) == (old.state, old.reason, old.settled)
    assert len(store.next_batch(9, 10**9, [ROOT])) == 1


def test_gone_keeps_the_analysis(store: Store) -> None:
    (photo,) = index(store, b"a/one")
    store.record(ROOT, [Gone(path=b"a/one", reason=WHY)])
    assert store.file(ROOT, b"a/one") is None
    assert list(store.directories(ROOT)) == []
    assert store.analysis_of(photo.sha256) == (True, {SPACE.key}, {"niqe"})
    assert store.ledger(ROOT) == Ledger()
    assert [step.what for step in store.history(photo.sha256)][-1] == "gone"


def test_excluded_directory_counts_its_files_and_replaces_rows(store: Store) -> None:
    index(store, b"cache/x/one", b"cache/two", b"three")
    store.record(ROOT, [Excluded(path=b"cache", reason=WHY, files=7)])
    assert store.ledger(ROOT) == Ledger(on_disk=8, indexed=1, excluded=7)
    assert store.listing(ROOT, b"")[b"cache"].stamp is None
    assert list(store.directories(ROOT)) == [b""]
    store.record(ROOT, [Excluded(path=b"cache", reason=WHY, files=9)])
    assert store.ledger(ROOT).excluded == 9
    assert adds_up(store)


def test_a_directory_no_longer_excluded_gives_way_to_its_files(store: Store) -> None:
    store.record(ROOT, [Excluded(path=b"cache", reason=WHY, files=7)])
    store.record(ROOT, [Found(path=b"cache/x/one", stamp=stamp(1), settled=True)])
    assert store.ledger(ROOT) == Ledger(on_disk=1, pending=1)
    assert adds_up(store)


def test_refused_without_a_stamp_is_listed(store: Store) -> None:
    store.record(ROOT, [Refused(path=b"one", reason=WHY)])
    assert [row.path for row in store.quarantine(10).items] == [b"one"]
    assert adds_up(store)


def test_retry(store: Store) -> None:
    store.record(ROOT, [Refused(path=b"one", reason=WHY, stamp=stamp(1))])
    assert store.retry(ROOT, b"one")
    assert not store.retry(ROOT, b"one")
    assert [row.path for row in store.next_batch(9, 10**9, [ROOT])] == [b"one"]
    assert words(store, b"one") == ["failed", "retried"]


@pytest.mark.parametrize(
    "path",
    [
        b"\xff\xfe\x80",
        b"new\nline",
        b"-dash",
        "caf\u00e9".encode(),
        "cafe\u0301".encode(),
        b"n" * 255,
        b"/".join([b"d" * 255] * 15) + b"/" + b"x" * 200,
        b"y" * 765,  # NTFS and exFAT count in UTF-16
    ],
)
def test_any_bytes_are_a_path(store: Store, path: bytes) -> None:
    (photo,) = index(store, path)
    directory, _, name = path.rpartition(b"/")
    assert store.listing(ROOT, directory)[name].path == path
    assert [row.path for row in store.by_inode(ROOT, 1)] == [path]
    assert [row.path for row in store.locations(photo.sha256)] == [path]
    store.record(ROOT, [Missing(path=path, reason=WHY)])
    store.record(ROOT, [Gone(path=path, reason=WHY)])
    assert adds_up(store)


def test_long_names_with_one_beginning_are_two(store: Store) -> None:
    index(store, b"y" * 765, b"y" * 764 + b"z")
    assert len(store.listing(ROOT, b"")) == 2


def test_sample_spreads(store: Store) -> None:
    drop(store, *(b"dir%d/%d" % (i % 20, i) for i in range(400)))
    store.record(ROOT, [Excluded(path=b"no", reason=WHY, stamp=stamp(999))])
    found = store.sample(ROOT, 30)
    assert len({row.path for row in found}) == 30
    assert len({row.path.split(b"/")[0] for row in found}) > 5
    assert len(store.sample(ROOT, 1000)) == 400
    assert store.sample(OTHER, 5) == []


def test_roots(store: Store) -> None:
    record = RootRecord(id=ROOT, path=b"/photos", role=Role.INBOX, state=RootState.ONLINE, skipped={"fifo": 1})
    store.save_root(record)
    assert store.root(ROOT) == record
    assert store.roots() == [record]
    index(store, b"one")
    assert store.drop_root(ROOT) == 1
    assert store.roots() == []
    assert store.counts().photos == 0
    assert adds_up(store)
    with pytest.raises(InvalidRequest):
        store.root("../../etc")


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path / "again") as store:
        (photo,) = index(store, b"a/one")
        drop(store, b"two", start=5)
        ledger, generation = store.ledger(ROOT), store.generation
    with opened(tmp_path / "again", readonly=True) as store:
        assert store.ledger(ROOT) == ledger
        assert store.generation == generation
        assert store.photo(photo.sha256) == photo
        assert len(store.next_batch(9, 10**9, [ROOT])) == 1


# --- any sequence of changes -----------------------------------------------------------------------

PATHS = st.sampled_from([b"a", b"b", b"d/a", b"d/b", b"d/e/a", b"d", b"d/e"])
STAMPS = st.builds(lambda inode, size: stamp(inode, size=size), st.integers(1, 4), st.integers(1, 3))
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Found, path=PATHS, stamp=STAMPS, settled=st.booleans()),
    st.builds(Moved, old=PATHS, path=PATHS, stamp=STAMPS),
    st.builds(Linked, path=PATHS, other=PATHS, stamp=STAMPS),
    st.builds(Excluded, path=PATHS, reason=st.just(WHY), stamp=STAMPS),
    st.builds(Excluded, path=PATHS, reason=st.just(WHY), files=st.integers(0, 5)),
    st.builds(Refused, path=PATHS, reason=st.just(WHY), stamp=st.none() | STAMPS),
    st.builds(Missing, path=PATHS, reason=st.just(WHY)),
    st.builds(Back, path=PATHS, stamp=STAMPS),
    st.builds(Gone, path=PATHS, reason=st.just(WHY)),
    st.builds(Departed, path=PATHS),
    st.builds(lambda path, seen: Arrived(path=path, stamp=seen, sha256=content(bytes([seen.size]))), PATHS, STAMPS),
)
STEPS = st.lists(CHANGES | st.just("work"), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_ledger_adds_up_after_anything(tmp_path: Path, steps: list[Change | str]) -> None:
    with opened(tmp_path / os.urandom(8).hex()) as store:
        for step in steps:
            if isinstance(step, str):
                work = store.next_batch(9, 10**9, [ROOT])
                # Contents collide on purpose: a photo may have many files.
                store.commit([(row, analysis(content(bytes([row.stamp.size])))) for row in work if row.stamp])
            else:
                store.record(ROOT, [step])
        assert adds_up(store)
