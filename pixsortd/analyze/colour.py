"""Any decoded picture as 8-bit sRGB without alpha."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

BACKGROUND = (255, 255, 255)
"""What shows through where a picture is transparent."""
_MANAGED = ("L", "RGB", "CMYK", "LAB")


def plain(image: Image.Image) -> Image.Image:
    """``image`` in mode L, RGB, CMYK or LAB: bit depth reduced, palette resolved, alpha laid on white."""
    image = _opaque(_eight_bit(image))
    return image if image.mode in _MANAGED else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A ``plain`` picture in mode RGB, its ``profile`` (ICC) applied.

    A profile that is broken or made for other channels is ignored, as viewers do.
    """
    transform = _transform(profile or b"", image.mode)
    if transform is not None:
        try:
            return transform.apply(image)
        except (ImageCms.PyCMSError, ValueError, OSError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16)
        return Image.fromarray((pixels >> 8).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    values = np.asarray(image, dtype=np.float64)
    values = np.where(np.isfinite(values), values, 0.0)
    top = float(values.max(initial=0.0))
    # The scale is not written in these files: the nearest of the usual ones that holds every value.
    white = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    if image.mode == "I" and white < 255.0:
        white = 255.0
    return Image.fromarray((values.clip(0.0, white) * (255.0 / white)).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    ground = Image.new("RGB", layer.size, BACKGROUND)
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, or None where there is nothing to do; few profiles serve a library."""
    target = ImageCms.createProfile("sRGB")
    try:
        if mode == "LAB":
            return ImageCms.buildTransform(ImageCms.createProfile("LAB"), target, "LAB", "RGB")
        if not profile:
            return None
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and (source.profile.profile_description or "").startswith("sRGB"):
            return None
        return ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
