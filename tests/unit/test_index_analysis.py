"""Handing out work and taking in results."""

from pathlib import Path

import msgspec
import pytest

from pixsortd.index.store import Store
from pixsortd.records import (
    Ability,
    AbilityState,
    Analysis,
    Excluded,
    FileState,
    Found,
    Gone,
    Ledger,
    Missing,
    Moved,
    Reason,
    Score,
    Space,
    Step,
)
from tests.unit.index_material import NIQE, ROOT, SPACE, adds_up, analysis, content, drop, index, opened, stamp, vector

WHY = Reason(code="test", message="because")
CLIP = Space(name="clip", model="clip", revision="1", preprocessing="p", dim=8)


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path / "index") as store:
        yield store


def test_commit_makes_a_photo(store: Store) -> None:
    (row,) = drop(store, b"a/one.jpg")
    sha256 = content(b"one")
    assert store.analysis_of(sha256) == (False, frozenset(), frozenset())
    (photo,) = store.commit([(row, analysis(sha256, taken=5.0))])
    assert (photo.sha256, photo.number, photo.taken) == (sha256, 1, 5.0)
    assert store.photo(sha256) == photo
    assert store.analysis_of(sha256) == (True, {SPACE.key}, {"niqe"})
    assert store.embedding(SPACE.key, sha256) == vector(int.from_bytes(sha256[:4], "big"))
    assert [(score.metric, score.value) for score in store.scores(sha256)] == [(NIQE, 3.0)]
    assert store.thumbnail(sha256) == b"RIFF____WEBP" + sha256
    assert store.ledger(ROOT) == Ledger(on_disk=1, indexed=1)
    assert store.next_batch(9, 10**9, [ROOT]) == []
    assert [step.what for step in store.history(sha256)] == ["found", "indexed"]
    assert store.file_history(ROOT, b"a/one.jpg") == store.history(sha256)
    assert adds_up(store)


def test_known_content_at_a_second_path_only_adds_a_location(store: Store) -> None:
    (photo,) = index(store, b"one")
    (row,) = drop(store, b"copy", start=5)
    assert store.commit([(row, Analysis(id=1, sha256=photo.sha256))]) == []
    assert {found.path for found in store.locations(photo.sha256)} == {b"one", b"copy"}
    assert store.counts().photos == 1
    assert [step.what for step in store.history(photo.sha256)] == ["found", "indexed", "found", "known"]
    assert adds_up(store)


def test_two_copies_in_one_batch(store: Store) -> None:
    rows = drop(store, b"one", b"two")
    new = store.commit([(row, analysis(content(b"same"))) for row in rows])
    assert len(new) == 1
    assert len(store.locations(content(b"same"))) == 2
    assert store.spaces()[0].count == 1
    assert adds_up(store)


def test_a_result_for_changed_bytes_is_dropped(store: Store) -> None:
    (row,) = drop(store, b"one")
    store.record(ROOT, [Found(path=b"one", stamp=stamp(1, size=2), settled=False)])
    assert store.commit([(row, analysis(content(b"old")))]) == []
    assert store.ledger(ROOT) == Ledger(on_disk=1, pending=1)
    assert store.photo(content(b"old")) is None


def test_a_result_follows_a_file_renamed_meanwhile(store: Store) -> None:
    (row,) = drop(store, b"a/one")
    store.record(ROOT, [Moved(old=b"a/one", path=b"b/one", stamp=stamp(1))])
    (photo,) = store.commit([(row, analysis(content(b"one")))])
    assert [found.path for found in store.locations(photo.sha256)] == [b"b/one"]
    assert adds_up(store)


def test_a_result_for_a_file_that_went_away_counts_when_it_returns(store: Store) -> None:
    (row,) = drop(store, b"one")
    store.record(ROOT, [Missing(path=b"one", reason=WHY)])
    assert len(store.commit([(row, analysis(content(b"one")))])) == 1
    found = store.file(ROOT, b"one")
    assert found is not None
    assert (found.state, found.before, found.sha256) == (FileState.AWAY, FileState.INDEXED, content(b"one"))
    assert adds_up(store)


@pytest.mark.parametrize("change", [Gone(path=b"one", reason=WHY), Excluded(path=b"one", reason=WHY, stamp=stamp(1))])
def test_a_result_for_a_file_that_is_no_longer_wanted(store: Store, change: Gone | Excluded) -> None:
    (row,) = drop(store, b"one")
    store.record(ROOT, [change])
    assert store.commit([(row, analysis(content(b"one")))]) == []
    assert store.counts().photos == 0
    assert adds_up(store)


