"""Whatever is done to a directory, the catalog agrees with it in the end, and moves are not re-read."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.config import Duration
from pixsortd.records import FileState
from pixsortd.watch.observer import Observer

from .fake_catalog import sha256
from .watch_stage import Stage, no_observer

DIRECTORIES = ["", "a", "b", "a/c", "b/d", ".hidden"]
NAMES = ["1.jpg", "2.jpg", "3.JPG", "x.txt", "4.jpg.part"]
WATCH = {"grace": Duration(5), "brake_files": 10_000}

places = st.sampled_from(DIRECTORIES)
names = st.sampled_from(NAMES)
operations = st.one_of(
    st.tuples(st.just("write"), places, names, st.integers(0, 5)),
    st.tuples(st.just("move"), places, names, places, names),
    st.tuples(st.just("link"), places, names, places, names),
    st.tuples(st.just("unlink"), places, names),
    st.tuples(st.just("rename"), places, places),
    st.tuples(st.just("rmtree"), places),
    st.tuples(st.just("look")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("index")),
)


def do(stage: Stage, operation: tuple) -> None:  # type: ignore[type-arg]
    """One operation on the disk; those that make no sense just now are left out."""
    at: Callable[..., str] = lambda *parts: os.path.join(stage.root, *parts)  # noqa: E731
    try:
        match operation:
            case ("write", place, name, content):
                stage.write(os.path.join(place, name), b"x" * (content + 1))
            case ("move", place, name, other, other_name):
                os.replace(at(place, name), at(other, other_name))
            case ("link", place, name, other, other_name):
                os.link(at(place, name), at(other, other_name))
            case ("unlink", place, name):
                os.unlink(at(place, name))
            case ("rename", place, other):
                os.rename(at(place), at(other))
            case ("rmtree", place) if place:
                shutil.rmtree(at(place))
            case ("look",):
                stage.run(1)
            case ("restart",):
                stage.restart()
            case ("index",):
                stage.run(3)
                stage.catalog.index(stage.id)
    except OSError:
        pass


def truth(root: Path) -> set[bytes]:
    """The paths that a full walk would let in."""
    found = set()
    for place, _, files in os.walk(os.fsencode(root)):
        relative = os.path.relpath(place, os.fsencode(root))
        prefix = b"" if relative == b"." else relative + b"/"
        if b"/." not in b"/" + prefix:
            found |= {prefix + name for name in files if name.lower().endswith(b".jpg")}
    return found


def agree(stage: Stage, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    """Do ``steps`` and hold what the catalog says afterwards against the disk."""
    stage.write("always.jpg", b"so that the root is never empty")
    stage.run(5)
    for step in steps:
        do(stage, step)
    stage.scan(30)
    stage.scan(30)
    rows = stage.rows()
    wanted = {path for path, row in rows.items() if row.state is not FileState.EXCLUDED}
    assert wanted == truth(stage.root)
    assert all(row.settled or row.state is FileState.INDEXED for path, row in rows.items() if path in wanted)
    for path in wanted:
        seen, known = os.lstat(os.path.join(os.fsencode(stage.root), path)), rows[path].stamp
        assert known is not None
        assert (known.size, known.mtime_ns, known.inode) == (seen.st_size, seen.st_mtime_ns, seen.st_ino)
        if rows[path].state is FileState.INDEXED:
            assert rows[path].sha256 == sha256(stage.root / os.fsdecode(path))
    stage.assert_adds_up()
    stage.catalog.forget_changes()
    stage.scan(30)
    assert stage.catalog.changes == []


@pytest.mark.parametrize("observe", [no_observer, Observer])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(operations, max_size=30))
def test_the_catalog_agrees_with_the_disk(observe: object, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as place:
        stage = Stage(Path(place) / "photos", observe=observe, watch=WATCH)
        agree(stage, steps)
        stage.close()
