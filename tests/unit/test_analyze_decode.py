"""From bytes to an upright sRGB picture, within limits."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixsortd.analyze.budget import Budget
from pixsortd.analyze.colour import plain, to_srgb
from pixsortd.analyze.decode import Decoder, Need
from pixsortd.analyze.thumbnail import fitted, resized, thumbnail
from pixsortd.analyze.view import ImageView
from pixsortd.config import DecodeSettings
from pixsortd.errors import FileProblem, NotAnImage, TooLarge
from tests.conftest import draw

NEED = Need(long_side=512, short_side=256)


@pytest.fixture(autouse=True)
def pillow_as_it_was() -> Iterator[None]:
    """A decoder sets Pillow's limit for its whole process."""
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        yield
    Image.MAX_IMAGE_PIXELS = limit


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(DecodeSettings())


def saved(image: Image.Image, container: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, container, **options)
    return file.getvalue()


def shown(view: ImageView) -> Image.Image:
    """The photo at its own size."""
    return view.resized((view.width, view.height), Image.Resampling.BICUBIC)


def near(image: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size."""
    assert image.size == other.size
    return float(np.abs(np.asarray(image, np.float32) - np.asarray(other, np.float32)).mean())


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "GIF", "HEIF"])
def test_every_format(decoder: Decoder, container: str) -> None:
    if container == "HEIF":
        pytest.importorskip("pillow_heif")
    picture = draw(3, (320, 200))
    decoded = decoder.decode(saved(picture, container), NEED)
    assert decoded.format == container
    assert (decoded.view.width, decoded.view.height, decoded.frames) == (320, 200, 1)
    assert shown(decoded.view).mode == "RGB"
    assert near(shown(decoded.view), picture) < 12


def test_multi_picture_jpeg_is_its_first_picture(decoder: Decoder) -> None:
    data = saved(draw(1, (64, 48)), "MPO", save_all=True, append_images=[draw(2, (64, 48))])
    decoded = decoder.decode(data, NEED)
    assert (decoded.format, decoded.frames) == ("MPO", 2)
    assert near(shown(decoded.view), draw(1, (64, 48))) < near(shown(decoded.view), draw(2, (64, 48))) / 2


@pytest.mark.parametrize("container", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_and_pages_are_their_first_frame(decoder: Decoder, container: str) -> None:
    red, blue = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    decoded = decoder.decode(saved(red, container, save_all=True, append_images=[blue, red]), NEED)
    assert decoded.frames == 3
    assert near(shown(decoded.view), red) < 4
    # What came out is its own picture, not the reader's changing one.
    assert type(decoded.view.source) is Image.Image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(decoder: Decoder, orientation: int) -> None:
    upright = draw(5, (96, 64))
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    stored = upright if undo is None else upright.transpose(undo)
    tags = stored.getexif()
    tags[274] = orientation
    for container in ("JPEG", "PNG", "TIFF", "WEBP"):
        decoded = decoder.decode(saved(stored, container, exif=tags), NEED)
        assert (decoded.view.width, decoded.view.height) == (96, 64), container
        assert near(shown(decoded.view), upright) < 12, container
        assert decoded.exif.orientation == orientation, container


def test_large_jpegs_are_decoded_small_but_never_too_small(decoder: Decoder) -> None:
    data = saved(draw(7, (4000, 3000)), "JPEG", quality=90)
    view = decoder.decode(data, NEED).view
    assert (view.width, view.height) == (4000, 3000)
    assert view.source.size == (1000, 750)
    assert decoder.decode(data, Need(512, 1200)).view.source.height >= 1200
    assert decoder.decode(data, Need(5000, 256)).view.source.size == (4000, 3000)
    full = Image.open(io.BytesIO(data)).resize((512, 384), Image.Resampling.BICUBIC)
    assert near(resized(view, 512), full) < 2


@pytest.mark.parametrize("container", ["PNG", "TIFF", "WEBP"])
def test_other_large_pictures_are_averaged_down(decoder: Decoder, container: str) -> None:
    picture = draw(8, (3200, 2400))
    options = {"quality": 90, "method": 0} if container == "WEBP" else {}
    view = decoder.decode(saved(picture, container, **options), NEED).view
    assert 1024 <= view.source.width <= 2048
    assert near(resized(view, 512), picture.resize((512, 384), Image.Resampling.BICUBIC)) < 2


def test_transparency_is_laid_on_white(decoder: Decoder) -> None:
    clear = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    half = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    assert shown(decoder.decode(saved(clear, "PNG"), NEED).view).getpixel((5, 5)) == (255, 255, 255)
    assert shown(decoder.decode(saved(half, "WEBP", lossless=True), NEED).view).getpixel((5, 5)) == (255, 127, 127)
    palette = Image.new("P", (20, 20), 1)
    palette.putpalette([0, 0, 0, 9, 200, 30])
    assert shown(decoder.decode(saved(palette, "GIF"), NEED).view).getpixel((5, 5)) == (9, 200, 30)
    assert shown(decoder.decode(saved(palette, "PNG", transparency=1), NEED).view).getpixel((5, 5)) == (255, 255, 255)


def test_sixteen_bits_and_floats_keep_their_tones(decoder: Decoder) -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)[None].repeat(8, 0)
    expected = np.linspace(0, 255, 256)
    for data in (saved(Image.fromarray(ramp), "PNG"), saved(Image.fromarray(ramp), "TIFF")):
        got = np.asarray(shown(decoder.decode(data, NEED).view))[0, :, 1]
        assert np.abs(got - expected).max() <= 1
    unit = Image.fromarray((ramp / 65535).astype(np.float32))
    assert np.abs(np.asarray(to_srgb(plain(unit), None))[0, :, 1] - expected).max() <= 1
    wild = Image.fromarray(np.array([[np.nan, np.inf, -5.0, 3.0]], np.float32))
    assert np.asarray(to_srgb(plain(wild), None)).max() <= 255


def test_other_colour_models(decoder: Decoder) -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red = shown(decoder.decode(saved(cmyk, "JPEG", quality=95), NEED).view).getpixel((8, 8))
    assert isinstance(red, tuple)
    assert red[0] > 240
    assert max(red[1:]) < 16
    lab = Image.new("LAB", (16, 16), (255, 128, 128))
    assert min(np.asarray(to_srgb(lab, None))[0, 0]) > 200
    assert to_srgb(plain(Image.new("1", (4, 4), 1)), None).getpixel((0, 0)) == (255, 255, 255)


def _swapped_profile() -> bytes:
    """An RGB profile in which red and blue have changed places: visible whether it was applied."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    entries = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        bytes(profile[blue + 4 : blue + 12]),
        bytes(profile[red + 4 : red + 12]),
    )
    # Without its description, which says that it is sRGB.
    at = entries[b"desc"]
    offset, size = struct.unpack_from(">II", profile, at + 4)
    profile[offset + 12 : offset + size] = bytes(size - 12)
    return bytes(profile)


