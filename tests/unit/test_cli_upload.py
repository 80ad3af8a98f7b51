"""``pixsortd upload`` against an API over a library in memory."""

import hashlib
import os
from pathlib import Path

import pytest

from pixsortd.cli import sending
from pixsortd.cli.sending import Form, Sent, found
from pixsortd.errors import Unreadable
from pixsortd.records import Reason
from tests.api.fake_library import FakeLibrary
from tests.api.fake_uploads import FakeUploads
from tests.unit.test_cli_commands import Ask, ask, home, library, lines

__all__ = ["ask", "home", "library"]


@pytest.fixture
def uploads(library: FakeLibrary) -> FakeUploads:
    library.uploads = FakeUploads(library.folder)
    return library.uploads


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three photos in two folders, with a film and a hidden file beside them."""
    album = tmp_path / "album"
    for name, content in (("a.jpg", b"1"), ("day/b.JPG", b"2"), ("day/c.jpg", b"1"), ("d.mov", b"3"), (".e.jpg", b"4")):
        (album / name).parent.mkdir(parents=True, exist_ok=True)
        (album / name).write_bytes(content)
    return album


def test_a_directory_goes_up_with_its_folders(ask: Ask, uploads: FakeUploads, album: Path) -> None:
    answers = lines(ask("upload", album / "a.jpg", album / "day" / "c.jpg", album, "--json", code=1))
    assert [(one["filename"], one["status"]) for one in answers] == [
        ("a.jpg", "stored"),
        ("c.jpg", "duplicate"),
        ("album/a.jpg", "duplicate"),
        ("album/day/b.JPG", "refused"),  # the one in memory takes .jpg alone
        ("album/day/c.jpg", "duplicate"),
    ]
    assert uploads.stored == {hashlib.sha256(b"1").digest(): b"1"}


def test_in_words(ask: Ask, uploads: FakeUploads, album: Path) -> None:
    said = ask("upload", album / "a.jpg", album / "d.mov", code=1)
    assert "stored  a.jpg" in said.stdout
    assert "refused  d.mov" in said.stdout
    assert "Taken are: .jpg." in said.stdout
    assert "1 stored, 0 here already, 1 refused." in said.stderr
    assert ask("upload", album / "a.jpg").exit_code == 0


def test_into_a_batch_in_several_requests(
    ask: Ask,
    library: FakeLibrary,
    uploads: FakeUploads,
    album: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    batch = library.batches.create("Album", []).id
    ask("upload", album / "a.jpg", album / "day" / "c.jpg", album / "day" / "c.jpg", "--batch", batch)
    assert list(library.batches.members[batch]) == [hashlib.sha256(b"1").digest()]
    assert "no batch" in ask("upload", album / "a.jpg", "--batch", "nope", code=6).stderr


def test_without_an_inbox_and_without_the_file(ask: Ask, uploads: FakeUploads, album: Path) -> None:
    assert "no longer there" in ask("upload", album / "nothing.jpg", code=1).stderr
    uploads.away = Reason(code="no-inbox", message="no inbox is configured", next_step="Configure one.")
    assert "Configure one." in ask("upload", album / "a.jpg", code=1).stderr


def test_names_are_sent_as_browsers_send_them(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b'/a"\xff\n.jpg'
    with open(path, "wb") as file:
        file.write(b"x")
    (one,) = found([path], frozenset())
    sent = b"".join(Form([one], lambda _: None))
    assert b'filename="a%22\xff%0A.jpg"\r\n\r\nx\r\n' in sent
    with pytest.raises(Unreadable):
        list(Form([Sent(path + b"gone", b"a", 1)], lambda _: None))
