"""Names in the trash: what travels with a photo, what it is called, and where it can come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixsortd.sorting.names import LONGEST, companions, folded, free_names, numbered, renamed, stored_name

PHOTOS = frozenset((b".jpg", b".jpeg", b".heic", b".png"))
NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name)


def along(name: bytes, *beside: bytes, staying: tuple[bytes, ...] = ()) -> set[bytes]:
    return set(companions(name, [name, *beside], [*beside, *staying], PHOTOS))


@pytest.mark.parametrize(
    "other",
    [
        b"IMG_1.xmp",
        b"IMG_1.XMP",
        b"img_1.aae",
        b"IMG_1.MOV",
        b"IMG_1.mp4",
        b"IMG_1.jpg.xmp",
        b"IMG_1.CR2",
        b"IMG_1.dng",
    ],
)
def test_what_belongs_to_a_photo_goes_with_it(other: bytes) -> None:
    assert along(b"IMG_1.jpg", other, b"IMG_2.xmp", b"IMG_10.mov", b"IMG_1.txt", b"notes") == {other}


def test_a_raw_files_own_sidecar_goes_with_it() -> None:
    assert along(b"a.JPG", b"a.nef", b"a.nef.xmp") == {b"a.nef", b"a.nef.xmp"}
    assert along(b"a.heic", b"a.nef", b"a.nef.xmp", b"a.mov") == {b"a.mov"}


def test_what_two_photos_share_stays_with_the_one_that_stays() -> None:
    shared = (b"IMG_1.xmp", b"IMG_1.mov", b"IMG_1.jpg.xmp")
    assert along(b"IMG_1.jpg", *shared, b"IMG_1.heic") == {b"IMG_1.jpg.xmp"}
    both = companions(b"IMG_1.jpg", [b"IMG_1.jpg", b"IMG_1.heic", *shared], list(shared), PHOTOS)
    assert set(both) == set(shared), "the other photo goes too"
    assert along(b"IMG_1.jpg", *shared, b"img_1.JPG") == set(), "nobody knows whose the sidecar is"


def test_another_photo_is_never_a_companion() -> None:
    assert along(b"a.jpg", b"a.png", b"a.jpeg") == set()


def test_accents_compare_however_they_are_composed() -> None:
    assert along("é.jpg".encode(), "e\u0301.xmp".encode()) == {"e\u0301.xmp".encode()}


@given(name=NAMES, number=st.integers(0, 20))
def test_a_stored_name_fits_and_cannot_collide(name: bytes, number: int) -> None:
    stored = stored_name("0123456789abcdef", number, name)
    assert len(stored) <= LONGEST
    assert stored.startswith(b"0123456789abcdef" + (b"-" if number == 0 else f".{number}-".encode()))
    if len(name) <= 200:
        assert stored.endswith(b"-" + name)


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    stored = stored_name("0123456789abcdef", 0, "ü".encode() * 125 + b".jpeg")
    assert stored.endswith(b".jpeg")
    assert 253 <= len(stored) <= 255
    stored.decode()


def test_a_free_name_is_numbered_for_the_whole_unit() -> None:
    names = [b"IMG_1.jpg", b"img_1.MOV", b"IMG_1.jpg.xmp"]
    assert next(free_names(names, set(), set())) == names
    assert next(free_names(names, {"x.jpg", "img_1.mov"}, {b"IMG_1.mov"})) == names, "only another case is there"
    taken = {b"img_1.MOV", b"IMG_1 (2).xmp"}
    found = next(free_names(names, {folded(name) for name in (*taken, b"img_1 (2).JPG")}, taken))
    assert found == [b"IMG_1 (3).jpg", b"img_1 (3).MOV", b"IMG_1 (3).jpg.xmp"]


@given(name=NAMES, number=st.integers(1, 99_999))
def test_a_numbered_name_fits(name: bytes, number: int) -> None:
    changed = numbered([name, name + b".xmp"], number)
    assert all(0 < len(one) <= LONGEST for one in changed)
    assert (changed[0] == name) == (number == 1) or len(name) > LONGEST - 4
    assert changed[0] != changed[1]


def test_a_long_unit_is_shortened_alike() -> None:
    photo = b"x" * 251 + b".jpg"
    first, second = numbered([photo, b"x" * 251 + b".mov"], 12)
    assert first == b"x" * 246 + b" (12).jpg"
    assert second == b"x" * 246 + b" (12).mov"


def test_a_unit_gets_its_new_name_as_a_whole() -> None:
    unit = [b"IMG_1.JPG", b"img_1.MOV", b"IMG_1.JPG.xmp", b"IMG_1.xmp"]
    assert renamed(unit, b"IMG_1.JPG") == unit
    assert renamed(unit, b"2024-05 a.b.jpg") == [
        b"2024-05 a.b.jpg",
        b"2024-05 a.b.MOV",
        b"2024-05 a.b.JPG.xmp",
        b"2024-05 a.b.xmp",
    ]
