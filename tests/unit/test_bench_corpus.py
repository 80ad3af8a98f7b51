"""The corpora of the benchmarks: the same bytes from the same seed, sizes and dates as cameras give them."""

import hashlib
import os
import time

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.bench import corpus


def digests(files):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Two photos of 12 MP."""
    return corpus.photos(tmp_path_factory.mktemp("camera"), 2)


def test_camera_files_have_a_cameras_size_and_exif(camera):
    for path in camera:
        assert 4e6 < path.stat().st_size < 6e6
        with Image.open(path) as image:
            assert image.size == (4000, 3000)
            assert image.layer[0][1:3] == (2, 2)  # 4:2:0
            tags = image.getexif()
            inner = tags.get_ifd(IFD.Exif)
        assert tags[Base.Model] in {model for _, model in corpus.CAMERAS}
        assert {Base.DateTimeOriginal, Base.ExposureTime, Base.FNumber, Base.ISOSpeedRatings} <= inner.keys()
        assert path.stat().st_mtime == pytest.approx(corpus.taken(0, camera.index(path)))
    assert len(set(digests(camera))) == 2


def test_equal_seeds_give_equal_bytes(tmp_path):
    first = corpus.photos(tmp_path / "a", 3, megapixels=1, seed=5)
    again = corpus.photos(tmp_path / "b", 3, megapixels=1, seed=5)
    other = corpus.photos(tmp_path / "c", 3, megapixels=1, seed=6)
    assert digests(first) == digests(again)
    assert not set(digests(first)) & set(digests(other))


def test_a_kept_corpus_only_grows(tmp_path):
    few = corpus.photos(tmp_path, 2, megapixels=1)
    stamps = [path.stat().st_mtime_ns for path in few]
    inodes = [path.stat().st_ino for path in few]
    more = corpus.photos(tmp_path, 4, megapixels=1)
    assert more[:2] == few
    assert [path.stat().st_ino for path in few] == inodes
    assert [path.stat().st_mtime_ns for path in few] == stamps
    assert sorted(tmp_path.iterdir()) == more


def test_photos_are_spread_over_years():
    times = [corpus.taken(0, number) for number in range(100)]
    assert time.gmtime(min(times)).tm_year <= 2017
    assert time.gmtime(max(times)).tm_year >= 2024
    assert times != sorted(times)


def test_other_formats_alternate(tmp_path):
    files = corpus.mixed(tmp_path, 4, megapixels=1)
    formats = []
    for path in files:
        with Image.open(path) as image:
            image.load()
            formats.append(image.format)
    assert formats[:2] == ["PNG", "WEBP"]
    assert formats[2] in {"HEIF", "PNG"}


def test_small_files_are_distinct_and_some_look_alike(tmp_path):
    files = corpus.small(tmp_path, 30)
    assert len(set(digests(files))) == 30
    with Image.open(files[0]) as image:
        assert image.size == corpus.SMALL
        assert Base.DateTimeOriginal in image.getexif().get_ifd(IFD.Exif)
    assert all(path.parent.name == "0000" for path in files)


def test_copies_are_new_contents_of_the_same_picture(tmp_path):
    base = corpus.photos(tmp_path / "base", 2, megapixels=1)
    copies = corpus.copies(base, tmp_path / "copies", 5, first=10)
    assert len(set(digests(copies + base))) == 7
    with Image.open(base[0]) as one, Image.open(copies[0]) as other:
        assert one.tobytes() == other.tobytes()
    assert os.stat(copies[1]).st_mtime_ns == os.stat(base[1]).st_mtime_ns
