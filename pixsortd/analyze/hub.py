"""Fetching from the hub into the hub's own cache layout, and remembering what was fetched.

Same directories and names as ``huggingface_hub`` uses (blobs by checksum, snapshots by commit), so
its other users find the files; but with resume across runs, checksums compared and no silent
retries. Beside each repository's files lies ``pixsortd.json``: what came, when, under which licence.
"""

import os
import re
import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote, urljoin, urlsplit

import httpx
import msgspec

from pixsortd.analyze import download, weights
from pixsortd.analyze.weights import Origin
from pixsortd.config import ModelSettings
from pixsortd.errors import DownloadFailed, WeightsDamaged
from pixsortd.records import Record

_HUB = "https://huggingface.co"
_MANIFEST = "pixsortd.json"
_REDIRECTS = 5
_HEX = frozenset("0123456789abcdef")
_NAME_ON_DISK = "[0-9A-Za-z_-][0-9A-Za-z_.-]*"
_SAFE = re.compile(_NAME_ON_DISK)


class RemoteFile(Record, frozen=True, kw_only=True):
    """One file of a repository at one commit."""

    name: str
    commit: str
    etag: str
    wanted: download.Wanted


class Plan(Record, frozen=True, kw_only=True):
    """What a pull would bring: known before the first byte of a model is fetched."""

    repo: str
    commit: str
    license: str
    gated: bool
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int | None:
        """Bytes of all files, or None when the server does not say."""
        sizes = [file.wanted.size for file in self.files]
        return sum(size for size in sizes if size is not None) if None not in sizes else None


_NameOnDisk = Annotated[str, msgspec.Meta(pattern=rf"^{_NAME_ON_DISK}$")]
"""What a server says must not lead out of the cache."""


class _Card(msgspec.Struct):
    license: str = ""
    license_name: str = ""


class _Sibling(msgspec.Struct):
    rfilename: str


class _About(msgspec.Struct):
    sha: _NameOnDisk
    card: _Card = msgspec.field(name="cardData", default_factory=_Card)
    gated: bool | str = False
    siblings: list[_Sibling] = []


