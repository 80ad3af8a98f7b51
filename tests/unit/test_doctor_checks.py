"""What the doctor says of what it measured."""

import os
import time
from pathlib import Path

import pytest

from pixsortd.config import RootSettings, ScoreSettings, Settings
from pixsortd.config.tree import EmbedSettings
from pixsortd.daemon.doctor import checks, device, directories, licences, storage, surroundings
from pixsortd.daemon.doctor.finding import Level

HERE = Path("/srv/state")


@pytest.mark.parametrize(
    ("kind", "silent", "level"),
    [
        ("ext4", False, Level.OK),
        ("nfs4", True, Level.FAIL),
        ("cifs", True, Level.FAIL),
        ("fuse.sshfs", True, Level.FAIL),
        ("fuse.mergerfs", True, Level.WARN),
        ("overlay", False, Level.WARN),
    ],
)
def test_state_directory_by_file_system(kind: str, silent: bool, level: Level) -> None:
    finding = storage.judge_file_system(HERE, kind, silent)
    assert finding.level is level
    assert bool(finding.next_step) == (level is not Level.OK)


def test_space_and_permission() -> None:
    assert [storage.judge_space(HERE, free).level for free in (10**7, 10**9, 10**10)] == [
        Level.FAIL,
        Level.WARN,
        Level.OK,
    ]
    assert storage.judge_writing(HERE, "permission denied").level is Level.FAIL
    assert storage.judge_writing(HERE, "").level is Level.OK


def test_a_state_directory_that_is_not_made_yet(tmp_path: Path) -> None:
    settings = Settings(state_dir=str(tmp_path / "a" / "b"))
    assert storage.existing(tmp_path / "a" / "b") == tmp_path
    assert {one.level for one in storage.state_directory_is_usable(settings)} <= {Level.OK, Level.WARN}
    assert list(tmp_path.iterdir()) == []


def test_a_state_directory_is_left_as_it_was(tmp_path: Path) -> None:
    list(storage.state_directory_is_usable(Settings(state_dir=str(tmp_path))))
    list(surroundings.clock_is_sane(Settings(state_dir=str(tmp_path))))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("needed", "complete", "level"), [(100, True, Level.OK), (900, True, Level.WARN), (100, False, Level.WARN)]
)
def test_watches(needed: int, complete: bool, level: Level) -> None:
    finding = directories.judge_watches(needed, 1000, complete=complete)
    assert finding.level is level
    assert ("max_user_watches=524288" in finding.next_step) == (level is Level.WARN)


def test_more_watches_are_suggested_for_more_directories() -> None:
    assert "max_user_watches=2097152" in directories.judge_watches(600_000, 8192, complete=True).next_step


def test_instances() -> None:
    assert directories.judge_instances(2, 128).level is Level.OK
    assert directories.judge_instances(125, 128).level is Level.WARN


def test_directories_are_counted_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file.jpg").write_text("")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert directories.count(tmp_path, time.monotonic() + 60) == directories.Count(directories=3)
    assert directories.count(tmp_path, 0) == directories.Count(directories=1, complete=False)


def test_roots_absent_closed_or_fine(tmp_path: Path) -> None:
    seen = directories.Count(directories=3)
    assert directories.judge_root(tmp_path, "", seen).level is Level.OK
    assert directories.judge_root(tmp_path / "gone", "", seen).level is Level.WARN
    assert directories.judge_root(tmp_path, "permission denied", seen).level is Level.FAIL
    assert directories.judge_root(tmp_path, "", directories.Count(closed=("/x",))).level is Level.WARN
    checks = list(directories.roots_can_be_watched(Settings(roots=(RootSettings(path=str(tmp_path)),))))
    assert f"{tmp_path} can be read (1 directories)" in [one.message for one in checks]
    assert any("no photo directory" in one.message for one in directories.roots_can_be_watched(Settings()))


