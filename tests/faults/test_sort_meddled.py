"""Somebody else changes the disk at any call of sorting: nothing of theirs is lost, nothing outside is touched."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.errors import PixsortdError
from tests.faults.faulty_disk import WAYS, Fault, disk_that
from tests.faults.sort_stage import FILES, SCENARIOS, Seen, Stage, held
from tests.faults.test_sort_disk import clean, quick, staged

__all__ = ["quick"]

Meddle = Callable[[Stage, Path], None]
"""Does something to the disk; the path is a directory outside of all roots."""

THEIRS = b"somebody else's photo " * 30


def put(path: Path, content: bytes) -> None:
    """As a careful program writes: a whole file takes the name."""
    fresh = path.with_name("theirs.tmp")
    fresh.write_bytes(content)
    os.replace(fresh, path)


def directory_becomes_link(stage: Stage, outside: Path) -> None:
    for name in ("lib/there", "lib/2024", "lib/x", "in/deep"):
        path = stage.path(name)
        if path.is_dir():
            path.rename(path.with_name(path.name + ".moved"))
            path.symlink_to(outside)


def source_becomes_link(stage: Stage, outside: Path) -> None:
    for name in SOURCES:
        path = stage.path(name)
        if path.exists():
            path.rename(path.with_name(path.name + ".moved"))
            path.symlink_to(outside / "x.jpg")


def source_is_replaced(stage: Stage, _outside: Path) -> None:
    for name in SOURCES:
        if stage.path(name).exists():
            put(stage.path(name), THEIRS + name.encode())


def source_is_written_to(stage: Stage, _outside: Path) -> None:
    for name in SOURCES:
        if stage.path(name).exists():
            with stage.path(name).open("ab") as file:
                file.write(THEIRS)


def name_is_taken(stage: Stage, _outside: Path) -> None:
    for name in TARGETS:
        path = stage.path(name)
        if path.parent.is_dir() and not os.path.lexists(path):
            put(path, THEIRS + name.encode())


def source_and_name_are_taken(stage: Stage, outside: Path) -> None:
    source_is_replaced(stage, outside)
    name_is_taken(stage, outside)


SOURCES = ("in/a.jpg", "in/x.jpg", "in/IMG_1.jpg", "in/IMG_1.xmp")
TARGETS = ("lib/there/a.jpg", "lib/2024/a.jpg", "lib/there/x.jpg", "lib/2024/IMG_1.xmp", "lib/there/IMG_1.xmp")
MEDDLES: dict[str, Meddle] = {
    meddle.__name__: meddle
    for meddle in (
        directory_becomes_link,
        source_becomes_link,
        source_is_replaced,
        source_is_written_to,
        name_is_taken,
        source_and_name_are_taken,
    )
}
MEDDLED = ("move", "move a unit", "take the place", "take a unit's place", "copy", "hardlink", "link to the same")


def at(k: int, meddle: Meddle, stage: Stage, outside: Path) -> Fault:
    """Meddle just before the k-th call."""

    def fault(count: int, _name: str) -> None:
        if count == k:
            meddle(stage, outside)

    return fault


def contents(looked: dict[str, Seen]) -> set[bytes]:
    return {seen.content for seen in looked.values() if seen.content}


def meddled(home: Path, scenario: str, way: str, meddle: Meddle) -> int:
    """Meddle at each call; how many those were."""
    outside = home / "outside"
    outside.mkdir()
    for name in ("x.jpg", "a.jpg"):
        (outside / name).write_bytes(b"outside")
    untouched = {path.name: path.lstat() for path in outside.iterdir()}
    total = clean(home / "clean", scenario, "apply", way)
    for k in range(1, total + 1):
        stage, run = staged(home / str(k), scenario, "apply", way)
        whole = contents(stage.look())

        def meddle_and_look(stage: Stage, outside: Path, whole: set[bytes] = whole) -> None:
            before = stage.look()
            meddle(stage, outside)
            after = stage.look()
            # What they have overwritten themselves is no loss of ours, what they have written must stay.
            whole -= {seen.content for name, seen in before.items() if name in after and after[name] != seen}
            whole |= contents(after) - contents(before)

        with suppress(PixsortdError), disk_that(at(k, meddle_and_look, stage, outside), WAYS[way]):
            stage.apply(run)
        stage.restart()
        lost = whole - held(stage).keys() - {os.fsencode(outside / "x.jpg"), os.fsencode(outside)}
        assert not {one[:60] for one in lost}, f"lost at call {k}"
        assert {path.name: path.lstat() for path in outside.iterdir()} == untouched, f"outside at call {k}"
        stage.close()
        shutil.rmtree(stage.home)
    return total


@pytest.mark.parametrize("meddle", MEDDLES)
@pytest.mark.parametrize("scenario", MEDDLED)
def test_somebody_meddles_at_any_call(quick: Path, scenario: str, meddle: str) -> None:
    assert set(SCENARIOS) >= set(MEDDLED)
    assert set(FILES) >= set(SOURCES)
    for way in ("link",) if "link" in scenario else ("link", "rename", "copy"):
        place = quick / way
        place.mkdir()
        meddled(place, scenario, way, MEDDLES[meddle])
