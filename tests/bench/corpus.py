"""Photo files made from a seed, kept between runs: camera-like JPEGs, other formats, and very many small ones.

A file's bytes depend on seed, number and size alone, so a corpus only ever grows; what is there already is
not made again. Bytes may differ between versions of Pillow's codecs.
"""

import io
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.bench._scenes import Pixels, photo, scene

VERSION = 1
"""Goes up when the same arguments make other bytes."""
QUALITY = 93
FIRST, LAST = 1451606400, 1767225600
"""Seconds since 1970: photos are taken from 2016 to 2025."""
FRAMES = {12: (4000, 3000), 24: (6000, 4000)}
CAMERAS = (("Canon", "Canon EOS R6"), ("Apple", "iPhone 13"), ("SONY", "ILCE-7M4"), ("Google", "Pixel 8"))
NOTE = 24_000
"""Bytes of maker's note, which every reader of EXIF has to step over."""
SMALL = (160, 120)
SUBJECT = 12
"""Small photos that show the same thing."""
A_DIRECTORY = 500

Encode = Callable[[Image.Image, Image.Exif], bytes]


def home(given: Path | None = None) -> Path:
    """Where corpora are kept between runs: ``given``, or a directory in the system's temporary place."""
    return given or Path(tempfile.gettempdir()) / f"pixsortd-bench-{VERSION}"


def photos(root: Path, count: int, megapixels: int = 12, seed: int = 0) -> list[Path]:
    """``count`` JPEGs as cameras write them, in ``root``: 4:2:0, about 0.4 bytes a pixel, EXIF, taken over ten years.

    A new 12 MP file takes about half a second, the first of a seed some more.
    """
    width, height = frame(megapixels)
    return [
        _kept(
            root / f"IMG_{megapixels}_{seed}_{number:05}.jpg",
            lambda n=number: _jpeg(width, height, seed, n),
            seed,
            number,
        )
        for number in range(count)
    ]


def mixed(root: Path, count: int, seed: int = 0, megapixels: int = 12) -> list[Path]:
    """``count`` files of other formats in ``root`` in turn: PNG, WebP, and HEIC where Pillow can write it."""
    width, height = frame(megapixels)
    encoders = list(_others().items())
    made = []
    for number in range(count):
        suffix, encode = encoders[number % len(encoders)]
        path = root / f"IMG_{megapixels}_{seed}_{number:05}.{suffix}"

        def data(encode: Encode = encode, number: int = number) -> bytes:
            return encode(Image.fromarray(photo(width, height, seed, number)), exif(seed, number))

        made.append(_kept(path, data, seed, number))
    return made


def small(root: Path, count: int, seed: int = 0) -> list[Path]:
    """``count`` distinct small JPEGs in directories of 500: some twelve of each subject look alike. 1 ms each."""
    views = [np.asarray(Image.fromarray(scene(2256, 1756, seed * 8 + n)).resize((1128, 878))) for n in range(8)]
    return [
        _kept(
            root / f"{number // A_DIRECTORY:04}" / f"S_{seed}_{number:07}.jpg",
            lambda n=number: _little(views, seed, n),
            seed,
            number,
        )
        for number in range(count)
    ]


def copies(files: Sequence[Path], root: Path, count: int, first: int = 0) -> list[Path]:
    """``count`` files of new content in ``root``: these in turn with a number behind the picture, all on the disk.

    They cost a reader what the originals do; equal numbers of equal files are equal contents.
    """
    root.mkdir(parents=True)
    made = []
    for number in range(first, first + count):
        file = files[number % len(files)]
        made.append(root / f"{number:07}-{file.name}")
        made[-1].write_bytes(file.read_bytes() + number.to_bytes(8, "big"))
        os.utime(made[-1], ns=(file.stat().st_mtime_ns,) * 2)
    os.sync()
    return made


def frame(megapixels: int) -> tuple[int, int]:
    """Width and height, 3:2 or 4:3 as cameras have it."""
    if megapixels in FRAMES:
        return FRAMES[megapixels]
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5 / 8) * 8
    return height * 4 // 3 // 8 * 8, height


def taken(seed: int, number: int) -> int:
    """When it was taken, seconds since 1970; numbers are in no order in time."""
    return int(np.random.default_rng((seed, number, 1)).integers(FIRST, LAST))


def exif(seed: int, number: int) -> Image.Exif:
    """What a camera writes beside the picture."""
    random = np.random.default_rng((seed, number, 2))
    make, model = CAMERAS[number % len(CAMERAS)]
    moment = datetime.fromtimestamp(taken(seed, number), UTC).strftime("%Y:%m:%d %H:%M:%S")
    tags = Image.Exif()
    tags[Base.Make], tags[Base.Model], tags[Base.Orientation] = make, model, 6 if number % 5 == 4 else 1
    tags[Base.DateTime] = moment
    inner = tags.get_ifd(IFD.Exif)
    inner[Base.DateTimeOriginal], inner[Base.OffsetTimeOriginal] = moment, "+00:00"
    inner[Base.ExposureTime] = 1 / int(random.choice([30, 60, 125, 250, 1000]))
    inner[Base.FNumber] = float(random.choice([1.8, 2.8, 4.0, 8.0]))
    inner[Base.ISOSpeedRatings] = int(random.choice([100, 200, 800, 3200]))
    inner[Base.FocalLength] = float(random.integers(24, 105))
    inner[Base.MakerNote] = random.bytes(NOTE)
    return tags


def _kept(path: Path, data: Callable[[], bytes], seed: int, number: int) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.write_bytes(data())
        os.utime(draft, (taken(seed, number),) * 2)
        draft.rename(path)
    return path


def _jpeg(width: int, height: int, seed: int, number: int) -> bytes:
    return _saved(Image.fromarray(photo(width, height, seed, number)), exif(seed, number), "JPEG", quality=QUALITY)


def _little(views: Sequence[Pixels], seed: int, number: int) -> bytes:
    """A cut of a scene near where its subject is, a little lighter or darker."""
    subject = np.random.default_rng((seed, number // SUBJECT, 3))
    random = np.random.default_rng((seed, number, 4))
    view = views[int(subject.integers(len(views)))]
    spare = view.shape[1] - 2 * SMALL[0], view.shape[0] - 2 * SMALL[1]
    x, y = (int(subject.integers(room)) + int(random.integers(24)) for room in spare)
    scale = int(random.integers(100, 130))
    cut = view[y : y + SMALL[1] * scale // 100, x : x + SMALL[0] * scale // 100]
    shade = np.clip(np.arange(256) * random.uniform(0.9, 1.1), 0, 255).astype(np.uint8)
    moment = datetime.fromtimestamp(taken(seed, number), UTC).strftime("%Y:%m:%d %H:%M:%S")
    tags = Image.Exif()
    tags.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = moment
    return _saved(Image.fromarray(shade[cut]).resize(SMALL), tags, "JPEG", quality=85)


def _others() -> dict[str, Encode]:
    encoders: dict[str, Encode] = {
        "png": lambda image, tags: _saved(image, tags, "PNG", compress_level=1),
        "webp": lambda image, tags: _saved(image, tags, "WEBP", quality=85, method=2),
    }
    try:
        import pillow_heif
    except ImportError:
        return encoders
    pillow_heif.register_heif_opener()
    encoders["heic"] = lambda image, tags: _saved(image, tags, "HEIF", quality=75, enc_params={"preset": "ultrafast"})
    return encoders


def _saved(image: Image.Image, tags: Image.Exif, kind: str, **choices: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, exif=tags, **choices)
    return out.getvalue()
