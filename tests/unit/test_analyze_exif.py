"""EXIF in the units people use, and nothing that a file can say makes it raise."""

import io
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from pixsortd.analyze.exif import exif_of, exposure_text, number, orientation_of, text
from pixsortd.records import Exif


def photo(
    main: dict[int, Any] | None = None,
    camera: dict[int, Any] | None = None,
    place: dict[int, Any] | None = None,
    container: str = "JPEG",
) -> Image.Image:
    """A picture written with these tags, opened again."""
    image = Image.new("RGB", (32, 24))
    tags = image.getexif()
    tags.update(main or {})
    tags.get_ifd(IFD.Exif).update(camera or {})
    tags.get_ifd(IFD.GPSInfo).update(place or {})
    file = io.BytesIO()
    image.save(file, container, exif=tags.tobytes())
    return Image.open(io.BytesIO(file.getvalue()))


class Told:
    """A picture whose tags are whatever a test says."""

    def __init__(self, main: Any, camera: Any = None, place: Any = None, info: dict[str, Any] | None = None) -> None:
        self._parts = {None: main, IFD.Exif: camera or {}, IFD.GPSInfo: place or {}}
        self.info = info or {}

    def getexif(self) -> Any:
        told = self

        class Tags(dict[int, Any]):
            def get_ifd(self, directory: int) -> Any:
                return told._parts[directory]

        return Tags(self._parts[None])


def of(main: Any = None, camera: Any = None, place: Any = None, info: dict[str, Any] | None = None) -> Exif:
    return exif_of(Told(main or {}, camera, place, info))  # type: ignore[arg-type]


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_cameras_tags_from_every_container(container: str) -> None:
    exif = exif_of(
        photo(
            {Base.Make: "Maker", Base.Model: "Model X", Base.ImageDescription: "Above the clouds", Base.Rating: 4},
            {
                Base.DateTimeOriginal: "2024:02:29 23:59:58",
                Base.SubsecTimeOriginal: "120",
                Base.OffsetTimeOriginal: "+05:30",
                Base.ExposureTime: IFDRational(1, 250),
                Base.FNumber: IFDRational(28, 10),
                Base.ISOSpeedRatings: 400,
                Base.FocalLength: IFDRational(35, 1),
                Base.FocalLengthIn35mmFilm: 52,
                Base.LensModel: "35mm F2",
            },
            {
                GPS.GPSLatitudeRef: "S",
                GPS.GPSLatitude: (33.0, 51.0, 24.0),
                GPS.GPSLongitudeRef: "E",
                GPS.GPSLongitude: (151.0, 12.0, 36.0),
                GPS.GPSAltitudeRef: b"\x01",
                GPS.GPSAltitude: IFDRational(12, 1),
            },
            container,
        )
    )
    assert exif.taken == "2024-02-29T23:59:58.120+05:30"
    assert exif.taken_at == datetime(2024, 2, 29, 18, 29, 58, 120_000, UTC).timestamp()
    assert (exif.camera_make, exif.camera_model, exif.lens) == ("Maker", "Model X", "35mm F2")
    assert (exif.exposure, exif.exposure_seconds) == ("1/250", pytest.approx(0.004))
    assert (exif.f_number, exif.iso, exif.focal_length, exif.focal_length_35mm) == (2.8, 400, 35.0, 52.0)
    assert (exif.latitude, exif.longitude, exif.altitude) == (-33.8566667, 151.21, -12.0)
    assert exif.rating == 4
    assert exif.description == "Above the clouds"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (1 / 8000, "1/8000"),
        (1 / 250, "1/250"),
        (1 / 4, "1/4"),
        (0.3, "0.3"),
        (0.5, "0.5"),
        (0.8, "0.8"),
        (1.0, "1"),
        (1.3, "1.3"),
        (30.0, "30"),
        (274.0, "274"),
    ],
)
def test_exposure_as_photographers_write_it(seconds: float, written: str) -> None:
    assert exposure_text(seconds) == written


def test_exposure_from_the_apex_value_where_that_is_all_there_is() -> None:
    assert of(camera={Base.ShutterSpeedValue: IFDRational(8, 1)}).exposure == "1/256"
    assert of(camera={Base.ExposureTime: IFDRational(0, 1)}).exposure is None


@pytest.mark.parametrize(
    ("written", "fraction", "offset", "taken"),
    [
        ("2020:01:02 03:04:05", None, None, "2020-01-02T03:04:05"),
        ("2020:01:02 03:04:05", "007", "Z", "2020-01-02T03:04:05.007+00:00"),
        ("2020:01:02 03:04:05", 42, "-03:00", "2020-01-02T03:04:05.42-03:00"),
        ("2020-01-02T03:04", None, None, "2020-01-02T03:04:00"),
        ("2020:01:02 03:04:60", None, None, "2020-01-02T03:04:59"),
        ("2020:01:02 03:04:05", "12\0\0", "   :  ", "2020-01-02T03:04:05.12"),
        (b"2020:01:02 03:04:05\0", b"5", b"+00:00", "2020-01-02T03:04:05.5+00:00"),
        ("0000:00:00 00:00:00", None, None, None),
        ("2020:13:45 99:99:99", None, None, None),
        ("    :  :     :  :  ", None, None, None),
        ("yesterday", None, None, None),
        (IFDRational(0, 0), None, None, None),
    ],
)
def test_time_taken(written: Any, fraction: Any, offset: Any, taken: str | None) -> None:
    exif = of(
        camera={
            Base.DateTimeOriginal: written,
            Base.SubsecTimeOriginal: fraction,
            Base.OffsetTimeOriginal: offset,
        }
    )
    assert exif.taken == taken
    assert (exif.taken_at is None) == (taken is None)