def test_failures_go_to_quarantine(store: Store) -> None:
    one, two, three = drop(store, b"one", b"two", b"three")
    store.commit([(one, Analysis(id=0, sha256=content(b"one"), failure=WHY))])
    store.fail(two, Reason(code="worker-crashed", message="it crashed"), content(b"two"), attempts=2)
    store.fail(three, Reason(code="unreadable", message="EIO"))
    failed = {row.path: row for row in store.quarantine(10).items}
    assert [failed[path].attempts for path in (b"one", b"two", b"three")] == [0, 2, 0]
    assert [failed[path].sha256 for path in (b"one", b"two", b"three")] == [content(b"one"), content(b"two"), None]
    assert failed[b"one"].reason == WHY
    assert store.photo(content(b"one")) is None
    assert store.ledger(ROOT) == Ledger(on_disk=3, failed=3)
    assert [step.what for step in store.file_history(ROOT, b"one")] == ["found", "failed"]
    assert adds_up(store)


def test_a_failure_leaves_an_indexed_photo_alone(store: Store) -> None:
    (photo,) = index(store, b"one")
    row = store.file(ROOT, b"one")
    assert row is not None
    store.fail(row, WHY, photo.sha256, attempts=2)
    assert store.ledger(ROOT) == Ledger(on_disk=1, indexed=1)
    assert [step.what for step in store.history(photo.sha256)][-1] == "failed"


def test_unsettle(store: Store) -> None:
    (row,) = drop(store, b"one")
    store.unsettle(row)
    found = store.file(ROOT, b"one")
    assert found is not None
    assert (found.state, found.settled) == (FileState.PENDING, False)
    assert store.next_batch(9, 10**9, [ROOT]) == []
    assert adds_up(store)


def test_touched_file_finds_its_photo_again(store: Store) -> None:
    (photo,) = index(store, b"one")
    (row,) = drop(store, b"one", start=1)  # an equal stamp changes nothing
    assert row.state is FileState.INDEXED
    store.record(ROOT, [Found(path=b"one", stamp=stamp(1, age=5), settled=True)])
    (row,) = store.next_batch(9, 10**9, [ROOT])
    done, spaces, metrics = store.analysis_of(photo.sha256)
    assert (done, spaces, metrics) == (True, {SPACE.key}, {"niqe"}), "nothing is computed again"
    store.commit([(row, Analysis(id=0, sha256=photo.sha256))])
    assert store.counts().photos == 1
    assert store.counts().orphans == 0
    assert adds_up(store)


def test_an_answer_without_a_photo_for_unknown_content_stays_pending(store: Store) -> None:
    (row,) = drop(store, b"one")
    assert store.commit([(row, Analysis(id=0, sha256=content(b"one")))]) == []
    assert store.ledger(ROOT).pending == 1


def test_a_vector_of_the_wrong_length_is_refused_whole(store: Store) -> None:
    (row,) = drop(store, b"one")
    wrong = msgspec.structs.replace(
        analysis(content(b"one")),
        embeddings=(msgspec.structs.replace(analysis(content(b"one")).embeddings[0], vector=b"short"),),
    )
    with pytest.raises(ValueError, match="dimensions"):
        store.commit([(row, wrong)])
    assert store.ledger(ROOT).pending == 1
    assert store.photo(content(b"one")) is None


def test_lost_thumbnail_is_noticed_offered_and_made_again(store: Store, tmp_path: Path) -> None:
    (photo,) = index(store, b"one")
    assert store.lacking([SPACE.key], ["niqe"], 10, [ROOT]) == []
    (file,) = (tmp_path / "index" / "thumbs").glob("*/*.webp")
    file.write_bytes(file.read_bytes()[:-1])
    assert store.thumbnail(photo.sha256) is None
    assert store.analysis_of(photo.sha256)[0] is False
    (row,) = store.lacking([SPACE.key], ["niqe"], 10, [ROOT])
    assert store.lacking([SPACE.key], ["niqe"], 10, [ROOT]) == []
    again = analysis(photo.sha256, taken=photo.taken)
    jpeg = msgspec.structs.replace(again, thumbnail=b"\xff\xd8jpeg", embeddings=(), scores=())
    assert store.commit([(row, jpeg)]) == []
    assert store.thumbnail(photo.sha256) == b"\xff\xd8jpeg"
    assert [path.suffix for path in (tmp_path / "index" / "thumbs").glob("*/*")] == [".jpg"]
    now = store.photo(photo.sha256)
    assert now is not None
    assert (now.number, now.added) == (photo.number, photo.added)
    assert adds_up(store)


