"""Reflinks on file systems that have them: bytes are shared, whole or not there at all, and taken back."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pixsortd.errors import PixsortdError
from pixsortd.records import Action
from tests.faults.disk_volume import volume_of
from tests.faults.faulty_disk import Stopped, disk_that, stop
from tests.faults.sort_stage import SCENARIOS, UNIT, Deed, Stage, fill, plan_of
from tests.faults.test_sort_disk import settled

MEGABYTES = 24


@pytest.fixture(params=["xfs", "btrfs"])
def sharing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A directory of a file system whose files can share bytes."""
    with volume_of(request.param, tmp_path / "volume") as volume:
        yield volume.place


def used(place: Path) -> int:
    """Bytes of the file system that are taken."""
    os.sync()
    room = os.statvfs(place)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def test_a_reflink_costs_no_room_and_is_a_file_of_its_own(sharing: Path) -> None:
    stage = Stage(sharing)
    content = os.urandom(MEGABYTES << 20)
    stage.write("in/a.jpg", content)
    os.setxattr(stage.path("in/a.jpg"), "user.note", b"kept")
    before, room = stage.look(), used(sharing)
    run = stage.approve(plan_of([stage.step(Deed(Action.REFLINK, (("in/a.jpg", "lib/2024/a.jpg"),)))]))
    assert list(stage.apply(run).values()) == [None]
    source, made = stage.path("in/a.jpg"), stage.path("lib/2024/a.jpg")
    assert used(sharing) - room < (MEGABYTES << 20) // 4
    assert made.read_bytes() == content
    assert made.stat().st_ino != source.stat().st_ino
    assert (made.stat().st_mtime_ns, made.stat().st_mode) == (source.stat().st_mtime_ns, source.stat().st_mode)
    assert os.getxattr(made, "user.note") == b"kept"
    back = stage.approve(stage.inverse(run))
    assert list(stage.apply(back).values()) == [None]
    assert stage.look() == before
    assert list(stage.apply(stage.approve(stage.inverse(back))).values()) == [None]
    with made.open("r+b") as file:
        file.write(b"edited")
    assert source.read_bytes() == content, "who edits one does not edit the other"
    stage.close()


@pytest.mark.parametrize("takes_back", [False, True], ids=["apply", "undo"])
def test_every_call_of_a_reflinked_unit_is_the_last(sharing: Path, takes_back: bool) -> None:
    deeds = SCENARIOS["reflink a unit"]
    assert len(deeds[0].files) == len(UNIT)
    k, ended = 0, False
    while not ended:
        k += 1
        home = sharing / str(k)
        stage = Stage(home)
        fill(stage)
        run = stage.approve(plan_of([stage.step(deed) for deed in deeds]))
        if takes_back:
            stage.apply(run)
            run = stage.approve(stage.inverse(run))
        before = stage.look()
        ended = True
        with suppress(PixsortdError), disk_that(stop(k)):
            try:
                stage.apply(run)
            except Stopped:
                ended = False
        stage.restart()
        settled(stage, run, before)
        stage.apply(run)
        assert all(settled(stage, run, before))
        stage.close()
        shutil.rmtree(home)
    assert k > 20, "there were hardly any calls to end at"
