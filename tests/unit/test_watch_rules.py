"""Exclusion rules: pure decisions on relative bytes paths."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.watch.rules import Rules

EXTENSIONS = frozenset((b".jpg", b".heic"))


def code(name: bytes, directory: bytes = b"", **options: object) -> str | None:
    reason = Rules(EXTENSIONS, **options).file(directory, name)  # type: ignore[arg-type]
    return reason.code if reason else None


@pytest.mark.parametrize("name", [b"a.jpg", b"A.JPG", b"x.y.HeIc", b"-.jpg", b"\xff.jpg", b"a\n.jpg", b"a.tmp.jpg"])
def test_photos_are_let_in(name: bytes) -> None:
    assert code(name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a.jpg.part", "temp"),
        (b"a.jpg.crdownload", "temp"),
        (b"a.JPG.FILEPART", "temp"),
        (b"a.jpg.tmp", "temp"),
        (b"a.jpg~", "temp"),
        (b".a.jpg.Xy12Ab", "temp"),
        (b".syncthing.a.jpg.tmp", "temp"),
        (b"~syncthing~a.jpg", "temp"),
        (b".goutputstream-ABC.jpg", "temp"),
        (b".nfs0000001.jpg", "temp"),
        (b".a.jpg", "hidden"),
        (b"._a.jpg", "hidden"),
        (b".jpg", "hidden"),
        (b"a.txt", "not-a-photo"),
        (b"jpg", "not-a-photo"),
        (b"a.", "not-a-photo"),
        (b"a.jpgx", "not-a-photo"),
    ],
)
def test_others_are_not(name: bytes, expected: str) -> None:
    assert code(name) == expected


def test_hidden_files_can_be_wanted() -> None:
    assert code(b".a.jpg", hidden=True) is None
    assert code(b".a.jpg.Xy12Ab", hidden=True) == "temp"
    assert code(b".jpg", hidden=True) == "not-a-photo"
    rules = Rules(EXTENSIONS, hidden=True)
    assert rules.directory(b".secret") is None
    assert rules.directory(b"x/@eaDir") is not None


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.tmp.jpg", b"a.tmp.jpg", True),
        ("*.tmp.jpg", b"deep/er/a.tmp.jpg", True),
        ("/*.tmp.jpg", b"deep/a.tmp.jpg", False),
        ("cache/*.jpg", b"cache/a.jpg", True),
        ("cache/*.jpg", b"x/cache/a.jpg", False),
        ("cache/*.jpg", b"cache/x/a.jpg", False),
        ("**/cache/**", b"cache/a.jpg", True),
        ("**/cache/**", b"x/y/cache/z/a.jpg", True),
        ("**/cache/**", b"x/cached/a.jpg", False),
        ("a/**/b.jpg", b"a/b.jpg", True),
        ("a/**/b.jpg", b"a/x/y/b.jpg", True),
        ("IMG_000?.jpg", b"IMG_0001.jpg", True),
        ("IMG_000?.jpg", b"IMG_00011.jpg", False),
        ("caf?.jpg", "café.jpg".encode(), True),
        ("caf\u00e9.jpg", "cafe\u0301.jpg".encode(), True),
        ("IMG_[0-9]*.jpg", b"IMG_5x.jpg", True),
        ("IMG_[!0-9]*.jpg", b"IMG_5x.jpg", False),
        ("[abc.jpg", b"[abc.jpg", True),
        ("a[]]b.jpg", b"a]b.jpg", True),
        ("a[z-a]b.jpg", b"a[z-a]b.jpg", True),
        ("a[!]b.jpg", b"a[!]b.jpg", True),
        ("a[&&~]b.jpg", b"a~b.jpg", True),
        ("*/", b"a.jpg", False),
        ("**", b"x/a.jpg", True),
        ("x?y.jpg", b"x/y.jpg", False),
        ("*", b"a\nb.jpg", True),
    ],
)
def test_patterns(pattern: str, path: bytes, expected: bool) -> None:
    directory, _, name = path.rpartition(b"/")
    assert (code(name, directory, patterns=(pattern,)) == "pattern") is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**/cache/**", b"cache", True),
        ("**/cache/**", b"x/cache", True),
        ("cache/**", b"x/cache", False),
        ("cache", b"x/cache", True),
        ("cache/", b"x/cache", True),
        ("/cache/", b"x/cache", False),
        ("*.jpg", b"album.jpg", True),
        ("cache/*.jpg", b"cache", False),
    ],
)
def test_patterns_on_directories(pattern: str, path: bytes, expected: bool) -> None:
    reason = Rules(EXTENSIONS, patterns=(pattern,)).directory(path)
    assert (reason is not None) is expected
    if reason is not None:
        assert pattern in reason.message


def test_closed_looks_at_all_parents() -> None:
    rules = Rules(EXTENSIONS, never=[b"state", b"a/inbox"])
    assert rules.closed(b"state")
    assert rules.closed(b"a/inbox/deep/er")
    assert rules.closed(b"x/.git/objects")
    assert not rules.closed(b"a/inboxes")
    assert not rules.closed(b"")


def test_our_own_directories_are_never_looked_into() -> None:
    rules = Rules(EXTENSIONS, hidden=True)
    for path in (b".pixsortd-trash", b"mount/.pixsortd-trash", b".pixsortd-upload"):
        assert rules.never(path)
        assert rules.closed(path + b"/deep/er")
    assert not rules.closed(b".pixsortd-trashy")


names = st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name)


@given(names, st.lists(names, max_size=3))
def test_any_bytes_are_judged(name: bytes, above: list[bytes]) -> None:
    rules = Rules(EXTENSIONS, patterns=("**/x?/*[ab]*.jpg", "never/**"))
    directory = b"/".join(above)
    rules.file(directory, name)
    rules.directory(b"/".join((*above, name)))
    rules.closed(directory)


@given(st.text(max_size=30))
def test_any_pattern_is_taken(pattern: str) -> None:
    try:
        rules = Rules(EXTENSIONS, patterns=(pattern,))
    except re.error:
        pytest.fail(f"{pattern!r} does not compile")
    rules.file(b"some/where", b"a.jpg")