def test_an_embedded_profile_is_applied(decoder: Decoder) -> None:
    red = Image.new("RGB", (16, 16), (250, 10, 10))
    pixel = shown(decoder.decode(saved(red, "PNG", icc_profile=_swapped_profile()), NEED).view).getpixel((8, 8))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 200 > 60 > pixel[0]


@pytest.mark.parametrize("profile", [b"", b"not a profile", b"\0" * 200])
def test_a_broken_profile_is_ignored(decoder: Decoder, profile: bytes) -> None:
    picture = draw(2, (32, 32))
    assert near(shown(decoder.decode(saved(picture, "PNG", icc_profile=profile), NEED).view), picture) == 0


def test_a_profile_for_other_channels_is_ignored() -> None:
    grey = Image.new("L", (8, 8), 77)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert to_srgb(grey, srgb).getpixel((0, 0)) == (77, 77, 77)


def _png_of(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_001, 10_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1), (100_000_001, 1)])
def test_more_pixels_than_allowed_are_an_error_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge, match="100 megapixels") as caught:
        Decoder(DecodeSettings(max_megapixels=100)).decode(_png_of(*size), NEED)
    assert "max_megapixels" in caught.value.next_step


def test_a_picture_at_the_cap_is_allowed() -> None:
    picture = draw(1, (1000, 1000))
    assert Decoder(DecodeSettings(max_megapixels=1)).decode(saved(picture, "PNG"), NEED).view.width == 1000
    with pytest.raises(TooLarge):
        Decoder(DecodeSettings(max_megapixels=1)).decode(saved(draw(1, (1001, 1000)), "PNG"), NEED)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"not a picture at all", b"%PDF-1.4", b"P6 2 2 255 ............", b"\0" * 4096],
    ids=["empty", "two bytes", "text", "pdf", "ppm", "zeros"],
)
def test_anything_else_is_refused_with_a_reason(decoder: Decoder, data: bytes) -> None:
    with pytest.raises(NotAnImage) as caught:
        decoder.decode(data, NEED)
    assert caught.value.reason().code == "decode-failed"


