"""Files of this machine as a multipart form that is made while it is sent."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pixsortd.errors import unreadable

CHUNK = 256 * 1024
AT_ONCE = 200
"""Files in one request: what was broken off is not much to repeat."""


class Sent(NamedTuple):
    """A file to send."""

    path: bytes
    name: bytes
    """Relative, with slashes; where it goes below the inbox."""
    size: int


def found(paths: Sequence[bytes], extensions: frozenset[bytes]) -> Iterator[Sent]:
    """The named files, whatever they are, and the photos below the named directories. Raises ``Unreadable``."""
    for path in paths:
        if os.path.isdir(path):
            above = os.path.dirname(os.path.abspath(path))
            for directory, below, names in os.walk(os.path.abspath(path)):
                below[:] = sorted(name for name in below if not name.startswith(b"."))
                for name in sorted(names):
                    if os.path.splitext(name)[1].lower() in extensions and not name.startswith(b"."):
                        inside = os.path.join(directory, name)
                        yield _sent(inside, os.path.relpath(inside, above))
        else:
            yield _sent(path, os.path.basename(path))


def _sent(path: bytes, name: bytes) -> Sent:
    try:
        return Sent(path, name, os.stat(path).st_size)
    except OSError as error:
        raise unreadable(error, path) from error


def requests(files: Sequence[Sent], most: int) -> Iterator[Sequence[Sent]]:
    """The files in as many requests as they need."""
    size = min(AT_ONCE, most)
    return (files[at : at + size] for at in range(0, len(files), size))


class Form:
    """One request's body. ``on_bytes`` hears how many bytes of files were sent, again and again."""

    def __init__(self, files: Sequence[Sent], on_bytes: Callable[[int], None]) -> None:
        self._boundary = secrets.token_hex(16)
        self._files = files
        self._on_bytes = on_bytes
        self.kind = f"multipart/form-data; boundary={self._boundary}"

    def __iter__(self) -> Iterator[bytes]:
        for one in self._files:
            head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="files"; filename="'
            yield head.encode() + _quoted(one.name) + b'"\r\n\r\n'
            try:
                with open(one.path, "rb") as file:
                    while chunk := file.read(CHUNK):
                        yield chunk
                        self._on_bytes(len(chunk))
            except OSError as error:
                raise unreadable(error, one.path) from error
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()


def _quoted(name: bytes) -> bytes:
    """As browsers write it."""
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


def told(answer: Mapping[str, Any]) -> str:
    """What became of a file, in a word."""
    return {"stored": "stored", "duplicate": "here already", "refused": "refused"}[answer["status"]]
