"""Uploads: names, kinds, drafts that never replace, twins; against a real directory, with roots and index faked."""

import errno
import hashlib
import io
import os
import stat
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.api.ports import UploadStatus
from pixsortd.config import Settings, UploadSettings
from pixsortd.daemon.compose import EXTENSIONS
from pixsortd.daemon.uploads import Reception, arrival, draft
from pixsortd.daemon.uploads.inbox import find
from pixsortd.daemon.uploads.kinds import HEAD, SIGNATURES, check_extension, format_of
from pixsortd.daemon.uploads.names import DEEPEST, LONGEST, components, numbered
from pixsortd.daemon.uploads.words import refusal
from pixsortd.errors import TooLarge, UploadRefused
from pixsortd.records import (
    FileRow,
    FileStamp,
    FileState,
    Reason,
    Role,
    RootRecord,
    RootState,
    Step,
    VolumeIdentity,
    root_id,
)
from tests.conftest import draw

# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "parts"),
    [
        ("a.jpg", (b"a.jpg",)),
        ("2024/Öland/å ä.jpg", (b"2024", "Öland".encode(), "å ä.jpg".encode())),
        ("holiday\\day 1\\a.jpg", (b"holiday", b"day 1", b"a.jpg")),
        (unicodedata.normalize("NFD", "é.jpg"), (b"e\xcc\x81.jpg",)),
        ("-rf.jpg", (b"-rf.jpg",)),
        ("x" * 251 + ".jpg", (b"x" * 251 + b".jpg",)),
        ("/".join("d" * DEEPEST), (b"d",) * DEEPEST),
    ],
)
def test_names_are_kept(filename, parts):
    assert components(filename) == parts


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "/etc/a.jpg",
        "a//b.jpg",
        "a/",
        "../a.jpg",
        "a/../../b.jpg",
        "a/./b.jpg",
        "..\\a.jpg",
        "a\0.jpg",
        "a\n.jpg",
        "a\x9b.jpg",
        ".hidden.jpg",
        ".pixsortd-upload/a.jpg",
        "a/.git/b.jpg",
        "x" * 252 + ".jpg",
        "å" * 126 + ".jpg",
        "/".join("d" * (DEEPEST + 1)),
        "/".join(["d" * 200] * 12),
        "a\udcff.jpg",
    ],
)
def test_names_that_are_refused(filename):
    with pytest.raises(UploadRefused) as refused:
        components(filename)
    assert refused.value.next_step
    assert refused.value.reason().code in ("name", "hidden")


@given(st.binary(max_size=300))
def test_any_bytes_make_a_safe_path_or_none(raw):
    try:
        parts = components(raw.decode("utf-8", "surrogateescape"))
    except UploadRefused:
        return
    assert b"/".join(parts) == raw.replace(b"\\", b"/")
    for part in parts:
        assert 0 < len(part) <= LONGEST
        assert part not in (b".", b"..")
        assert not part.startswith(b".")
        assert b"/" not in part
        assert not any(byte < 32 for byte in part)


@given(st.text(min_size=1, max_size=255), st.integers(1, 1000))
def test_numbered_names_fit_and_differ(text, number):
    try:
        (name,) = components(text)
    except (UploadRefused, ValueError):
        return
    made = numbered(name, number)
    assert len(made) <= LONGEST
    made.decode()
    assert (made == name) is (number == 1)
    assert numbered(name, number + 1) != made
    dot = name.rfind(b".")
    if dot > 0 and len(name) - dot < 200:
        assert made.endswith(name[dot:])


# --- kinds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF", "HEIF", "MPO"])
def test_what_is_written_is_recognised(kind):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    out = io.BytesIO()
    draw(1, (64, 48)).save(out, kind)
    expected = {"WEBP": "WebP", "MPO": "JPEG"}.get(kind, kind)
    assert format_of(out.getvalue()[:HEAD]) == expected


@pytest.mark.parametrize(
    "head",
    [b"", b"<svg xmlns=", b"%PDF-1.7", b"\0\0\0\x20ftypqt  \0\0", b"RIFF\0\0\0\0WAVEfmt ", b"PK\x03\x04", b"MZ\x90"],
)
def test_what_is_no_photo_is_not(head):
    assert format_of(head.ljust(HEAD, b"\0")) is None


def test_all_decoded_formats_have_a_signature():
    from pixsortd.analyze.decode import FORMATS

    assert {one.upper() for one in FORMATS} <= {one.name.upper() for one in SIGNATURES}


