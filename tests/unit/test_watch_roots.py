"""Judging roots, the brake, and the kernel's mount table: all pure but the probe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.config import WatchSettings
from pixsortd.records import FileRow, FileStamp, FileState, Reason, RootState, VolumeIdentity
from pixsortd.watch import mounts
from pixsortd.watch.look import Finding, compare
from pixsortd.watch.losses import sort_losses
from pixsortd.watch.roots import Probe, Sample, braked, judge, probe, write_marker

HERE = VolumeIdentity(device=1, filesystem=2, inode=3)
ELSEWHERE = VolumeIdentity(device=9, filesystem=2, inode=3)
MARKED = VolumeIdentity(device=1, filesystem=2, inode=3, marker="id")
ONLINE, AWAY = RootState.ONLINE, RootState.AWAY


@pytest.mark.parametrize(
    ("previous", "seen", "known", "sample", "state", "renewed"),
    [
        (None, Probe(identity=HERE, empty=True), 0, None, ONLINE, True),
        (HERE, Probe(identity=HERE), 10, None, ONLINE, False),
        (HERE, Probe(identity=HERE, empty=True), 10, None, AWAY, False),
        (HERE, Probe(identity=HERE, empty=True), 0, None, ONLINE, False),
        (HERE, Probe(identity=ELSEWHERE), 10, Sample(tried=10, found=10), ONLINE, True),
        (HERE, Probe(identity=ELSEWHERE), 10, Sample(tried=10, found=5), ONLINE, True),
        (HERE, Probe(identity=ELSEWHERE), 10, Sample(tried=10, found=4), AWAY, False),
        (HERE, Probe(identity=ELSEWHERE), 10, Sample(tried=0, found=0), AWAY, False),
        (HERE, Probe(identity=ELSEWHERE), 10, None, AWAY, False),
        (HERE, Probe(identity=ELSEWHERE), 0, None, ONLINE, True),
        (None, Probe(identity=HERE), 10, Sample(tried=10, found=10), ONLINE, True),
        (None, Probe(identity=HERE), 10, Sample(tried=10, found=0), AWAY, False),
        (MARKED, Probe(identity=VolumeIdentity(device=8, filesystem=8, inode=8, marker="id")), 10, None, ONLINE, True),
        (MARKED, Probe(identity=VolumeIdentity(device=8, filesystem=8, inode=8)), 0, None, AWAY, False),
        (MARKED, Probe(identity=MARKED, empty=True), 10, None, ONLINE, False),
        (MARKED, Probe(identity=HERE), 10, None, ONLINE, True),
        (HERE, Probe(identity=MARKED), 10, None, ONLINE, True),
    ],
)
def test_judge(
    previous: VolumeIdentity | None, seen: Probe, known: int, sample: Sample | None, state: RootState, renewed: bool
) -> None:
    verdict = judge(previous, seen, known=known, sample=sample)
    assert (verdict.state, verdict.renewed) == (state, renewed)
    assert (verdict.reason is None) is (state is ONLINE)
    if verdict.reason is not None:
        assert verdict.reason.next_step


def test_judge_believes_a_failure() -> None:
    why = Reason(code="root-failing", message="no")
    assert judge(HERE, Probe(failure=why, state=AWAY), known=1).reason == why


@pytest.mark.parametrize(
    ("missing", "known", "expected"),
    [(9, 9, False), (10, 40, True), (10, 41, False), (250, 1000, True), (999, 10_000, False), (1000, 10**6, True)],
)
def test_brake(missing: int, known: int, expected: bool) -> None:
    assert braked(missing, known, WatchSettings()) is expected


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_brake_never_loosens_as_more_goes_missing(missing: int, known: int) -> None:
    settings = WatchSettings()
    assert braked(missing + 1, known, settings) >= braked(missing, known, settings)


def test_probe(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path)
    assert probe(path, marked=False).empty
    assert write_marker(path, "abc")
    seen = probe(path, marked=True)
    assert seen.empty
    assert seen.identity is not None
    assert seen.identity.marker == "abc"
    (tmp_path / "x").mkdir()
    assert not probe(path, marked=True).empty
    (tmp_path / "file").touch()
    for gone in (path + b"/nothing", path + b"/file"):
        failure = probe(gone, marked=False)
        assert failure.identity is None
        assert failure.state is AWAY
    (tmp_path / "link").symlink_to("x")
    assert probe(path + b"/link", marked=False).state is AWAY


def test_probe_of_an_unreadable_directory(tmp_path: Path) -> None:
    """In a process without the right to read everything."""
    place = tmp_path / "closed"
    place.mkdir(mode=0o000)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and os.geteuid() == 0 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o005)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys\n"
        "from pixsortd.watch.roots import probe\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "print(probe(os.fsencode(sys.argv[1]), marked=False).state)"
    )
    told = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "unreadable"


TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:50 / /mnt/nas rw,relatime shared:9 master:1 - nfs4 nas:/photos rw
41 27 0:51 / /home/a/Pictures/My\040Cloud rw - fuse.rclone cloud: rw
42 27 8:1 / /home/a/Pictures/usb rw - vfat /dev/sdb1 rw
broken line
43 27 8:2 / /home/a/Pictures/usb rw - ext4 /dev/sdc1 rw
"""


