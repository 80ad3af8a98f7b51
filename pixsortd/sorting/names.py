"""Pure decisions on names: what travels with a photo, what it is called in the trash, and when it comes back."""

import os
import unicodedata
from collections.abc import Collection, Container, Iterable, Iterator, Sequence

LONGEST = 255
"""Bytes of a name on nearly every file system."""

_BESIDE = frozenset((b".xmp", b".aae", b".mov", b".mp4"))
"""What belongs to a photo of the same stem: settings, edits, and the film of a Live Photo."""
_RAW = frozenset(
    b".3fr .arw .cr2 .cr3 .dng .erf .fff .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 .rwl .sr2 .srf"
    b" .srw .x3f".split()
)
"""What belongs to a JPEG of the same stem."""
_JPEG = frozenset((b".jpg", b".jpeg", b".jpe", b".jfif"))


def folded(name: bytes) -> str:
    """A name as file systems and people compare it: without case, accents composed alike."""
    return unicodedata.normalize("NFC", os.fsdecode(name)).casefold()


def shown(name: bytes) -> str:
    """A name or path for a sentence; what is no UTF-8 in it is spelled out."""
    return name.decode(errors="backslashreplace")


def spelled(text: str) -> str:
    """A sentence that can be written down: what was no UTF-8 in the names in it is spelled out."""
    return text.encode(errors="backslashreplace").decode().replace("\\udc", "\\x")


def companions(
    name: bytes, beside: Iterable[bytes], staying: Iterable[bytes], photos: Collection[bytes]
) -> list[bytes]:
    """The names among ``beside`` (one directory) that go wherever the photo ``name`` goes.

    ``staying`` are names in that directory that do not go; ``photos`` the extensions of photos
    (lower-case with dot). While another photo of the same stem stays, what belongs to both stays too.
    """
    stem, extension = _split(name)
    others = [other for other in staying if other != name and _split(other)[1].lower() in photos]
    shared = any(folded(_split(other)[0]) == folded(stem) for other in others)
    twins = any(folded(other) == folded(name) for other in others)
    raws = _RAW if extension.lower() in _JPEG else frozenset[bytes]()
    found = []
    carried = [] if twins else [name]
    for other in sorted(beside):
        other_stem, other_extension = _split(other)
        kind = other_extension.lower()
        if other == name or kind in photos or shared or folded(other_stem) != folded(stem):
            continue
        if kind in _BESIDE or kind in raws:
            found.append(other)
            carried += [other] if kind in raws else []
    sidecars = {folded(one + b".xmp") for one in carried}
    return found + [other for other in sorted(beside) if other not in found and folded(other) in sidecars]


def family(name: bytes) -> str:
    """What a photo and all that goes with it have in common."""
    return folded(_split(name)[0])


def families(listing: Iterable[bytes]) -> dict[str, list[bytes]]:
    """The names of one directory by :func:`family`, in which alone the companions of a photo are looked for.

    A sidecar is also in that of the file that it may be named after, as ``IMG_1.jpg.xmp`` is.
    """
    found: dict[str, list[bytes]] = {}
    for name in listing:
        stem, extension = _split(name)
        after = [family(stem)] if extension.lower() == b".xmp" else []
        for one in dict.fromkeys([folded(stem), *after]):
            found.setdefault(one, []).append(name)
    return found


def stored_name(parcel: str, number: int, name: bytes, longest: int = LONGEST) -> bytes:
    """The name of a parcel's file in the trash: the parcel's id, so that none collide, and the old name."""
    front = f"{parcel}-" if number == 0 else f"{parcel}.{number}-"
    return front.encode() + _cut(name, longest - len(front))


def parcel_of(stored: bytes) -> str:
    """The parcel's id in a name that :func:`stored_name` gave."""
    return stored.partition(b"-")[0].partition(b".")[0].decode(errors="backslashreplace")


def renamed(names: Sequence[bytes], wanted: bytes) -> list[bytes]:
    """What the files of a unit are called when the first of them gets the name ``wanted``."""
    if wanted == names[0]:
        return list(names)
    stem, new = _split(names[0])[0], _split(wanted)[0]
    return [wanted, *(new + name[len(_shared_stem(name, stem)) :] for name in names[1:])]


def numbered(names: Sequence[bytes], number: int, longest: int = LONGEST) -> list[bytes]:
    """The files of a unit, all changed alike: ``IMG_1.jpg`` as ``IMG_1 (2).jpg``; with 1 only cut where too long."""
    mark = f" ({number})".encode() if number > 1 else b""
    stem = _split(names[0])[0]
    shared = [_shared_stem(name, stem) for name in names]
    room = longest - len(mark) - max(len(name) - len(own) for name, own in zip(names, shared, strict=True))
    if room <= 0:  # what looks like an extension fills the name
        return [_shorten(name, longest - len(mark)) + mark for name in names]
    return [_shorten(own, room) + mark + name[len(own) :] for name, own in zip(names, shared, strict=True)]


def free_names(names: list[bytes], taken: Container[str], first: Collection[bytes]) -> Iterator[list[bytes]]:
    """Names to try for a unit, all changed alike: as they are, then numbered.

    ``first`` are the names that are in the directory now, ``taken`` the same folded: an exact return
    needs only its own names, a new name must not be taken for any other.
    """
    if not any(name in first for name in names):
        yield names
    for number in range(2, 10_000):
        changed = numbered(names, number)
        if not any(folded(name) in taken for name in changed):
            yield changed


def _split(name: bytes) -> tuple[bytes, bytes]:
    """(stem, extension with its dot); a leading dot begins no extension."""
    dot = name.rfind(b".")
    return (name[:dot], name[dot:]) if dot > 0 else (name, b"")


def _shared_stem(name: bytes, stem: bytes) -> bytes:
    """The part of ``name`` that is the unit's ``stem``, however it is written."""
    ends = [place for place, byte in enumerate(name) if byte == 0x2E]
    return next((name[:end] for end in ends if folded(name[:end]) == folded(stem)), _split(name)[0])


def _cut(name: bytes, longest: int) -> bytes:
    """A name in at most that many bytes, its extension kept."""
    if len(name) <= longest:
        return name
    stem, extension = _split(name)
    if len(extension) > 16:
        stem, extension = name, b""
    return _shorten(stem, longest - len(extension)) + extension


def _shorten(text: bytes, longest: int) -> bytes:
    """The beginning of a name, never with a character cut in two."""
    cut = text[: max(0, longest)]
    if len(cut) < len(text):
        while cut and text[len(cut)] & 0xC0 == 0x80:
            cut = cut[:-1]
    return cut
