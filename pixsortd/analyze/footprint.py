"""How much memory a decode takes, so that a few large pictures wait for one another and many small ones do not.

Measured as the peak of a process's resident memory over what it had before, at 12 and 200 megapixels;
bytes for each pixel of the file:

=================================== ======  ================================= ======
JPEG, decoded at a quarter          0.5     WebP                              16-18
progressive JPEG, 4:2:0 / 4:4:4     3 / 6   AVIF                              9.6
PNG, TIFF, BMP in RGB               4.6     HEIC                              7.3
PNG with alpha                      8.5     16-bit greys                      7-7.8
palettes (PNG, GIF)                 5.6     floats (TIFF)                     7-9
=================================== ======  ================================= ======
"""

import os

from PIL import Image

_BY_MODE = {"1": 6.0, "L": 1.2, "P": 6.0, "RGB": 4.7, "CMYK": 4.7, "LAB": 4.7, "F": 9.0, "I": 9.0}
"""The decoded pixels and what ``colour`` makes of them."""
_OTHER_MODES = 8.5
_BY_FORMAT = {"WEBP": 13.5, "AVIF": 5.5, "HEIF": 3.0}
"""What these readers hold beside it: canvases, planes, a second copy."""
_COEFFICIENT = 2.0
"""A progressive JPEG keeps all of them, for every channel of all its pixels, however small it is decoded."""
_LEAST, _SHARE = 768e6, 1 / 16


def footprint(image: Image.Image, pixels: int) -> float:
    """Bytes that loading ``image`` takes; ``pixels`` is what its file has, before any ``draft``."""
    held = image.width * image.height * _BY_MODE.get(image.mode, _OTHER_MODES)
    if image.info.get("progressive"):
        held += pixels * len(image.getbands()) * _COEFFICIENT
    return held + pixels * _BY_FORMAT.get(image.format or "", 0.0)


def in_flight() -> float:
    """Bytes that all decodes together may take: a sixteenth of the memory, at least 768 MB.

    A picture that needs more is decoded alone.
    """
    return max(_LEAST, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE)