def test_mounts() -> None:
    table = mounts.parse(TABLE)
    here = mounts.holding(table, b"/home/a/Pictures")
    assert here is not None
    assert here.kind == "ext4"
    nested = mounts.below(table, b"/home/a/Pictures")
    assert set(nested) == {b"My Cloud", b"usb"}
    assert nested[b"usb"].kind == "ext4"
    reason = mounts.silence(here, nested)
    assert reason is not None
    assert "My Cloud" in reason.message
    assert mounts.silence(here, {b"usb": nested[b"usb"]}) is None
    nas = mounts.holding(table, b"/mnt/nas/deep")
    assert nas is not None
    assert mounts.silence(nas, {}) is not None
    assert mounts.below(table, b"/mnt/nas") == {}
    assert mounts.holding([], b"/x") is None
    assert len(mounts.below(table, b"/")) == 4


@given(st.binary(max_size=300))
def test_any_mount_table_is_read(table: bytes) -> None:
    mounts.parse(table)


STAMP = FileStamp(size=10, mtime_ns=20, ctime_ns=30, inode=40, device=50)


def row(state: FileState, settled: bool = True, before: FileState | None = None, path: bytes = b"a.jpg") -> FileRow:
    return FileRow(root="r", path=path, state=state, stamp=STAMP, settled=settled, before=before, sha256=b"x" * 32)


def changed(**fields: int) -> FileStamp:
    return FileStamp(**{**{name: getattr(STAMP, name) for name in STAMP.__struct_fields__}, **fields})


@pytest.mark.parametrize(
    ("state", "fields", "renewed", "finding"),
    [
        (FileState.INDEXED, {}, False, Finding.SAME),
        (FileState.INDEXED, {"device": 1}, False, Finding.SAME),
        (FileState.INDEXED, {"size": 1}, True, Finding.CHANGED),
        (FileState.INDEXED, {"mtime_ns": 1}, True, Finding.CHANGED),
        (FileState.INDEXED, {"ctime_ns": 1}, False, Finding.CHANGED),
        (FileState.INDEXED, {"ctime_ns": 1}, True, Finding.RENUMBERED),
        (FileState.INDEXED, {"inode": 1, "ctime_ns": 1}, False, Finding.CHANGED),
        (FileState.INDEXED, {"inode": 1, "ctime_ns": 1, "device": 1}, False, Finding.RENUMBERED),
        (FileState.INDEXED, {"inode": 1}, False, Finding.RENUMBERED),
        (FileState.FAILED, {}, False, Finding.SAME),
        (FileState.FAILED, {"size": 1}, False, Finding.CHANGED),
        (FileState.EXCLUDED, {}, False, Finding.CHANGED),
    ],
)
def test_compare(state: FileState, fields: dict[str, int], renewed: bool, finding: Finding) -> None:
    assert compare(row(state), changed(**fields), renewed=renewed) is finding


def test_compare_of_waiting_and_away_rows() -> None:
    assert compare(row(FileState.PENDING, settled=False), STAMP, renewed=False) is Finding.UNSETTLED
    assert compare(row(FileState.PENDING), STAMP, renewed=False) is Finding.SAME
    away = row(FileState.AWAY, before=FileState.INDEXED)
    assert compare(away, STAMP, renewed=False) is Finding.RETURNED
    assert compare(away, changed(ctime_ns=1), renewed=False) is Finding.RETURNED
    assert compare(away, changed(ctime_ns=1, inode=1), renewed=False) is Finding.CHANGED
    assert compare(away, changed(ctime_ns=1, inode=1), renewed=True) is Finding.RETURNED
    assert compare(away, changed(size=1), renewed=True) is Finding.CHANGED
    unread = row(FileState.AWAY, settled=False, before=FileState.PENDING)
    assert compare(unread, STAMP, renewed=False) is Finding.CHANGED


def test_losses_are_sorted() -> None:
    rows = [
        row(FileState.INDEXED, path=b"a.jpg"),
        row(FileState.AWAY, path=b"b.jpg"),
        row(FileState.EXCLUDED, path=b"c.txt"),
        row(FileState.INDEXED, path=b"usb/deep/d.jpg"),
        row(FileState.AWAY, path=b"usb/e.jpg"),
        row(FileState.EXCLUDED, path=b"usb/f.txt"),
        row(FileState.INDEXED, path=b"usbstick/g.jpg"),
        FileRow(root="r", path=b"h.jpg", state=FileState.PENDING, stamp=STAMP),
    ]
    losses = sort_losses(rows, frozenset((b"usb", b"other")))
    assert [each.path for each in losses.missing] == [b"a.jpg", b"usbstick/g.jpg"]
    assert [each.path for each in losses.waiting] == [b"b.jpg"]
    assert [each.path for each in losses.drop] == [b"c.txt", b"h.jpg"]
    assert [each.path for each in losses.detached] == [b"usb/deep/d.jpg"]
    assert losses.mounts == {b"usb"}
