"""One read, of the file that was meant and of no other."""

import hashlib
import os
import socket
from pathlib import Path

import pytest

from pixsortd.analyze.reading import named, read_stable
from pixsortd.errors import ChangedWhileReading, TooLarge, Unreadable
from pixsortd.records import FileStamp


def stamp_of(path: Path) -> FileStamp:
    return FileStamp.of(path.lstat())


def read(root: Path, name: bytes, max_bytes: int = 10**9, stamp: FileStamp | None = None) -> bytes:
    path = Path(os.fsdecode(os.path.join(os.fsencode(root), name)))
    return read_stable(os.fsencode(root), name, stamp or stamp_of(path), max_bytes)


def test_reads_the_bytes_and_names_them(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    content = os.urandom(3_000_001)
    (tmp_path / "a" / "b" / "photo.jpg").write_bytes(content)

    data = read(tmp_path, b"a/b/photo.jpg")

    assert data == content
    assert named(data).sha256 == hashlib.sha256(content).digest()


def test_empty_file_and_name_that_is_no_text(tmp_path: Path) -> None:
    name = b"\xff\xfe -\n.jpg"
    path = tmp_path / os.fsdecode(name)
    path.touch()
    assert read(tmp_path, name) == b""


@pytest.mark.parametrize("change", ["grown", "touched", "replaced", "gone", "directory gone"])
def test_another_file_than_the_settled_one_is_not_analysed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "in" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(b"first")
    stamp = stamp_of(path)
    match change:
        case "grown":
            path.write_bytes(b"first and more")
        case "touched":
            os.utime(path, ns=(0, 0))
        case "replaced":
            other = tmp_path / "other"
            other.write_bytes(b"first")
            os.utime(other, ns=(stamp.mtime_ns, stamp.mtime_ns))
            other.replace(path)
        case "gone":
            path.unlink()
        case _:
            path.unlink()
            path.parent.rmdir()

    with pytest.raises(ChangedWhileReading):
        read(tmp_path, b"in/photo.jpg", stamp=stamp)


def test_a_change_during_the_read_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"before")
    stamp = stamp_of(path)
    plain_read = os.read

    def read_while_written(descriptor: int, count: int) -> bytes:
        part = plain_read(descriptor, count)
        path.write_bytes(b"after!")
        return part

    monkeypatch.setattr(os, "read", read_while_written)
    with pytest.raises(ChangedWhileReading):
        read(tmp_path, b"photo.jpg", stamp=stamp)


def test_another_device_number_alone_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"same")
    seen = stamp_of(path)
    moved = FileStamp(size=4, mtime_ns=seen.mtime_ns, ctime_ns=seen.ctime_ns, inode=seen.inode, device=12345)
    assert read(tmp_path, b"photo.jpg", stamp=moved) == b"same"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.jpg").symlink_to(outside / "secret.jpg")
    (root / "dir").symlink_to(outside)

    with pytest.raises(Unreadable, match="symbolic link"):
        read(root, b"link.jpg")
    stamp = stamp_of(outside / "secret.jpg")
    with pytest.raises((Unreadable, ChangedWhileReading)):
        read(root, b"dir/secret.jpg", stamp=stamp)


@pytest.mark.parametrize("path", [b"../secret.jpg", b"a/../../secret.jpg", b"/etc/passwd", b"", b"a//b", b"./a"])
def test_paths_that_leave_the_root_are_refused(tmp_path: Path, path: bytes) -> None:
    with pytest.raises(Unreadable, match="below its root"):
        read_stable(os.fsencode(tmp_path), path, FileStamp(size=0, mtime_ns=0, ctime_ns=0, inode=0, device=0), 10)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "dir.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock.jpg"))
        for name, kind in ((b"fifo.jpg", "FIFO"), (b"dir.jpg", "directory"), (b"sock.jpg", "socket")):
            with pytest.raises(Unreadable, match=kind) as caught:
                read(tmp_path, name)
            assert caught.value.next_step


def test_no_permission_is_a_reason(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(Unreadable, match="permission"):
        read(tmp_path, b"photo.jpg")


def test_too_many_bytes_are_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    path.touch()
    os.truncate(path, 5 * 10**9)
    with pytest.raises(TooLarge, match="5000 MB"):
        read(tmp_path, b"huge.tif")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "photo.jpg").write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        read(tmp_path, b"a/photo.jpg")
        with pytest.raises(Unreadable):
            read(tmp_path, b"a")
    assert len(os.listdir("/proc/self/fd")) == before