def test_extensions_are_named_when_refused():
    check_extension(b"a.JPG", EXTENSIONS)
    for name in (b"a.mov", b"a", b"jpg", b"a.jpg.exe"):
        with pytest.raises(UploadRefused) as refused:
            check_extension(name, EXTENSIONS)
        assert ".jpg" in refused.value.next_step


def test_disk_errors_in_words():
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EROFS, errno.EACCES, 9999):
        refused = refusal(OSError(number, "strange"))
        assert refused.message
        assert refused.next_step


# --- drafts --------------------------------------------------------------------------------------


@pytest.fixture(params=["unnamed", "staged", "without links"])
def way(request, monkeypatch):
    """The three ways in which a file system lets a whole file appear."""
    if request.param != "unnamed":
        monkeypatch.setattr(draft, "_PROC", "/nowhere")
    if request.param == "without links":

        def no_links(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "no hard links")

        monkeypatch.setattr(os, "link", no_links)
    return request.param


def names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_a_draft_appears_whole_and_replaces_nothing(tmp_path, way):
    (tmp_path / "taken.jpg").write_bytes(b"old")
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        made = draft.draft(root, root)
        os.write(made.descriptor, b"new")
        assert names(tmp_path) <= {"taken.jpg", ".pixsortd-upload"} | {
            one for one in names(tmp_path) if one.startswith(".pixsortd-upload/")
        }
        with pytest.raises(FileExistsError):
            made.publish(root, b"taken.jpg")
        made.publish(root, b"free.jpg")
        made.close()
        made.close()
        dropped = draft.draft(root, root)
        os.write(dropped.descriptor, b"half")
        dropped.close()
        assert draft.clear(root) == 0
    finally:
        os.close(root)
    assert names(tmp_path) == {"taken.jpg", "free.jpg"}
    assert (tmp_path / "taken.jpg").read_bytes() == b"old"
    assert (tmp_path / "free.jpg").read_bytes() == b"new"


def test_what_a_crash_left_is_cleared_but_not_what_is_being_written(tmp_path, monkeypatch):
    monkeypatch.setattr(draft, "_PROC", "/nowhere")
    staging = tmp_path / ".pixsortd-upload"
    staging.mkdir()
    (staging / ("0" * 32 + ".part")).write_bytes(b"half a photo")
    (staging / "not ours").write_bytes(b"")
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        made = draft.draft(root, root)
        assert draft.clear(root) == 1
        assert len(list(staging.iterdir())) == 2
        made.close()
        (staging / "not ours").unlink()
        assert draft.clear(root) == 0
    finally:
        os.close(root)
    assert not staging.exists()


# --- the whole -----------------------------------------------------------------------------------


class FakeRoots:
    """One inbox that is online, and one library."""

    def __init__(self, inbox: Path, library: Path) -> None:
        self.paths = {root_id(os.fsencode(path)): os.fsencode(path) for path in (library, inbox)}
        self.state = RootState.ONLINE
        self.noticed: list[tuple[str, bytes]] = []
        self.out: Reason | None = None
        self.roles = (Role.LIBRARY, Role.INBOX)

    def records(self) -> list[RootRecord]:
        found = []
        for (identity, path), role in zip(self.paths.items(), self.roles, strict=True):
            seen = os.stat(path)
            volume = VolumeIdentity(device=seen.st_dev, filesystem=0, inode=seen.st_ino)
            found.append(RootRecord(id=identity, path=path, role=role, state=self.state, identity=volume))
        return found

    def online(self) -> Mapping[str, bytes]:
        return self.paths if self.state is RootState.ONLINE else {}

    def kept_out(self, root: str, path: bytes) -> Reason | None:
        return self.out

    def holding(self, path: bytes) -> tuple[str, bytes] | None:
        return next(
            ((one, path[len(base) + 1 :]) for one, base in self.paths.items() if path.startswith(base + b"/")), None
        )

    def notice(self, root: str, paths: Sequence[bytes]) -> None:
        self.noticed += [(root, path) for path in paths]


class FakeIndex:
    """Rows by content."""

    def __init__(self) -> None:
        self.rows: dict[bytes, list[FileRow]] = {}
        self.steps: list[Step] = []

    def locations(self, sha256: bytes) -> Sequence[FileRow]:
        return self.rows.get(sha256, [])

    def add_file_history(self, root: str, steps: Mapping[bytes, Step]) -> None:
        self.steps += steps.values()