def test_clock() -> None:
    assert surroundings.judge_clock(0.0, None).level is Level.FAIL
    assert surroundings.judge_clock(surroundings.BUILT + 10, surroundings.BUILT + 500).level is Level.WARN
    assert surroundings.judge_clock(surroundings.BUILT + 10, surroundings.BUILT + 10).level is Level.OK


CPU = device.Torch(torch="2.13.0+cpu")
BUILT_FOR_CUDA = device.Torch(torch="2.13.0", built_for_cuda="13.0")
CUDA = device.Torch(torch="2.13.0", built_for_cuda="13.0", cuda="GPU")


@pytest.mark.parametrize(
    ("wanted", "nvidia", "torch", "level", "words"),
    [
        ("auto", "", CPU, Level.OK, "CPU"),
        ("cpu", "GPU", CPU, Level.OK, "CPU"),
        ("auto", "GPU", CUDA, Level.OK, "CUDA on GPU"),
        ("auto", "GPU", CPU, Level.WARN, "built for the CPU only"),
        ("auto", "GPU", BUILT_FOR_CUDA, Level.WARN, "no working driver"),
        ("cuda", "", CPU, Level.FAIL, "finds no such device"),
        ("auto", "", "No module named 'torch'", Level.FAIL, "No module named"),
    ],
)
def test_device(wanted: str, nvidia: str, torch: device.Torch | str, level: Level, words: str) -> None:
    finding = device.judge(wanted, nvidia=nvidia, torch=torch)
    assert finding.level is level
    assert words in finding.message


def test_torch_is_asked_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "ASK_TORCH", 'print(\'{"torch": "1", "cuda": null}\')')
    assert device.ask_torch() == device.Torch(torch="1")
    monkeypatch.setattr(device, "ASK_TORCH", "import no_such_module")
    assert "no_such_module" in str(device.ask_torch())
    monkeypatch.setattr(device, "ASK_TORCH", "import os; os.abort()")
    assert device.ask_torch() == "it ended without a word"


def test_licences() -> None:
    def words(settings: Settings, *packages: str) -> str:
        found = dict.fromkeys(packages, "1.0")
        return " ".join(one.message for one in licences.licences_are_known(settings, found.get))

    deep = Settings(score=ScoreSettings(metrics=("niqe", "musiq", "nonsense")))
    assert "PolyForm Noncommercial; it is loaded in the worker to compute musiq" in words(deep, "pyiqa")
    assert "PolyForm" not in words(Settings(), "pyiqa")
    assert "the parameters of brisque, niqe: LIVE" in words(Settings())
    assert "GPLv2" in words(Settings(), "pillow-heif")
    assert "DINOv3" in words(Settings(embed=EmbedSettings(also=("dinov3",))))
    assert words(Settings(score=ScoreSettings(metrics=("piqe",)))) == "pixsortd itself is MIT"
    assert next(licences.heic_can_be_read(Settings(), {}.get)).level is Level.WARN
    assert next(licences.heic_can_be_read(Settings(), {"pillow-heif": "1"}.get)).level is Level.OK


def test_a_check_that_fails_itself_does_not_hide_the_others() -> None:
    def broken(_: Settings) -> object:
        raise RuntimeError("odd machine")

    found = list(checks.examine(Settings(), (broken, surroundings.files_may_be_opened)))
    assert found[0].level is Level.WARN
    assert "odd machine" in found[0].message
    assert found[1].check == "open files"


def test_the_doctor_of_this_machine_finishes(tmp_path: Path) -> None:
    quick = tuple(check for check in checks.CHECKS if check is not device.device_is_there)
    settings = Settings(state_dir=str(tmp_path), roots=(RootSettings(path=os.fspath(tmp_path)),))
    found = list(checks.examine(settings, quick))
    assert not [one for one in found if "itself failed" in one.message]
    assert all(one.next_step for one in found if one.level is not Level.OK)
