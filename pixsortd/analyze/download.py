"""One file over HTTP: resumed where it was cut, checked before it counts, explained when it fails.

The bytes go to a partial file beside the target and become the target only when their length and
checksum are right, so a target that exists is whole. Nothing is retried in silence: a server that
is not there is reported at once.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping

import httpx
import structlog

from pixsortd.durable import is_full, sync_path
from pixsortd.errors import DownloadFailed, WeightsDamaged, explain_os_error
from pixsortd.records import Record

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
_BLOCK = 1 << 20
_RESERVE = 64 * 10**6
"""Bytes of the disk that a download leaves free."""
_AGAIN = "What arrived is kept: the same command goes on from there."

log = structlog.get_logger()

Watch = Callable[[int, int | None], None]
"""Called with bytes present and bytes in all (None: not known)."""


class Wanted(Record, frozen=True, kw_only=True):
    """A remote file and what is known of it before it is fetched."""

    url: str
    size: int | None = None
    sha256: str | None = None
    """The whole checksum, or its first digits as some file names carry them."""
    git_sha1: str | None = None
    """The checksum of small files in the hub's repositories: SHA-1 over a git blob."""


@contextlib.contextmanager
def client(headers: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """An HTTP client with short patience; its network errors come out as ``DownloadFailed``."""
    patience = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        with httpx.Client(timeout=patience, headers=dict(headers or {})) as session:
            yield session
    except httpx.HTTPError as error:
        raise unreachable(error) from error


def unreachable(error: httpx.HTTPError) -> DownloadFailed:
    """A network error in words."""
    try:
        host = error.request.url.host
    except RuntimeError:  # raised outside of any request
        host = "the server"
    absent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return DownloadFailed(
        f"{host} {'cannot be reached' if absent else 'broke off'} ({str(error) or type(error).__name__})",
        next_step="Check the network and try again; everything else goes on without it.",
    )


def checksums(path: str) -> tuple[str, str]:
    """(SHA-256, SHA-1 as git computes it for a blob) of a file."""
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % os.path.getsize(path), usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            sha1.update(block)
    return sha256.hexdigest(), sha1.hexdigest()


def verify(path: str, wanted: Wanted) -> str:
    """The SHA-256 of a fetched file; raises ``WeightsDamaged`` where it is not what was promised."""
    sha256, sha1 = checksums(path)
    promised = ((wanted.sha256, sha256), (wanted.git_sha1, sha1))
    if any(want is not None and not got.startswith(want) for want, got in promised):
        raise WeightsDamaged(
            f"what {wanted.url} sent does not have the checksum promised for it",
            next_step="Try again; if it happens twice, something between here and the server changes files.",
        )
    return sha256


def fetch(session: httpx.Client, wanted: Wanted, target: str, watch: Watch) -> str:
    """Fetch ``wanted`` to ``target`` and return its SHA-256.

    Raises ``DownloadFailed`` (offline, refused, cut off, disk full) or ``WeightsDamaged``.
    """
    partial = f"{target}.partial"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _room(wanted, partial)
        while not _more(session, wanted, partial, watch):
            log.info("download continues", url=wanted.url, bytes=os.path.getsize(partial))
        try:
            sha256 = verify(partial, wanted)
        except WeightsDamaged:
            os.unlink(partial)
            raise
        sync_path(partial)
        os.replace(partial, target)
    except OSError as error:
        raise _disk(error, target) from error
    return sha256


def _more(session: httpx.Client, wanted: Wanted, partial: str, watch: Watch) -> bool:
    """One request for what is missing; True when nothing is. A cut that brought nothing new is an error."""
    start = os.path.getsize(partial) if os.path.exists(partial) else 0
    if wanted.size is not None and start == wanted.size:
        return True
    if wanted.size is not None and start > wanted.size:
        os.unlink(partial)
        start = 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    done = start
    try:
        with session.stream("GET", wanted.url, headers=headers, follow_redirects=True) as response:
            if response.status_code == 416 and start:  # a complete file of unknown length, or another one
                os.unlink(partial)
                return False
            if response.status_code not in (200, 206):
                raise refused(response, wanted.url)
            resumed = response.status_code == 206
            done = start if resumed else 0
            length = response.headers.get("Content-Length")
            total = wanted.size or (done + int(length) if length is not None else None)
            watch(done, total)
            with open(partial, "ab" if resumed else "wb") as file:
                for block in response.iter_bytes():
                    file.write(block)
                    done += len(block)
                    watch(done, total)
    except httpx.TransportError as error:
        if os.path.exists(partial) and os.path.getsize(partial) > start:
            return False
        failed = unreachable(error)
        raise DownloadFailed(failed.message, next_step=f"{_AGAIN} {failed.next_step}") from error
    if wanted.size is not None and done != wanted.size:
        if done > start:
            return False
        raise DownloadFailed(f"{wanted.url} ends after {done} of {wanted.size} bytes", next_step=_AGAIN)
    return True


def refused(response: httpx.Response, url: str) -> DownloadFailed:
    """A status other than success in words."""
    return DownloadFailed(
        f"{url} answers {response.status_code} {response.reason_phrase}".rstrip(),
        next_step="Check the name; try again later if the server has a problem.",
    )


def _room(wanted: Wanted, partial: str) -> None:
    present = os.path.getsize(partial) if os.path.exists(partial) else 0
    missing = (wanted.size or 0) - present
    free = shutil.disk_usage(os.path.dirname(partial)).free
    if missing > max(0, free - _RESERVE):
        raise DownloadFailed(
            f"{missing / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            path=os.path.dirname(partial),
            next_step="Free some space, or set `dir` in [models] to a larger disk.",
        )


def _disk(error: OSError, target: str) -> DownloadFailed:
    what, advice = explain_os_error(error)
    if is_full(error):
        advice = f"Free some space, or set `dir` in [models] to a larger disk. {_AGAIN}"
    return DownloadFailed(f"the file cannot be kept: {what}", path=target, next_step=advice)
