"""What the camera wrote, read with distrust: any value may be missing, absurd or of the wrong type.

Nothing here raises. Tags are read from whatever container Pillow finds EXIF in (JPEG, MPO, TIFF,
PNG, WebP, AVIF, HEIF); the star rating also from XMP.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from pixsortd.records import Exif

Tags = Mapping[int, Any]

_TIMES = (
    (Base.DateTimeOriginal, Base.SubsecTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.SubsecTimeDigitized, Base.OffsetTimeDigitized),
    (Base.DateTime, Base.SubsecTime, Base.OffsetTime),
)
_TIME = re.compile(r"(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?")
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})")
_XMP_RATING = re.compile(rb"xmp:Rating\s*(?:=\s*[\"']|>)\s*(\d)")
_UNKNOWN_ISO = 65535
"""Sixteen bits are full: the real value stands in another tag."""
_LONGEST = 2000


def exif_of(image: Image.Image) -> Exif:
    """Everything known of an opened picture; an empty record where there is nothing."""
    main, camera, place = _directories(image)
    taken, taken_at = _taken({**main, **camera})
    seconds = _exposure_seconds(camera)
    latitude, longitude = _coordinates(place)
    return Exif(
        taken=taken,
        taken_at=taken_at,
        camera_make=text(main.get(Base.Make)),
        camera_model=text(main.get(Base.Model)),
        lens=text(camera.get(Base.LensModel)) or text(main.get(Base.LensModel)),
        exposure_seconds=seconds,
        exposure=None if seconds is None else exposure_text(seconds),
        f_number=_within(camera.get(Base.FNumber), 0.1, 1000),
        iso=_iso(camera),
        focal_length=_within(camera.get(Base.FocalLength), 0.1, 100_000),
        focal_length_35mm=_within(camera.get(Base.FocalLengthIn35mmFilm), 0.1, 100_000),
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(place),
        orientation=_orientation(main),
        rating=_rating(image, main),
        description=text(main.get(Base.ImageDescription)) or _wide_text(main.get(Base.XPTitle)),
        software=text(main.get(Base.Software)),
    )


def orientation_of(image: Image.Image) -> int:
    """How the picture still has to be turned, 1 to 8 as EXIF counts."""
    return _orientation(_tags(image, None))


def exposure_text(seconds: float) -> str:
    """As photographers write it: ``1/250``, ``0.8``, ``30``."""
    if seconds < 0.29:
        return f"1/{round(1 / seconds)}"
    return f"{seconds:.1f}".removesuffix(".0")


def number(value: object) -> float | None:
    """A finite float from any of EXIF's number types, its texts, or a list of one; else None."""
    if isinstance(value, tuple | list):
        value = value[0] if value else None
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    try:
        if isinstance(value, str):
            above, _, below = value.strip(" \0").partition("/")
            result = float(above) / float(below) if below else float(above)
        else:
            result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return result if math.isfinite(result) else None


def text(value: object) -> str | None:
    """Clean text of at most 2,000 characters, or None where nothing readable is left."""
    if isinstance(value, tuple | list):
        value = value[0] if value else None
    raw = _raw(value)
    if raw is None:
        return None
    raw = raw.split(b"\0", 1)[0]
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    kept = "".join(c for c in decoded if c.isprintable() or c == "\n").strip()
    return kept[:_LONGEST] or None


def _raw(value: object) -> bytes | None:
    if not isinstance(value, str):
        return value if isinstance(value, bytes) else None
    # EXIF's ASCII is read as Latin-1, but what cameras and programs write there is UTF-8.
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def _directories(image: Image.Image) -> tuple[Tags, Tags, Tags]:
    return _tags(image, None), _tags(image, IFD.Exif), _tags(image, IFD.GPSInfo)


def _tags(image: Image.Image, directory: int | None) -> Tags:
    try:
        exif = image.getexif()
        return dict(exif if directory is None else exif.get_ifd(directory))
    # Pillow raises nearly anything on damaged tags, and the picture may still be fine.
    except Exception:  # noqa: BLE001
        return {}


