"""The watcher on the real index: the scenarios of the unit tests once more, and the truth on disk."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.index.store import Store
from pixsortd.records import Analysis, Change, FileState, Photo, RootRecord
from pixsortd.watch.observer import Observer
from tests.unit.fake_catalog import sha256
from tests.unit.test_watch_scan import (  # noqa: F401 - collected here with the fixture below
    test_a_file_moved_over_another,
    test_a_file_that_returns_elsewhere_is_moved,
    test_a_file_that_returns_within_the_grace_time,
    test_a_scan_without_changes_writes_nothing_but_the_root,
    test_changes_come_in_large_batches,
    test_excluded_directories_are_one_row,
    test_first_scan_finds_then_settles,
    test_hard_link_of_an_indexed_file,
    test_moved_file_and_renamed_directory_cost_nothing,
    test_names_are_bytes,
    test_nested_directories_renamed_and_swapped,
    test_paths_deeper_than_the_kernel_takes_at_once,
    test_restart_without_changes_writes_nothing,
    test_rules_that_change_between_starts,
    test_short_lived_files_leave_no_trace,
    test_single_delete_is_believed_after_the_grace_time,
)
from tests.unit.test_watch_truth import WATCH, agree, operations
from tests.unit.watch_stage import Stage


class Recorded:
    """The real index, with a note of what was recorded and a way to analyse without a worker."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.batches: list[Sequence[Change]] = []
        self.saves = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def record(self, root: str, changes: Sequence[Change]) -> None:
        self.batches.append(changes)
        self._store.record(root, changes)

    def save_root(self, record: RootRecord) -> None:
        self.saves += 1
        self._store.save_root(record)

    @property
    def changes(self) -> list[Change]:
        return [change for batch in self.batches for change in batch]

    def forget_changes(self) -> None:
        self.batches.clear()

    def index(self, root: str) -> None:
        """Hash every settled pending file and take it in as if it had been analysed."""
        record = self._store.root(root)
        assert record is not None
        while rows := self._store.next_batch(100, 10**12, [root]):
            results = []
            for number, row in enumerate(rows):
                assert row.stamp is not None
                name = sha256(Path(os.fsdecode(os.path.join(record.path, row.path))))
                photo = Photo(sha256=name, size=row.stamp.size, format="JPEG", width=1, height=1)
                results.append((row, Analysis(id=number, sha256=name, photo=photo)))
            self._store.commit(results)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = Store.open(tmp_path / "index", map_size=10**9)
    stage = Stage(tmp_path / "photos", Recorded(store))
    yield stage
    stage.close()
    store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(operations, max_size=30))
def test_the_index_agrees_with_the_disk(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(Path(place) / "index", map_size=10**9)
        stage = Stage(Path(place) / "photos", Recorded(store), observe=Observer, watch=WATCH)
        agree(stage, steps)
        stage.close()
        store.close()


def test_half_vanished_and_back(stage: Stage) -> None:
    for number in range(40):
        stage.write(f"{number % 2}/{number}.jpg", b"photo %d" % number)
    stage.index()
    stage.catalog.forget_changes()
    os.rename(stage.root / "0", stage.root.parent / "aside")
    stage.scan(1000)
    assert stage.record.missing == 20
    os.rename(stage.root.parent / "aside", stage.root / "0")
    stage.run(100)
    assert stage.catalog.changes == []
    assert set(stage.states().values()) == {FileState.INDEXED}
