"""A reduced picture stays exact about what it is a picture of."""

import io

import numpy as np
import pytest
from PIL import Image

from pixsortd.analyze.decode import Decoder, Need
from pixsortd.analyze.view import ImageView
from pixsortd.config import DecodeSettings
from tests.conftest import draw
from tests.unit.test_analyze_decode import near, saved

UNDONE = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How an upright picture is stored for an orientation."""


def ramps(size: tuple[int, int]) -> Image.Image:
    """Red grows to the right and green downwards, without end at the borders."""
    across, down = np.linspace(20, 235, size[0]), np.linspace(20, 235, size[1])
    red, green = np.meshgrid(across, down)
    return Image.fromarray(np.stack([red, green, np.full_like(red, 90)], -1).round().astype(np.uint8))


@pytest.mark.parametrize("orientation", UNDONE)
@pytest.mark.parametrize(("container", "options"), [("JPEG", {"quality": 95, "subsampling": 0}), ("PNG", {})])
def test_pixels_are_where_they_were_however_small_the_decode(
    orientation: int, container: str, options: dict[str, int]
) -> None:
    upright = ramps((1027, 771))
    undo = UNDONE[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    tags = stored.getexif()
    tags[274] = orientation
    data = saved(stored, container, exif=tags, **options)
    view, whole = (Decoder(DecodeSettings()).decode(data, Need(side, side)).view for side in (75, 9999))
    assert (view.width, view.height) == (1027, 771)
    # 1027 x 771 fit no whole number of pixels: the last ones show less than the others.
    assert view.source.width in (129, 171, 206, 257)
    left, top, right, bottom = view.box
    assert left == 0 or right == view.source.width
    assert (right - left) * 771 == pytest.approx((bottom - top) * 1027)
    found, wanted = (
        np.asarray(image, np.float32)
        for image in (
            view.resized((100, 75), Image.Resampling.BICUBIC),
            whole.resized((100, 75), Image.Resampling.BICUBIC),
        )
    )
    # Were a part of a pixel taken for a whole one, the ramps would drift apart by a level from side to side.
    apart = (found - wanted)[4:-4, 4:-4]
    assert abs(apart[:, -9:, 0].mean() - apart[:, :9, 0].mean()) < 0.25
    assert abs(apart[-9:, :, 1].mean() - apart[:9, :, 1].mean()) < 0.25


def test_a_whole_picture_is_resized_as_pillow_does() -> None:
    image = draw(1, (300, 200))
    for size in ((120, 77), (300, 200), (400, 90)):
        assert near(ImageView.of(image).resized(size, Image.Resampling.BICUBIC), image.resize(size)) == 0


def test_the_middle_of_a_strip_is_its_middle() -> None:
    image = Image.new("RGB", (1000, 20), "red")
    image.paste("blue", (460, 0, 540, 20))
    view = ImageView.of(image)
    assert view.middle(50) == view
    middle = view.middle(4)
    assert (middle.width, middle.height) == (80, 20)
    assert middle.resized((80, 20), Image.Resampling.BOX).getcolors() == [(1600, (0, 0, 255))]
    upright = ImageView.of(image.transpose(Image.Transpose.ROTATE_90)).middle(4)
    assert upright.resized((2, 8), Image.Resampling.BOX).getcolors() == [(16, (0, 0, 255))]


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "LAB"])
def test_pixels_come_out_as_rgb_and_as_a_picture_of_their_own(mode: str) -> None:
    image = Image.new(mode, (8, 8))
    out = ImageView.of(image).resized((8, 8), Image.Resampling.BICUBIC)
    assert (out.mode, out.size) == ("RGB", (8, 8))
    assert out is not image


def test_transparent_pixels_do_not_bleed_into_what_is_averaged() -> None:
    pixels = np.zeros((1200, 1200, 4), np.uint8)
    pixels[..., 1] = 255  # clear green, which must never show
    pixels[::2] = (200, 0, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    view = Decoder(DecodeSettings()).decode(file.getvalue(), Need(100, 100)).view
    assert view.source.width < 1200
    red, green, blue = np.asarray(view.resized((50, 50), Image.Resampling.BOX)).reshape(-1, 3).mean(axis=0)
    # Half red, half the white it is laid on.
    assert abs(red - 227.5) < 3
    assert abs(green - 127.5) < 3
    assert abs(blue - 127.5) < 3