class Kept(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One line of the manifest."""

    commit: str
    size: int
    sha256: str
    license: str
    at: float


Watch = Callable[[str, int, int | None], None]
"""Called with a file's name, bytes present and bytes in all."""


def endpoint() -> str:
    """The hub's address: ``HF_ENDPOINT``, else the public one."""
    return (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")


def _headers() -> dict[str, str]:
    from huggingface_hub import get_token

    token = get_token()
    return {"User-Agent": "pixsortd", **({"Authorization": f"Bearer {token}"} if token else {})}


def online() -> None:
    """Raise ``DownloadFailed`` where the hub's own offline switch is set."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE"):
            raise DownloadFailed(f"the network is switched off by {name}", next_step=f"Unset {name} for this command.")


def plan(origin: Origin) -> Plan:
    """Ask the hub what ``origin`` is now: commit, licence, files, sizes, checksums."""
    online()
    with download.client(_headers()) as session:
        about = _about(session, origin)
        names = [_chosen(origin, {file.rfilename for file in about.siblings}), *origin.extra]
        return Plan(
            repo=origin.repo,
            commit=about.sha,
            license=origin.license or about.card.license_name or about.card.license or "not stated",
            gated=bool(about.gated),
            files=tuple(_look(session, origin, name, about.sha) for name in names),
        )


def look(repo: str, name: str) -> RemoteFile:
    """Size and checksum of one file of a repository as it is now."""
    online()
    with download.client(_headers()) as session:
        return _look(session, Origin(repo=repo), name, "main")


def _chosen(origin: Origin, present: set[str]) -> str:
    for name in origin.weights:
        if name in present:
            return name
    raise DownloadFailed(
        f"{origin.repo} has none of {', '.join(origin.weights)}",
        next_step="Name another model; only these forms of weights are read.",
    )


def _about(session: httpx.Client, origin: Origin) -> _About:
    url = f"{endpoint()}/api/models/{origin.repo}/revision/{quote(origin.revision, safe='')}"
    response = session.get(url, follow_redirects=True)
    if response.status_code != 200:
        raise _denied(response, origin, url)
    try:
        return msgspec.json.decode(response.content, type=_About)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DownloadFailed(
            f"{url} does not answer like the hub", next_step="Check HF_ENDPOINT and any proxy."
        ) from error


def _denied(response: httpx.Response, origin: Origin, url: str) -> DownloadFailed:
    code = response.headers.get("X-Error-Code", "")
    if response.status_code in (401, 403) and (origin.gated or code == "GatedRepo"):
        return DownloadFailed(
            f"{origin.repo} is only given to people who accepted its licence ({origin.license or 'see its page'})",
            next_step=f"Accept it at {_HUB}/{origin.repo}, then log in with `hf auth login` or set HF_TOKEN.",
        )
    if code in ("RepoNotFound", "RevisionNotFound") or response.status_code in (401, 404):
        return DownloadFailed(
            f"the hub has no {origin.repo} at revision {origin.revision}, or not for everybody",
            next_step="Check the name, or log in with `hf auth login` if it is private.",
        )
    return download.refused(response, url)


def _look(session: httpx.Client, origin: Origin, name: str, commit: str) -> RemoteFile:
    """Size and checksum of one file, from the answer that names its commit (a CDN's does not)."""
    url = f"{endpoint()}/{origin.repo}/resolve/{quote(commit, safe='')}/{quote(name)}"
    here = url
    for _ in range(_REDIRECTS):
        response = session.head(here, headers={"Accept-Encoding": "identity"})
        target = urljoin(here, response.headers.get("Location", ""))
        if not response.is_redirect or urlsplit(target).netloc != urlsplit(here).netloc:
            break
        here = target
    if response.status_code >= 400:
        raise _denied(response, origin, url)
    linked = response.headers.get("X-Linked-Etag")
    etag = (linked or response.headers.get("ETag", "")).removeprefix("W/").strip('"')
    size = response.headers.get("X-Linked-Size") or (
        None if response.is_redirect else response.headers.get("Content-Length")
    )
    named = response.headers.get("X-Repo-Commit") or commit
    if not _SAFE.fullmatch(etag) or not _SAFE.fullmatch(named):
        raise DownloadFailed(f"{url} has no usable ETag or commit", next_step="Check HF_ENDPOINT and any proxy.")
    return RemoteFile(
        name=name, commit=named, etag=etag, wanted=_promised(url, etag, int(size) if size is not None else None)
    )


def _promised(url: str, etag: str, size: int | None) -> download.Wanted:
    """The hub's ETag is the SHA-256 of large files and git's SHA-1 of small ones."""
    digest = etag if _HEX.issuperset(etag) else ""
    return download.Wanted(
        url=url,
        size=size,
        sha256=digest if len(digest) == 64 else None,
        git_sha1=digest if len(digest) == 40 else None,
    )


def intact(blob: str) -> bool:
    """Whether a blob of the cache still has the checksum it is named after."""
    try:
        download.verify(blob, _promised(blob, os.path.basename(blob), None))
    except WeightsDamaged:
        return False
    return True


def pull(origin: Origin, models: ModelSettings, planned: Plan, watch: Watch) -> tuple[str, ...]:
    """Fetch what ``planned`` lists and is not there whole; returns the files' paths in the cache."""
    online()
    directory = os.path.join(weights.hub_cache(models), folder(origin.repo))
    with download.client(_headers()) as session:
        return tuple(_pulled(session, directory, origin, planned, file, watch) for file in planned.files)


def folder(repo: str) -> str:
    """A repository's directory name in the cache."""
    return f"models--{repo.replace('/', '--')}"


def _pulled(
    session: httpx.Client, directory: str, origin: Origin, planned: Plan, file: RemoteFile, watch: Watch
) -> str:
    blob = os.path.join(directory, "blobs", file.etag)
    sha256 = _whole(blob, file.wanted)
    if sha256 is None:
        sha256 = download.fetch(session, file.wanted, blob, lambda done, total: watch(file.name, done, total))
    size = os.path.getsize(blob)
    watch(file.name, size, size)
    pointer = _point(directory, origin, file, blob)
    _remember(
        directory, file, Kept(commit=file.commit, size=size, sha256=sha256, license=planned.license, at=time.time())
    )
    return pointer


def _whole(blob: str, wanted: download.Wanted) -> str | None:
    """The checksum of a blob that is there and right; a wrong one is removed."""
    if not os.path.isfile(blob):
        return None
    try:
        return download.verify(blob, wanted)
    except WeightsDamaged:
        os.unlink(blob)
        return None


def _point(directory: str, origin: Origin, file: RemoteFile, blob: str) -> str:
    """The snapshot's link to the blob, and the reference from the revision to the commit."""
    pointer = os.path.join(directory, "snapshots", file.commit, file.name)
    os.makedirs(os.path.dirname(pointer), exist_ok=True)
    _replace(pointer, lambda path: os.symlink(os.path.relpath(blob, os.path.dirname(pointer)), path))
    if origin.revision != file.commit:
        reference = os.path.join(directory, "refs", origin.revision)
        os.makedirs(os.path.dirname(reference), exist_ok=True)
        _replace(reference, lambda path: _write(path, file.commit.encode()))
    return pointer


def _replace(path: str, make: Callable[[str], None]) -> None:
    new = f"{path}.new"
    if os.path.lexists(new):
        os.unlink(new)
    make(new)
    os.replace(new, path)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def manifest(directory: str) -> dict[str, Kept]:
    """What was fetched into a repository's cache directory, by file name."""
    try:
        with open(os.path.join(directory, _MANIFEST), "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, Kept])
    except (OSError, msgspec.DecodeError):
        return {}


def _remember(directory: str, file: RemoteFile, kept: Kept) -> None:
    lines = {**manifest(directory), file.name: kept}
    content = msgspec.json.format(msgspec.json.encode(lines), indent=1)
    _replace(os.path.join(directory, _MANIFEST), lambda path: _write(path, content))
