"""Smaller versions of stored thumbnails, made on request."""

import io

_SIGNATURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


def media_type(data: bytes) -> str:
    """Media type of thumbnail bytes, by their signature."""
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "application/octet-stream")


def shrink(data: bytes, size: int) -> bytes:
    """The thumbnail with a long side of at most ``size`` pixels; the same bytes when it is no larger."""
    from PIL import Image  # some megabytes that a daemon whose page is never opened need not hold

    with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP", "PNG")) as image:
        if max(image.size) <= size:
            return data
        image.draft("RGB", (size, size))
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()
