"""kill -9 in the middle of edits of groups and of applying clusterings: nothing that was said is lost."""

import os
import random
import shutil
from pathlib import Path

import pytest

from pixsortd.errors import IndexFull
from pixsortd.grouping.constraints import repaired, violations
from pixsortd.index.store import Store
from tests.faults.group_editor import CONTENTS, PHOTOS, Editor, found
from tests.faults.test_index_killed import run_and_kill
from tests.unit.index_material import SPACE, adds_up, index, opened

KILLS = int(os.environ.get("PIXSORTD_TEST_KILLS", "10"))
"""The long form is PIXSORTD_TEST_KILLS=1000."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Sixty photos, forty of them in four groups."""
    home = tmp_path / "home"
    with opened(home / "index") as store:
        index(store, *(b"%d" % i for i in range(len(PHOTOS))))
    editor = Editor(home, 0)
    groups = {f"g{group}": list(range(group, 40, 4)) for group in range(4)}
    editor.outcomes.apply(found(groups), CONTENTS, SPACE, len(PHOTOS))
    editor.close()
    return home


def state(editor: Editor) -> tuple[object, ...]:
    """Who is where, and what is said of the groups."""
    told = [(one.id, one.size, one.name, one.locked, one.touched) for one in editor.store.groups()]
    return editor.store.group_ids(), told, editor.curator.proposal().proposal.changes


def sound(editor: Editor) -> None:
    """What must hold whenever the daemon has started."""
    assert adds_up(editor.store)
    constraints = editor.decisions.constraints()
    present = {photo: editor.store.group_ids().get(photo) for photo in PHOTOS}
    assert repaired(present, present, constraints) == present, "what can hold does"
    assert constraints.locked or violations(present, constraints) == ()
    groups = {group.id: group for group in editor.store.groups()}
    assert {group for group, one in groups.items() if one.touched} == set(constraints.known)
    assert {group: one.name for group, one in groups.items() if one.name} == constraints.names


def test_a_killed_edit_is_whole_or_was_never_made(tmp_path: Path, home: Path) -> None:
    start = tmp_path / "start"
    shutil.copytree(home, start)
    chance = random.Random(3)
    said: list[str] = []
    for turn in range(KILLS):
        lines = run_and_kill(["-m", "tests.faults.group_editor", str(home), str(turn), "edit"], chance.random() * 0.4)
        said += [line[1:] for line in lines if line.startswith("+")]
        editor = Editor(home, turn)
        sound(editor)
        kept = [past.edit for past in editor.decisions.edits_since(0)]
        assert [edit for edit in said if edit not in kept] == [], "an edit that was answered is in the log"
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(start, tmp_path / "again")
        shutil.copytree(home / "decisions", tmp_path / "again" / "decisions", dirs_exist_ok=True)
        again = Editor(tmp_path / "again", 0)
        assert state(again) == state(editor), "the log alone, from the beginning, gives the same"
        again.close()
        editor.close()
    assert len(said) > KILLS


def test_a_killed_clustering_is_whole_or_was_never_applied(home: Path) -> None:
    chance = random.Random(4)
    applied = 0
    for turn in range(KILLS):
        lines = run_and_kill(
            ["-m", "tests.faults.group_editor", str(home), str(turn), "cluster"], chance.random() * 0.4
        )
        applied += lines.count("#")
        editor = Editor(home, turn)
        sound(editor)
        before = state(editor)
        editor.close()
        editor = Editor(home, turn)
        assert state(editor) == before, "a second start changes nothing"
        editor.close()
    assert applied > KILLS // 2


@pytest.mark.parametrize("seed", range(4))
def test_no_clustering_changes_who_is_in_a_group_of_the_users(home: Path, seed: int) -> None:
    editor = Editor(home, seed)
    for _ in range(12):
        for _ in range(4):
            editor.edit()
        touched = editor.decisions.constraints().known.keys()
        before = editor.store.group_ids()
        editor.cluster()
        after = editor.store.group_ids()
        for photo in PHOTOS:
            if before.get(photo) in touched or after.get(photo) in touched:
                assert after.get(photo) == before.get(photo)
        sound(editor)
    assert editor.decisions.edit_count() > 12
    editor.close()


def test_an_edit_that_the_index_has_no_room_for_is_done_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(home, 0)
    photo = editor.store.members("g0")[0]

    def full(*_: object) -> None:
        raise IndexFull("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "regroup", full)
        done = editor.curator.place("g1", [photo])
    assert done.left
    assert editor.store.group_ids()[photo] == "g0"
    editor.curator.rename("g2", "Beach")
    assert editor.store.group_ids()[photo] == "g1", "with the next edit at the latest"
    sound(editor)
    editor.close()


def test_without_the_index_the_users_groups_are_back(home: Path) -> None:
    editor = Editor(home, 5)
    for _ in range(60):
        editor.edit()
    constraints, before = editor.decisions.constraints(), editor.store.group_ids()
    groups = {group.id: group for group in editor.store.groups() if group.touched}
    editor.close()
    shutil.rmtree(home / "index")
    with opened(home / "index") as store:
        index(store, *(b"%d" % i for i in range(len(PHOTOS))))
    editor = Editor(home, 5)
    sound(editor)
    assert editor.decisions.constraints() == constraints
    after = editor.store.group_ids()
    for photo, group in constraints.placed.items():
        assert after.get(photo) == group == before.get(photo)
    for group, members in constraints.locked.items():
        assert {photo for photo, one in after.items() if one == group} == members
    again = {group.id: group for group in editor.store.groups()}
    for group, one in groups.items():
        assert (again[group].name, again[group].locked, again[group].touched) == (one.name, one.locked, True)
    editor.close()