def test_truncated_and_damaged_files_are_file_problems_only(decoder: Decoder) -> None:
    random = np.random.default_rng(0)
    for container in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "BMP"):
        whole = saved(draw(4, (200, 150)), container)
        with pytest.raises(NotAnImage):
            decoder.decode(whole[: len(whole) // 3], NEED)
        for _ in range(25):
            bad = bytearray(whole)
            for at in random.integers(0, len(bad), 8):
                bad[at] = random.integers(0, 256)
            with suppress(FileProblem):
                decoder.decode(bytes(bad), NEED)


def test_out_of_memory_is_not_called_damage(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pixsortd.analyze.decode.plain", exhausted)
    with pytest.raises(MemoryError):
        decoder.decode(saved(draw(1, (8, 8)), "PNG"), NEED)


def test_thumbnails_keep_the_aspect_and_never_grow() -> None:
    assert fitted((4000, 3000), 512) == (512, 384)
    assert fitted((3000, 4000), 512) == (384, 512)
    assert fitted((300, 200), 512) == (300, 200)
    assert fitted((60_000, 10), 512) == (512, 1)
    small = Image.open(io.BytesIO(thumbnail(ImageView.of(draw(1, (800, 600))), 512)))
    assert (small.format, small.size) == ("JPEG", (512, 384))
    assert not small.getexif()


def test_the_budget_is_never_exceeded_and_nobody_starves() -> None:
    budget = Budget(10.0)
    lock = threading.Lock()
    held = 0.0
    most = 0.0

    def use(amount: float) -> None:
        nonlocal held, most
        for _ in range(50):
            with budget.share(amount):
                with lock:
                    held += min(amount, 10.0)
                    most = max(most, held)
                with lock:
                    held -= min(amount, 10.0)

    threads = [threading.Thread(target=use, args=(amount,)) for amount in (0.0, 0.1, 3.3, 4.0, 9.9, 10.0, 250.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert most <= 10.0 + 1e-6


def test_real_odd_formats(decoder: Decoder, shared_data: Path) -> None:
    refused = {}
    upright = []
    for path in sorted((shared_data / "formats").rglob("*")):
        if not path.is_file() or path.suffix in (".csv", ".xmp"):
            continue
        try:
            decoded = decoder.decode(path.read_bytes(), NEED)
        except FileProblem as problem:
            refused[path.name] = problem.reason().code
            continue
        if path.name.startswith("landscape_"):
            upright.append(np.asarray(resized(decoded.view, 300), np.float32))
    # Formats that are not on the list, and one photo that is truncated.
    assert {name.rpartition(".")[2] for name in refused} <= {"jxl", "jpf", "jp2", "ico", "psd", "pgm", "jpg"}
    assert [name for name in refused if name.endswith(".jpg")] == ["ultrahdr.jpg"]
    assert len(upright) == 8
    assert all(np.abs(picture - upright[0]).mean() < 6 for picture in upright)
