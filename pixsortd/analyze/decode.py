"""From bytes to a picture: allow-listed formats, a pixel cap before decoding, orientation applied.

One decode serves thumbnail, models and metrics: JPEG is decoded at the reduced size its format
offers, as long as that is not below what is needed; anything much larger is averaged down.
"""

import io
import struct
import warnings
from dataclasses import dataclass

import PIL
from PIL import Image, ImageFile, UnidentifiedImageError

from pixsortd.analyze.budget import Budget
from pixsortd.analyze.colour import plain
from pixsortd.analyze.exif import exif_of, orientation_of
from pixsortd.analyze.footprint import footprint, in_flight
from pixsortd.analyze.view import Box, ImageView
from pixsortd.config import DecodeSettings
from pixsortd.errors import NotAnImage, TooLarge
from pixsortd.records import Exif

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "BMP")
"""Nothing else is even looked at. MPO is what JPEG's reader makes of a file of several pictures."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FROM_RIGHT, _FROM_BOTTOM = (2, 3, 6, 7), (3, 4, 7, 8)
"""Orientations by which the stored left or top comes to lie at the right or bottom."""
_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK", "LAB", "I", "F")
_AT_ONCE = 16 * 2**20
"""Bytes that a decoder is given at once."""

Extent = tuple[float, float]
"""Width and height."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a decode has to serve, in pixels."""

    long_side: int
    short_side: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture and what its container said."""

    view: ImageView
    format: str
    frames: int
    exif: Exif


class Decoder:
    """Decodes within the configured limits; safe to use from several threads."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._pixels = settings.max_megapixels * 1_000_000
        self._budget = Budget(in_flight())
        self._formats = list(FORMATS)
        self.name = f"Pillow {PIL.__version__}"
        # Pillow's own guard covers what is checked while decoding, such as the canvas of a GIF.
        Image.MAX_IMAGE_PIXELS = self._pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Given a file in pieces of the usual 64 kB, a decoder begins its row of pixels anew with each.
        ImageFile.MAXBLOCK = _AT_ONCE
        try:
            import pillow_heif
        except ImportError:  # an extra: its wheels are GPL
            return
        pillow_heif.register_heif_opener(depth_images=False, aux_images=False)
        self._formats.append("HEIF")
        self.name += f", pillow-heif {pillow_heif.__version__}"

    def decode(self, data: bytes, need: Need) -> Decoded:
        """The picture in ``data``. Raises ``NotAnImage``, ``TooLarge`` or ``MemoryError``."""
        try:
            return self._decode(data, need)
        except (TooLarge, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise self._too_large() from error
        except UnidentifiedImageError as error:
            known = ", ".join(self._formats)
            raise NotAnImage(
                "it is empty" if not data else "no decoder takes it",
                next_step=f"Known formats: {known}. " + _heif_hint(data, self._formats),
            ) from error
        # Decoders raise nearly anything on hostile data: SyntaxError, EOFError, struct.error, RuntimeError ...
        except Exception as error:
            raise NotAnImage(
                f"it cannot be decoded: {_words(error)}",
                next_step="Open it in a viewer; if it is damaged, restore it from a backup.",
            ) from error

    def _decode(self, data: bytes, need: Need) -> Decoded:
        with Image.open(io.BytesIO(data), formats=self._formats) as image:
            width, height = image.size
            if width * height > self._pixels:
                raise self._too_large(width, height)
            drafted = image.draft(None, _target(image.size, need))
            with self._budget.share(footprint(image, width * height)):
                exif = exif_of(image)
                image.load()
                # Asked again: some containers are turned by their decoder and then say so.
                turn = orientation_of(image)
                shown = drafted[1][2:] if drafted is not None else image.size
                small, shown = _reduced(image, shown, need)
                small, shown = _reduced(plain(small), shown, need)
                upright, box = _turned(small, shown, turn)
                # Counting frames moves the reader, and with it the pixels that are still its own.
                upright = upright.copy() if upright is image else upright
                frames = _frames(image)
                profile = image.info.get("icc_profile")
        if turn >= 5:
            width, height = height, width
        return Decoded(ImageView(width, height, upright, box, profile), str(image.format), frames, exif)

    def _too_large(self, width: int = 0, height: int = 0) -> TooLarge:
        limit = self._pixels // 1_000_000
        size = f"{width} x {height} pixels" if width else "its pixels"
        return TooLarge(
            f"{size} are more than the {limit} megapixels that are allowed",
            next_step="Raise max_megapixels in [decode] if this is a photo.",
        )


def _target(size: tuple[int, int], need: Need) -> tuple[int, int]:
    """The smallest size of that aspect which still serves ``need``, at most ``size``."""
    width, height = size
    scale = max(need.long_side / max(size), need.short_side / max(1, min(size)))
    if scale >= 1:
        return size
    return max(1, int(width * scale)), max(1, int(height * scale))


def _reduced(image: Image.Image, shown: Extent, need: Need) -> tuple[Image.Image, Extent]:
    """``image`` averaged down by a whole factor while at least twice what is needed remains."""
    width, height = _target(image.size, need)
    factor = min(image.width // width, image.height // height) // 2
    # Averaging palette indices or one-bit pixels would mean nothing; those pictures are small anyway.
    if factor < 2 or image.mode not in _AVERAGED:
        return image, shown
    return image.reduce(factor), (shown[0] / factor, shown[1] / factor)


def _turned(image: Image.Image, shown: Extent, orientation: int) -> tuple[Image.Image, Box]:
    """``image`` upright, and where in it lies what was ``shown`` at its left and top before."""
    wide, high = image.width - shown[0], image.height - shown[1]
    turn = _UPRIGHT.get(orientation)
    if turn is not None:
        image = image.transpose(turn)
    if orientation >= 5:
        wide, high = high, wide
    left = wide if orientation in _FROM_RIGHT else 0.0
    top = high if orientation in _FROM_BOTTOM else 0.0
    return image, (left, top, image.width - wide + left, image.height - high + top)


def _frames(image: Image.Image) -> int:
    try:
        return max(1, int(getattr(image, "n_frames", 1)))
    # The first picture is decoded already; damage in a later one may raise anything.
    except Exception:  # noqa: BLE001
        return 1


def _words(error: Exception) -> str:
    if isinstance(error, struct.error):
        return "its header is damaged"
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _heif_hint(data: bytes, formats: list[str]) -> str:
    if "HEIF" in formats or data[4:8] != b"ftyp":
        return ""
    return "HEIC needs the package's extra: pip install 'pixsortd[heif]'."
