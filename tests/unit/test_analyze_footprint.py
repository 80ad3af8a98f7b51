"""A decode's share of the memory is at least what it takes, and not many times that."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pixsortd.analyze.footprint import footprint, in_flight
from tests.conftest import draw

SIZE = (3000, 2000)
MEASURE = """
import sys, io, re
from pathlib import Path
from PIL import Image
from pixsortd.analyze.decode import Decoder, Need
from pixsortd.config import DecodeSettings

def kib(field):
    return int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

decoder = Decoder(DecodeSettings())
data = Path(sys.argv[1]).read_bytes()
small = io.BytesIO()
Image.new("RGB", (64, 64)).save(small, sys.argv[2])
decoder.decode(small.getvalue(), Need(512, 480))
Path("/proc/self/clear_refs").write_text("5")
before = kib("VmRSS")
decoder.decode(data, Need(512, 480))
print((kib("VmHWM") - before) * 1024)
"""
STORED = {
    "JPEG": ("RGB", {"quality": 90}),
    "progressive": ("RGB", {"quality": 90, "progressive": True, "subsampling": 0}),
    "PNG": ("RGBA", {"compress_level": 1}),
    "WEBP": ("RGB", {"quality": 80, "method": 0}),
    "TIFF": ("F", {}),
    "GIF": ("P", {}),
}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux's /proc")
def test_the_share_covers_the_peak(kind: str, tmp_path: Path) -> None:
    mode, options = STORED[kind]
    container = "JPEG" if kind == "progressive" else kind
    file = tmp_path / "photo"
    draw(1, SIZE).convert(mode).save(file, container, **options)
    with Image.open(file) as image:
        image.draft(None, (720, 480))
        share = footprint(image, SIZE[0] * SIZE[1])
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file), container], capture_output=True, text=True, check=True
    )
    peak = int(measured.stdout)
    # What allocators and the interpreter take by the way does not grow with the picture.
    assert peak <= share * 1.1 + 8e6, (peak, share)
    assert share <= 2.5 * peak + 8e6, (peak, share)


def test_many_phone_photos_fit_at_once_and_a_panorama_does_not() -> None:
    def of(size: tuple[int, int], mode: str, form: str) -> float:
        image = Image.new(mode, (1, 1))
        image._size, image.format = size, form
        return footprint(image, size[0] * size[1])

    assert 8 * of((4032, 3024), "RGB", "HEIF") <= in_flight()
    assert of((40_000, 6_000), "RGB", "WEBP") > 768e6