def test_the_first_usable_time_counts() -> None:
    exif = of({Base.DateTime: "2001:01:01 00:00:00"}, {Base.DateTimeDigitized: "2000:01:01 00:00:00"})
    assert exif.taken == "2000-01-01T00:00:00"


@pytest.mark.parametrize(
    "place",
    [
        {GPS.GPSLatitude: (10.0, 0.0, 0.0), GPS.GPSLongitude: (10.0, 0.0, 0.0)},
        {GPS.GPSLatitude: (10.0,), GPS.GPSLatitudeRef: "N"},
        {GPS.GPSLatitude: (91.0, 0, 0), GPS.GPSLatitudeRef: "N", GPS.GPSLongitude: (1, 0, 0), GPS.GPSLongitudeRef: "E"},
        {GPS.GPSLatitude: (0, 0, 0), GPS.GPSLatitudeRef: "N", GPS.GPSLongitude: (0, 0, 0), GPS.GPSLongitudeRef: "E"},
        {
            GPS.GPSLatitude: (IFDRational(0, 0),) * 3,
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLongitude: (IFDRational(0, 0),) * 3,
            GPS.GPSLongitudeRef: "E",
        },
    ],
    ids=["no references", "half a position", "off the globe", "no fix", "zero denominators"],
)
def test_a_doubtful_position_is_none(place: dict[int, Any]) -> None:
    exif = of(place=place)
    assert (exif.latitude, exif.longitude) == (None, None)


def test_iso_beyond_sixteen_bits() -> None:
    assert of(camera={Base.ISOSpeedRatings: 65535, Base.RecommendedExposureIndex: 102400}).iso == 102400
    assert of(camera={Base.ISOSpeedRatings: (200, 0)}).iso == 200
    assert of(camera={Base.ISOSpeedRatings: 0}).iso is None


def test_rating_from_xmp_where_exif_has_none() -> None:
    packet = b'<x:xmpmeta><rdf:Description xmp:Rating="3"/></x:xmpmeta>'
    assert of(info={"xmp": packet}).rating == 3
    assert of(info={"xmp": "<xmp:Rating>5</xmp:Rating>"}).rating == 5
    assert of(info={"xmp": b'xmp:Rating="-1"'}).rating is None
    assert of({Base.Rating: 2}, info={"xmp": packet}).rating == 2
    assert of({Base.Rating: 99}).rating is None


def test_text_of_every_kind() -> None:
    assert text("caf\u00c3\u00a9") == "café"  # UTF-8 read as Latin-1
    assert text(b"caf\xe9") == "café"
    assert text("東京") == "東京"
    assert text("Canon\0garbage") == "Canon"
    assert text("  \x01\x02 ") is None
    assert text(5) is None
    assert text("\ud800 lone") is not None
    assert len(text("x" * 10_000) or "") == 2000
    assert of({Base.XPTitle: "Ferien".encode("utf-16-le") + b"\0\0"}).description == "Ferien"


def test_numbers_of_every_kind() -> None:
    assert number(IFDRational(1, 2)) == 0.5
    assert number("1/250") == pytest.approx(0.004)
    assert number(b"28") == 28.0
    assert number((3, 4)) == 3.0
    for nothing in (IFDRational(1, 0), IFDRational(0, 0), math.nan, math.inf, None, "", "x/0", "1/0", (), object()):
        assert number(nothing) is None


@pytest.mark.parametrize(
    ("stored", "read"), [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1), ("6", 6), (b"\x06", 1), (None, 1)]
)
def test_orientation_is_one_to_eight(stored: Any, read: int) -> None:
    assert of({Base.Orientation: stored}).orientation == read
    assert orientation_of(Told({Base.Orientation: stored})) == read  # type: ignore[arg-type]


def test_a_reader_that_raises_is_a_photo_without_exif() -> None:
    class Broken:
        info: dict[str, Any] = {}

        def getexif(self) -> Any:
            raise SyntaxError("not a TIFF file")

    assert exif_of(Broken()) == Exif()  # type: ignore[arg-type]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.binary(max_size=30)
    | st.builds(IFDRational, st.integers(-5, 2**32), st.integers(-2, 5))
    | st.sampled_from(["2020:01:02 03:04:05", "N", "E", "1/0", "+99:99", "9999:12:31 23:59:59", "0001:01:01 00:00:00"]),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=6,
)
known = st.sampled_from([tag.value for tag in Base if tag.name in {
    "Make", "Model", "Orientation", "Rating", "ImageDescription", "XPTitle", "DateTime", "DateTimeOriginal",
    "SubsecTimeOriginal", "OffsetTimeOriginal", "ExposureTime", "ShutterSpeedValue", "FNumber", "ISOSpeedRatings",
    "RecommendedExposureIndex", "FocalLength", "FocalLengthIn35mmFilm", "LensModel", "Software",
}])  # fmt: skip
tags = st.dictionaries(known, anything, max_size=8)


@settings(max_examples=300, deadline=None)
@given(tags, tags, st.dictionaries(st.integers(0, 8), anything, max_size=7), st.binary(max_size=40))
def test_hostile_tags_never_raise_and_always_travel(main: Any, camera: Any, place: Any, xmp: bytes) -> None:
    exif = of(main, camera, place, {"xmp": xmp})
    assert msgspec.json.decode(msgspec.json.encode(exif), type=Exif) == exif
    for value in (exif.exposure_seconds, exif.f_number, exif.latitude, exif.longitude, exif.altitude, exif.taken_at):
        assert value is None or math.isfinite(value)
