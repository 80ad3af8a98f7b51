"""Text that is safe to put in JSON and headers, whatever bytes a file name holds."""

from urllib.parse import quote

from pixsortd.errors import InvalidRequest


def shown(path: bytes) -> str:
    """A path or name for people: UTF-8 where it is, ``\\xNN`` where it is not."""
    return path.decode("utf-8", "backslashreplace")


def clean(text: str) -> str:
    """The text without lone surrogates, which JSON cannot carry; undecodable bytes appear as ``\\xNN``."""
    try:
        return shown(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def disposition(name: bytes) -> str:
    """``Content-Disposition`` that shows inline and saves under ``name`` (RFC 6266, RFC 8187)."""
    plain = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\/%' else "_" for byte in name)
    if plain.encode() == name:
        return f'inline; filename="{plain}"'
    exact = quote(shown(name), safe="")
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def visible(text: str, what: str) -> str:
    """A name with single spaces. Raises InvalidRequest when nothing of it can be seen."""
    name = " ".join(text.split())
    if not (name and name.isprintable()):
        raise InvalidRequest(f"{what} needs at least one visible character, and no control characters")
    return name