def test_lacking_offers_each_photo_once_for_one_set_of_wants(store: Store) -> None:
    index(store, *(b"%d" % i for i in range(25)))
    offered: list[bytes] = []
    while rows := store.lacking([SPACE.key, CLIP.key], ["niqe"], 10, [ROOT]):
        assert len(rows) <= 10
        offered += [row.path for row in rows]
    assert sorted(offered) == sorted(b"%d" % i for i in range(25))
    assert store.lacking([SPACE.key, CLIP.key], ["niqe"], 10, []) == [], "no root is online"
    rows = store.lacking([SPACE.key, CLIP.key], ["niqe"], 100, [ROOT])
    assert len(rows) == 25, "other arguments begin a new pass"
    for row in rows:
        assert row.sha256 is not None
        done = analysis(row.sha256, space=CLIP)
        store.commit([(row, msgspec.structs.replace(done, photo=None, thumbnail=None, scores=()))])
    assert store.lacking([SPACE.key, CLIP.key], [], 10, [ROOT]) == []
    assert {state.space.name: state.count for state in store.spaces()} == {"builtin": 25, "clip": 25}
    assert adds_up(store)


def test_what_was_left_for_later_is_counted_and_offered_by_a_new_sweep(store: Store) -> None:
    index(store, b"one", b"two")
    assert store.lacking_count([SPACE.key], ["niqe"]) == 0
    assert store.lacking([SPACE.key], ["niqe"], 10, [ROOT]) == []
    (row,) = drop(store, b"three", start=7)
    store.commit([(row, msgspec.structs.replace(analysis(content(b"three")), scores=()))])
    assert store.lacking([SPACE.key], ["niqe"], 10, [ROOT]) == [], "a finished sweep is not begun again by itself"
    store.sweep_again()
    assert store.lacking_count([SPACE.key], ["niqe"]) == 1
    assert [row.path for row in store.lacking([SPACE.key], ["niqe"], 10, [ROOT])] == [b"three"]


def test_lacking_skips_files_that_are_away(store: Store) -> None:
    index(store, b"one", b"two")
    store.record(ROOT, [Missing(path=b"one", reason=WHY)])
    assert [row.path for row in store.lacking([CLIP.key], [], 10, [ROOT])] == [b"two"]


def test_scores_of_an_older_metric_version_are_made_again(store: Store) -> None:
    (photo,) = index(store, b"one")
    newer = msgspec.structs.replace(NIQE, version="2")
    store.save_ability(Ability(kind="metric", name="niqe", state=AbilityState.READY, metric=newer))
    assert store.analysis_of(photo.sha256)[2] == frozenset()
    (row,) = store.lacking([], ["niqe"], 10, [ROOT])
    store.commit([(row, Analysis(id=0, sha256=photo.sha256, scores=(Score(metric=newer, value=4.0),)))])
    assert [(score.metric.version, score.value) for score in store.scores(photo.sha256)] == [("2", 4.0)]
    assert store.analysis_of(photo.sha256)[2] == {"niqe"}


def test_abilities(store: Store) -> None:
    clip = Ability(kind="space", name="clip", state=AbilityState.UNAVAILABLE, reason=WHY)
    store.save_ability(clip)
    ready = msgspec.structs.replace(clip, state=AbilityState.READY, space=CLIP, reason=None)
    store.save_ability(ready)
    assert store.abilities() == [ready]


def test_forget_deletes_all_of_a_photo(store: Store, tmp_path: Path) -> None:
    gone, kept = index(store, b"gone", b"kept")
    store.record(ROOT, [Gone(path=b"gone", reason=WHY)])
    assert store.forget(older_than=3600) == []
    assert store.forget(older_than=-1) == [gone]
    assert store.photo(gone.sha256) is None
    assert store.history(gone.sha256) == []
    assert store.scores(gone.sha256) == []
    assert store.embedding(SPACE.key, gone.sha256) is None
    assert [path.stem for path in (tmp_path / "index" / "thumbs").glob("*/*")] == [kept.sha256.hex()]
    assert store.spaces()[0].count == 1
    (row,) = drop(store, b"next", start=9)
    (photo,) = store.commit([(row, analysis(content(b"next")))])
    assert photo.number == 3, "numbers are never given twice"
    assert adds_up(store)


def test_histories_are_bounded_and_keep_their_beginning(store: Store) -> None:
    (photo,) = index(store, b"one")
    for i in range(100):
        store.add_histories({photo.sha256: [Step(at=float(i), what="rated", detail=str(i))]})
    steps = store.history(photo.sha256)
    assert len(steps) == 64
    assert (steps[0].what, steps[-1].detail) == ("found", "99")


def test_meta(store: Store) -> None:
    assert store.meta_get("jobs") is None
    store.meta_set("jobs", b"x")
    assert store.meta_get("jobs") == b"x"