class Stage:
    """A reception over two temporary roots."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.library = folder / "inbox", folder / "library"
        self.inbox.mkdir()
        self.library.mkdir()
        self.roots, self.index = FakeRoots(self.inbox, self.library), FakeIndex()
        self.settings = Settings(upload=UploadSettings(free_floor=0))  # type: ignore[arg-type]
        self.reception = Reception(lambda: self.settings, self.index, self.roots, EXTENSIONS)

    def limit(self, **fields: object) -> None:
        upload = msgspec.structs.replace(self.settings.upload, **fields)
        self.settings = msgspec.structs.replace(self.settings, upload=upload)

    def upload(self, name: str, content: bytes, cut: int = 1000):
        incoming = self.reception.begin(name)
        try:
            for at in range(0, len(content), cut):
                incoming.write(content[at : at + cut])
        except BaseException:
            incoming.abandon()
            raise
        done = incoming.finish()
        self.reception.conclude([done])
        return done

    def index_library(self, name: str, content: bytes, state: FileState = FileState.INDEXED) -> Path:
        path = self.library / name
        path.write_bytes(content)
        stamp = FileStamp.of(path.stat())
        row = FileRow(root=root_id(os.fsencode(self.library)), path=name.encode(), state=state, stamp=stamp)
        self.index.rows.setdefault(hashlib.sha256(content).digest(), []).append(row)
        return path


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@cache
def photo(seed: int) -> bytes:
    out = io.BytesIO()
    draw(seed, (40, 30)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("cut", [1, 7, 10**6])
def test_a_file_is_stored_as_it_was_sent(stage, way, cut):
    done = stage.upload("2024/Öland/a.jpg", photo(1), cut)
    path = stage.inbox / "2024/Öland/a.jpg"
    assert (done.status, done.path, done.size) == (UploadStatus.STORED, os.fsencode(path), len(photo(1)))
    assert path.read_bytes() == photo(1)
    assert done.id == hashlib.sha256(photo(1)).digest()
    assert names(stage.inbox) - {".pixsortd-upload"} == {"2024", "2024/Öland", "2024/Öland/a.jpg"}
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    root = root_id(os.fsencode(stage.inbox))
    assert stage.roots.noticed == [(root, "2024/Öland/a.jpg".encode())]
    assert [step.what for step in stage.index.steps] == ["uploaded"]


def test_a_name_that_is_taken_gets_a_number(stage):
    contents = [photo(one) for one in range(3)]
    done = [stage.upload("a.jpg", one) for one in contents]
    assert [os.path.basename(one.path) for one in done] == [b"a.jpg", b"a (2).jpg", b"a (3).jpg"]
    assert [
        path.read_bytes() for path in (stage.inbox / one for one in ("a.jpg", "a (2).jpg", "a (3).jpg"))
    ] == contents


@given(data=st.lists(st.tuples(st.sampled_from(["a.jpg", "A.JPG", "a (2).jpg"]), st.integers(0, 3)), max_size=8))
def test_nothing_is_ever_overwritten_and_each_content_is_there_once(tmp_path_factory, data):
    stage = Stage(tmp_path_factory.mktemp("u"))
    for name, seed in data:
        done = stage.upload(name, photo(seed))
        with open(done.path, "rb") as file:
            assert file.read() == photo(seed)
    kept = [path.read_bytes() for path in stage.inbox.iterdir()]
    assert sorted(kept) == sorted({photo(seed) for _, seed in data})


def test_a_known_content_is_a_duplicate(stage):
    twin = stage.index_library("mine.jpg", photo(1))
    done = stage.upload("a.jpg", photo(1))
    assert (done.status, done.duplicate_of, done.path) == (UploadStatus.DUPLICATE, done.id, os.fsencode(twin))
    assert names(stage.inbox) == set()


@pytest.mark.parametrize("absence", ["deleted", "changed", "away", "row away"])
def test_a_content_that_is_not_really_here_is_stored(stage, absence):
    twin = stage.index_library("mine.jpg", photo(1), FileState.AWAY if absence == "row away" else FileState.INDEXED)
    if absence == "deleted":
        twin.unlink()
    elif absence == "changed":
        twin.write_bytes(b"other")
    elif absence == "away":
        del stage.roots.paths[root_id(os.fsencode(stage.library))]
        stage.roots.roles = (Role.INBOX,)
    assert stage.upload("a.jpg", photo(1)).status is UploadStatus.STORED


def test_an_upload_that_no_analysis_has_seen_is_known_too(stage):
    first = stage.upload("a.jpg", photo(1))
    assert stage.upload("b.jpg", photo(1)).path == first.path
    again = Reception(lambda: stage.settings, stage.index, stage.roots, EXTENSIONS)  # as after a restart
    incoming = again.begin("a.jpg")
    incoming.write(photo(1))
    assert incoming.finish().status is UploadStatus.DUPLICATE
    os.unlink(first.path)
    assert stage.upload("c.jpg", photo(1)).status is UploadStatus.STORED


def test_simultaneous_uploads_of_one_content_store_it_once(stage):
    barrier = threading.Barrier(8)

    def one(number: int):
        incoming = stage.reception.begin(f"{number}.jpg")
        incoming.write(photo(1))
        barrier.wait()
        return incoming.finish().status

    with ThreadPoolExecutor(8) as threads:
        seen = sorted(threads.map(one, range(8)))
    assert seen == sorted([UploadStatus.STORED] + [UploadStatus.DUPLICATE] * 7)
    assert len(names(stage.inbox)) == 1


def test_a_link_leads_nowhere(stage, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (stage.inbox / "link").symlink_to(outside)
    (stage.inbox / "file.jpg").symlink_to(outside / "new.jpg")
    for name in ("link/a.jpg", "link/deeper/a.jpg"):
        with pytest.raises(UploadRefused, match="link"):
            stage.upload(name, photo(1))
    done = stage.upload("file.jpg", photo(1))
    assert done.path == os.fsencode(stage.inbox / "file (2).jpg")
    assert names(outside) == set()


def test_refusals_come_before_bytes_and_leave_nothing(stage):
    with pytest.raises(UploadRefused, match=r"type \.mov"):
        stage.upload("a.mov", photo(1))
    with pytest.raises(UploadRefused, match="content is not that of a photo"):
        stage.upload("a.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(UploadRefused, match="content is not that of a photo"):
        stage.upload("a.jpg", b"x")
    with pytest.raises(UploadRefused, match="empty"):
        stage.upload("a.jpg", b"")
    stage.roots.out = Reason(code="pattern", message="the pattern keeps it out")
    with pytest.raises(UploadRefused, match="would be ignored: the pattern"):
        stage.upload("a.jpg", photo(1))
    assert names(stage.inbox) == set()


def test_limits_of_size_and_space(stage, monkeypatch):
    monkeypatch.setattr(arrival, "LOOK_EVERY", 100)
    stage.limit(max_bytes=len(photo(1)) - 1)
    with pytest.raises(TooLarge):
        stage.upload("a.jpg", photo(1))
    stage.limit(max_bytes=len(photo(1)))
    assert stage.upload("a.jpg", photo(1)).status is UploadStatus.STORED
    stage.limit(max_bytes=10**9, free_floor=10**18)
    with pytest.raises(UploadRefused) as refused:
        stage.reception.begin("b.jpg")
    assert refused.value.why == "no-space"
    stage.limit(free_floor=0)
    incoming = stage.reception.begin("b.jpg")
    monkeypatch.setattr(incoming, "_bounds", arrival.Bounds(max_bytes=10**9, free_floor=10**18))
    with pytest.raises(UploadRefused, match="free"):
        incoming.write(photo(1))
    incoming.abandon()
    assert names(stage.inbox) == {"a.jpg"}


def test_an_inbox_that_was_swapped_under_an_upload_takes_nothing(stage):
    incoming = stage.reception.begin("a.jpg")
    incoming.write(photo(1))
    stage.inbox.rename(stage.inbox.with_name("unmounted"))
    stage.inbox.mkdir()
    with pytest.raises(UploadRefused) as refused:
        incoming.finish()
    assert refused.value.why == "inbox-away"
    assert names(stage.inbox) == names(stage.inbox.with_name("unmounted")) == set()


def test_which_inbox_takes_uploads(stage, tmp_path):
    records = stage.roots.records()
    assert find(UploadSettings(), records).path == os.fsencode(stage.inbox)
    assert find(UploadSettings(inbox=str(stage.inbox)), records).path == os.fsencode(stage.inbox)
    assert find(UploadSettings(inbox=str(stage.library)), records).code == "no-inbox"
    assert find(UploadSettings(), records[:1]).code == "no-inbox"
    stage.roots.state = RootState.AWAY
    assert find(UploadSettings(), stage.roots.records()).code == "inbox-away"
    assert stage.reception.limits().inbox is None
    with pytest.raises(UploadRefused):
        stage.reception.begin("a.jpg")


def test_what_was_taken_is_counted(stage):
    stage.upload("a.jpg", photo(1))
    stage.upload("b.jpg", photo(1))
    read = {(one.name, one.labels.get("status")): one.value for one in stage.reception.readings()}
    assert read == {
        ("uploads", "stored"): 1,
        ("uploads", "duplicate"): 1,
        ("uploads", "refused"): 0,
        ("upload_bytes", None): len(photo(1)),
    }
