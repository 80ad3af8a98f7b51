"""Which uploads are photos: by their extension, and by the first bytes of the formats that are decoded. Pure."""

from typing import NamedTuple

from pixsortd.errors import UploadRefused

HEAD = 16
"""Bytes at the start of a file that tell its format."""


class Signature(NamedTuple):
    """A format begins with one of ``starts``, and has one of ``marks`` at ``at``."""

    name: str
    starts: tuple[bytes, ...]
    at: int = 0
    marks: tuple[bytes, ...] = (b"",)


_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"miaf")

SIGNATURES = (
    Signature("JPEG", (b"\xff\xd8\xff",)),
    Signature("PNG", (b"\x89PNG\r\n\x1a\n",)),
    Signature("GIF", (b"GIF87a", b"GIF89a")),
    Signature("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Signature("BMP", (b"BM",)),
    Signature("WebP", (b"RIFF",), 8, (b"WEBP",)),
    Signature("AVIF", (b"",), 4, (b"ftypavif", b"ftypavis")),
    Signature("HEIF", (b"",), 4, tuple(b"ftyp" + brand for brand in _HEIF_BRANDS)),
)
"""What Pillow and its HEIF plug-in decode here."""


def format_of(head: bytes) -> str | None:
    """The format that a file beginning with ``head`` (`HEAD` bytes) has, by its signature."""
    found = (one.name for one in SIGNATURES if head.startswith(one.starts) and head.startswith(one.marks, one.at))
    return next(found, None)


def check_extension(name: bytes, extensions: frozenset[bytes]) -> None:
    """Raises ``UploadRefused`` unless ``name`` ends in one of ``extensions`` (lower case with the dot)."""
    dot = name.rfind(b".")
    extension = name[dot:].lower() if dot > 0 else b""
    if extension in extensions:
        return
    what = f"files of the type {extension.decode(errors='replace')}" if extension else "files without an extension"
    raise UploadRefused(f"{what} are not taken", why="type", next_step=f"Taken are: {listed(extensions)}.")


def check_head(head: bytes) -> None:
    """Raises ``UploadRefused`` unless the first bytes of a file are those of a photo."""
    if not head:
        raise UploadRefused("the file is empty", why="empty", next_step="Look at the original, and send it again.")
    if format_of(head) is None:
        known = ", ".join(one.name for one in SIGNATURES)
        raise UploadRefused(
            "the content is not that of a photo, whatever the name says",
            why="content",
            next_step=f"Taken are: {known}.",
        )


def listed(extensions: frozenset[bytes]) -> str:
    """Extensions in words."""
    return " ".join(sorted(one.decode() for one in extensions))
