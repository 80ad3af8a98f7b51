"""Naming a photo on the command line: by its id, by a known path, or by any file with the same bytes."""

import hashlib
import os
import re
from collections.abc import Sequence
from typing import Any

from pixsortd.cli.source import Source
from pixsortd.errors import NotFound, unreadable

Json = dict[str, Any]

_ID = re.compile(r"[0-9a-fA-F]{64}")
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(text: str) -> bool:
    """Whether ``text`` is the id of a photo: a SHA-256 in hex."""
    return bool(_ID.fullmatch(text))


def passport(source: Source, text: str) -> Json:
    """The passport of a photo, by its id, or of a file, by path or id. Raises NotFound for what is not known."""
    if is_id(text) and not os.path.lexists(text):
        return source.why_id(text.lower())
    given = os.path.expanduser(os.fsencode(text))
    parent, name = os.path.split(os.path.abspath(given))
    spellings = dict.fromkeys((os.path.join(parent, name), os.path.join(os.path.realpath(parent), name)))
    for path in spellings:
        try:
            return source.why_path(path)
        except NotFound as error:
            missing = error
    return _by_content(source, given, missing)


def image_id(source: Source, text: str) -> str:
    """The id of the photo that ``text`` names. Raises NotFound."""
    if is_id(text) and not os.path.lexists(text):
        return text.lower()
    image = passport(source, text)["image"]
    if image is None:
        raise NotFound(
            f"{text} is known, but its content is not yet", next_step="`pixsortd why` says what it waits for."
        )
    return str(image["id"])


def image_ids(source: Source, texts: Sequence[str]) -> list[str]:
    """The same for several."""
    return [image_id(source, text) for text in texts]


def _by_content(source: Source, path: bytes, missing: NotFound) -> Json:
    """The same photo under any other path: a photo is its content."""
    if _FILE_ID.fullmatch(os.fsdecode(path)) and not os.path.lexists(path):
        return source.why_id(os.fsdecode(path))
    if not os.path.isfile(path):
        raise missing
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(error, path) from error
    try:
        return source.why_id(digest)
    except NotFound:
        raise NotFound(
            "no photo with these bytes is indexed",
            path=path,
            next_step="Put the file below one of the roots (`pixsortd roots`); it is looked at within seconds.",
        ) from None
