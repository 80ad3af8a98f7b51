"""Volumes that come and go, kernel limits, lost permissions: in namespaces, or skipped where not permitted."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MOUNTS = ("unshare", "--mount", "--propagation", "private")
LIMITS = ("unshare", "--user", "--map-root-user")
ORDINARY = ("setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


@cache
def permitted(*words: str) -> bool:
    """Whether a command runs here at all."""
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def play(scenario: str, place: Path, within: Sequence[str] = ()) -> None:
    """Run a scenario in a process of its own."""
    command = [*within, sys.executable, "-m", "tests.faults.watch_scenarios", scenario, str(place)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize(
    "scenario",
    ["unmounted_and_back", "copied_to_another_volume", "covered_by_another_volume", "a_disk_in_the_root", "read_only"],
)
def test_mounts(scenario: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not permitted(*MOUNTS, "mount", "-t", "tmpfs", "none", str(tmp_path)):
        pytest.skip("mounting is not permitted here (needs root)")
    if scenario == "unmounted_and_back":
        image = tmp_path / "probe.img"
        with open(image, "wb") as file:
            file.truncate(4 << 20)
        made = shutil.which("mkfs.ext4") and permitted("mkfs.ext4", "-q", str(image))
        if not made or not permitted(*MOUNTS, "mount", "-o", "loop", str(image), "/mnt"):
            pytest.skip("no loop device or no mkfs.ext4 here")
    play(scenario, tmp_path, MOUNTS)


@pytest.mark.parametrize("scenario", ["few_watches", "no_instances"])
def test_kernel_limits(scenario: str, tmp_path: Path) -> None:
    if not permitted(*LIMITS, "sh", "-c", "echo 20 > /proc/sys/user/max_inotify_watches"):
        pytest.skip("user namespaces are not permitted here")
    play(scenario, tmp_path, LIMITS)


def test_lost_permissions(tmp_path: Path) -> None:
    within: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if not permitted(*ORDINARY, sys.executable, "-c", "import msgspec"):
            pytest.skip("cannot become an ordinary user here")
        within = ORDINARY
        os.chown(tmp_path, 65534, 65534)
        for parent in tmp_path.parents[:4]:
            if parent.name.startswith(("pytest-", "test_", "popen-")):
                parent.chmod(0o755)
    play("unreadable", tmp_path, within)


def test_a_blinking_share(tmp_path: Path) -> None:
    play("polled", tmp_path)


def test_a_burst_while_stopped(tmp_path: Path) -> None:
    play("stopped_in_a_burst", tmp_path)


_WRITING = "creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink"
_WRITING += ",symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utime,utimes,futimesat,utimensat,truncate"
_WRITING += ",ftruncate,setxattr,lsetxattr,fsetxattr,removexattr,fallocate,write,pwrite64,writev"


def test_a_library_is_never_written(tmp_path: Path) -> None:
    """R17: under strace, no call opens for writing, renames, unlinks or touches anything below the root."""
    log = tmp_path / "calls"
    strace = ("strace", "-f", "-y", "-e", f"trace=open,openat,{_WRITING}", "-o", str(log))
    if not permitted("strace", "-o", "/dev/null", "true"):
        pytest.skip("strace is not here or not permitted")
    play("observe_only", tmp_path, strace)
    root = str(tmp_path / "root")
    calls = log.read_text(errors="replace").splitlines()
    start = next(number for number, line in enumerate(calls) if "started" in line)
    ours = [line for line in calls[start:] if root in line]
    assert sum("openat" in line for line in ours) > 10
    quiet = re.compile(r"open(at)?\(.*O_RDONLY")
    assert [line for line in ours if not quiet.search(line) or "O_CREAT" in line or "O_TRUNC" in line] == []
