"""A decoded photo that knows what it is a picture of, however small it was decoded.

Two things cost faithfulness or time when a photo is decoded small, and both are settled here. Half a
pixel more or less at a border moves a model's crop by a whole one, so sizes are always those of the
original, and the part of the reduced picture that shows it is exact to the fraction. And colours are
managed last, on the few pixels that are used.
"""

from dataclasses import dataclass, replace

from PIL import Image

from pixsortd.analyze.colour import to_srgb

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class ImageView:
    """A photo as displayed: oriented, without alpha. ``resized`` is the way to its pixels."""

    width: int
    height: int
    """Pixels of the original, after the orientation is applied."""
    source: Image.Image
    """Perhaps reduced, and still in its own colours (mode RGB, L, CMYK or LAB)."""
    box: Box
    """Where in ``source`` the photo lies: its last column and row may show less than a whole pixel of it."""
    profile: bytes | None = None
    """The ICC profile of ``source``."""

    @classmethod
    def of(cls, image: Image.Image) -> "ImageView":
        """A whole picture in sRGB, as it is."""
        return cls(image.width, image.height, image, (0.0, 0.0, float(image.width), float(image.height)))

    def resized(
        self, size: tuple[int, int], resample: Image.Resampling, *, reducing_gap: float | None = None
    ) -> Image.Image:
        """The photo at exactly ``size`` (width, height): 8-bit sRGB, a picture of its own."""
        return to_srgb(self.source.resize(size, resample, self.box, reducing_gap), self.profile)

    def middle(self, aspect: float) -> "ImageView":
        """Without its ends where it is more than ``aspect`` times as long as wide; copies no pixels."""
        left = max(0, (self.width - int(self.height * aspect)) // 2)
        top = max(0, (self.height - int(self.width * aspect)) // 2)
        x0, y0, x1, y1 = self.box
        across, down = left * (x1 - x0) / self.width, top * (y1 - y0) / self.height
        box = (x0 + across, y0 + down, x1 - across, y1 - down)
        return replace(self, width=self.width - 2 * left, height=self.height - 2 * top, box=box)