def _taken(tags: Tags) -> tuple[str | None, float | None]:
    for time_tag, fraction_tag, offset_tag in _TIMES:
        moment, fraction = _moment(text(tags.get(time_tag)), text(_digits(tags.get(fraction_tag))))
        if moment is None:
            continue
        offset = _offset(text(tags.get(offset_tag)))
        written = moment.replace(tzinfo=offset) if offset is not None else moment
        seconds = (written if offset is not None else moment.replace(tzinfo=UTC)).timestamp()
        base = written.replace(microsecond=0).isoformat()
        # The digits as written: their number says how finely the camera counts.
        return (f"{base[:19]}.{fraction}{base[19:]}" if fraction else base), seconds
    return None, None


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def _moment(written: str | None, fraction: str | None) -> tuple[datetime | None, str]:
    match = _TIME.match(written or "")
    if match is None:
        return None, ""
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    digits = (match[7] or fraction or "").strip()
    digits = digits[:9] if digits.isascii() and digits.isdigit() else ""
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), int(f"{digits:0<6}"[:6]))
    except ValueError:
        return None, ""
    return moment, digits


def _offset(written: str | None) -> timezone | None:
    if written == "Z":
        return UTC
    match = _OFFSET.fullmatch(written or "")
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > 14 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _within(value: object, low: float, high: float) -> float | None:
    found = number(value)
    return round(found, 4) if found is not None and low <= found <= high else None


def _exposure_seconds(camera: Tags) -> float | None:
    seconds = number(camera.get(Base.ExposureTime))
    if seconds is None or seconds <= 0:
        speed = number(camera.get(Base.ShutterSpeedValue))
        seconds = 2.0**-speed if speed is not None and -20 < speed < 20 else None
    # From a millionth of a second to a day.
    return seconds if seconds is not None and 1e-6 <= seconds <= 86_400 else None


def _iso(camera: Tags) -> int | None:
    value = number(camera.get(Base.ISOSpeedRatings))
    if value is None or value >= _UNKNOWN_ISO:
        value = number(camera.get(Base.RecommendedExposureIndex)) or value
    return round(value) if value is not None and 1 <= value < 1e8 else None


def _coordinates(place: Tags) -> tuple[float | None, float | None]:
    latitude = _degrees(place.get(GPS.GPSLatitude), place.get(GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(place.get(GPS.GPSLongitude), place.get(GPS.GPSLongitudeRef), "EW", 180)
    # Half a position is none, and 0, 0 is what a receiver without a fix writes.
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(value: object, reference: object, signs: str, limit: float) -> float | None:
    """Signed degrees; without its reference the hemisphere is unknown, so the position is too."""
    sign = (text(reference) or "")[:1].upper()
    parts = list(value)[:3] if isinstance(value, tuple | list) else [value]
    degrees, *rest = (number(part) for part in parts) if parts else (None,)
    if degrees is None or not sign or sign not in signs:
        return None
    for part, unit in zip(rest, (60, 3600), strict=False):
        degrees += (part or 0.0) / unit
    if not 0 <= degrees <= limit:
        return None
    return round(-degrees if sign == signs[1] else degrees, 7)


def _altitude(place: Tags) -> float | None:
    metres = _within(place.get(GPS.GPSAltitude), -100_000, 100_000)
    below = place.get(GPS.GPSAltitudeRef) in (1, b"\x01", "\x01", "1", b"1")
    return -metres if metres is not None and below else metres


def _orientation(main: Tags) -> int:
    value = number(main.get(Base.Orientation))
    return int(value) if value is not None and value in range(1, 9) else 1


def _rating(image: Image.Image, main: Tags) -> int | None:
    stars = number(main.get(Base.Rating))
    if stars is None:
        packet = image.info.get("xmp")
        packet = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
        match = _XMP_RATING.search(packet) if isinstance(packet, bytes) else None
        stars = float(match[1]) if match else None
    return int(stars) if stars is not None and stars in range(6) else None


def _wide_text(value: object) -> str | None:
    """Windows' own title tag: UTF-16."""
    if isinstance(value, tuple | list):
        value = bytes(v & 255 for v in value if isinstance(v, int))
    return text(value.decode("utf-16-le", "ignore")) if isinstance(value, bytes) else None
