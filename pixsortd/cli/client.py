"""A small client of the daemon's API, on the standard library alone: a command should answer at once."""

import contextlib
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode, urlsplit

from pixsortd import errors

Json = dict[str, Any]

PAGE = 200
TIMEOUT = 60.0
"""Seconds; a status on a spun-down disk may take a while."""


class DaemonClient:
    """The daemon at ``url``. Every call may raise the error that the daemon answered, or DaemonUnreachable."""

    def __init__(self, url: str, token: str | None = None, timeout: float = TIMEOUT) -> None:
        self.url, self._token, self._timeout = url, token, timeout

    def status(self) -> Json:
        """The daemon in one look."""
        return self._call("GET", "/status")

    def roots(self) -> Sequence[Json]:
        """All roots with their ledgers."""
        return list(self._pages("/roots", {}))

    def scan(self, root: str) -> Json:
        """Start a full scan; the job."""
        return self._call("POST", f"/roots/{quote(root, safe='')}/scan")

    def confirm_gone(self, root: str) -> Json:
        """Say that the files missing from a root are gone for good."""
        return self._call("POST", f"/roots/{quote(root, safe='')}/confirm-gone")

    def groups(self) -> Iterator[Json]:
        """Every group, largest first."""
        return self._pages("/groups", {"limit": PAGE})

    def group(self, group: str) -> Json:
        """One group."""
        return self._call("GET", _group(group))

    def members(self, group: str) -> Iterator[Json]:
        """The photos of a group."""
        return self._pages("/images", {"group": group, "limit": PAGE})

    def rename_group(self, group: str, name: str | None) -> Json:
        """Name a group, or with None take the name back."""
        return self._call("PATCH", _group(group), {"name": name})

    def recluster(self) -> Json:
        """Form the groups anew; the job."""
        return self._call("POST", "/groups/recluster")

    def change_members(self, group: str, how: str, photos: Sequence[str]) -> Json:
        """``add`` photos to a group, ``remove`` or ``bar`` them; the edit."""
        return self._call("POST", _group(group) + "/members", {how: list(photos)})

    def merge_groups(self, group: str, groups: Sequence[str]) -> Json:
        """Make groups part of another; the edit."""
        return self._call("POST", _group(group) + "/merge", {"groups": list(groups)})

    def found_group(self, photos: Sequence[str]) -> Json:
        """Make a group of these photos; the edit."""
        return self._call("POST", "/groups", {"images": list(photos)})

    def split_group(self, group: str, photos: Sequence[str] | None) -> Json:
        """Found a group of these members, or with None of the smaller part that likeness shows; the edit."""
        return self._call("POST", _group(group) + "/split", {"images": None if photos is None else list(photos)})

    def lock_group(self, group: str, locked: bool) -> Json:
        """Lock a group or open it; the edit."""
        return self._call("PUT", _group(group) + "/lock", {"locked": locked})

    def relate(self, photos: Sequence[str], relation: str) -> Json:
        """Say what photos are to one another; the edit."""
        return self._call("POST", "/groups/relations", {"images": list(photos), "relation": relation})

    def release(self, photos: Sequence[str]) -> Json:
        """Take back pins, bars and relations; the edit."""
        return self._call("POST", "/groups/release", {"images": list(photos)})

    def group_edits(self) -> Iterator[Json]:
        """Every edit of groups, newest first."""
        return self._pages("/groups/edits", {"limit": PAGE})

    def undo_edit(self, edit: str) -> Json:
        """Take an edit back; the edit that this is."""
        return self._call("POST", f"/groups/edits/{quote(edit, safe='')}/undo")

    def learning(self) -> Json:
        """How the likeness learned from the edits does."""
        return self._call("GET", "/groups/learning")

    def use_learned(self, use: bool | None) -> Json:
        """Switch it off, or (None, True) let it be used where it does better."""
        return self._call("PUT", "/groups/learning", {"use": use})

    def proposal(self) -> Json:
        """What the last clustering would change."""
        return self._call("GET", "/groups/proposal")

    def proposed_change(self, change: str) -> Json:
        """One waiting line with all its photos."""
        return self._call("GET", f"/groups/proposal/{quote(change, safe='')}")

    def settle(self, change: str, verdict: str, photos: Sequence[str]) -> Json:
        """``accept`` or ``refuse`` these photos of a waiting line; the edit."""
        return self._call("POST", f"/groups/proposal/{quote(change, safe='')}/{verdict}", {"images": list(photos)})

    def settle_many(self, changes: Sequence[str], verdict: str) -> Json:
        """``accept`` or ``refuse`` waiting lines whole; each answers for itself."""
        return self._call("POST", f"/groups/proposal/{verdict}", {"ids": list(changes)})

    def levels(self) -> Json:
        """The levels of grouping."""
        return self._call("GET", "/groups/levels")

    def cut_groups(self, cut: Mapping[str, object]) -> Iterator[Json]:
        """The groups of a ``level`` or of a place ``at`` the slider, largest first."""
        return self._pages("/groups/cuts", {**cut, "limit": PAGE})

    def cut_images(self, cut: Mapping[str, object], group: str) -> Iterator[Json]:
        """The photos of one of them, the earliest taken first."""
        return self._pages(f"/groups/cuts/{quote(group, safe='')}/images", {**cut, "limit": PAGE})

    def batches(self) -> Sequence[Json]:
        """Every batch, newest first."""
        return list(self._pages("/batches", {}))

    def batch(self, batch: str) -> Json:
        """One batch with its groups and photos."""
        return self._call("GET", _batch(batch))

    def create_batch(self, name: str, photos: Sequence[str]) -> Json:
        """Make a batch."""
        return self._call("POST", "/batches", {"name": name, "ids": list(photos)})

    def rename_batch(self, batch: str, name: str) -> Json:
        """Give a batch another name."""
        return self._call("PUT", _batch(batch), {"name": name})

    def delete_batch(self, batch: str) -> Json:
        """Take a batch off the list."""
        return self._call("DELETE", _batch(batch))

    def restore_batch(self, batch: str) -> Json:
        """Bring a deleted batch back."""
        return self._call("POST", _batch(batch) + "/restore")

    def add_to_batch(self, batch: str, photos: Sequence[str]) -> Json:
        """Put photos in."""
        return self._call("POST", _batch(batch) + "/images", {"ids": list(photos)})

    def remove_from_batch(self, batch: str, photos: Sequence[str]) -> Json:
        """Take photos out."""
        return self._call("DELETE", _batch(batch) + "/images", {"ids": list(photos)})

    def analyze_batch(self, batch: str, parameters: Json) -> Json:
        """Form a batch's groups; the job."""
        return self._call("PUT", _batch(batch) + "/analyze", parameters)

    def rank_batch(self, batch: str, label: str, metric: str) -> Json:
        """Rank one group of a batch."""
        query = urlencode({"metric": metric})
        return self._call("POST", f"{_batch(batch)}/groups/{quote(label, safe='')}/rank?{query}")

    def similar(self, image: str, limit: int) -> Json:
        """Photos like one, nearest first, and the space they were compared in."""
        return self._call("GET", "/search?" + urlencode({"like": image, "limit": limit}))

    def why_id(self, photo_or_file: str) -> Json:
        """The passport behind the id of a photo or of a file."""
        return self._call("GET", "/why?" + urlencode({"id": photo_or_file}))

    def why_path(self, path: bytes) -> Json:
        """The passport of an absolute path."""
        return self._call("GET", "/why?path=" + quote_from_bytes(path, safe="/"))

    def quarantine(self) -> Iterator[Json]:
        """Every failed file with its reason."""
        return self._pages("/quarantine", {"limit": PAGE})

    def retry(self, files: Sequence[str]) -> Json:
        """Queue failed files again."""
        return self._call("POST", "/quarantine/retry", {"ids": list(files)})

    def trash(self) -> Iterator[Json]:
        """Every file in the trash, newest first."""
        return self._pages("/trash", {"limit": PAGE})

    def discard(self, photos: Sequence[str]) -> Json:
        """Move photos to the trash; each answers for itself."""
        return self._call("POST", "/trash", {"ids": list(photos)})

    def restore(self, items: Sequence[str]) -> Json:
        """Bring files back from the trash; each answers for itself."""
        return self._call("POST", "/trash/restore", {"ids": list(items)})

    def purge(self, items: Sequence[str] | None) -> Json:
        """Delete files in the trash for good, or with None all of them."""
        return self._call("POST", "/trash/purge", {"ids": None if items is None else list(items)})

    def sort_rules(self) -> Json:
        """The rules of sorting in force, and what rules are made of."""
        return self._call("GET", "/sort/rules")

    def replay(self, since: str | None) -> Json:
        """Try the rules in force on the library; the job."""
        return self._call("POST", "/sort/replay", {"since": since})

    def replayed(self) -> Json:
        """What the last trial found."""
        return self._call("GET", "/sort/replay")

    def plans(self) -> Iterator[Json]:
        """What waits, then the history, newest first."""
        return self._pages("/plans", {"limit": PAGE})

    def propose(self, root: str | None) -> Json:
        """Plan anew for an inbox, or for each; what waits."""
        return self._call("POST", "/plans", {"root": root})

    def plan(self, plan: str) -> Json:
        """A plan with all its steps and all that no step concerns."""
        query: dict[str, object] = {"limit": PAGE}
        whole = page = self._call("GET", f"{_plan(plan)}?{urlencode(query)}")
        while page["next_cursor"] is not None:
            page = self._call("GET", f"{_plan(plan)}?{urlencode(query | {'cursor': page['next_cursor']})}")
            whole = page | {part: whole[part] + page[part] for part in ("items", "unmoved")}
        return whole

    def apply_plan(self, plan: str, steps: Sequence[str] | None) -> Json:
        """Approve a plan, or only these steps; it is under way then."""
        return self._call("POST", _plan(plan) + "/apply", {"steps": steps})

    def refuse_steps(self, plan: str, steps: Sequence[str]) -> Json:
        """Leave the photos of these steps alone; what waits now."""
        return self._call("POST", _plan(plan) + "/refuse", {"steps": steps})

    def undo_plan(self, plan: str, steps: Sequence[str] | None) -> Json:
        """Take a plan back, or only these steps; the plan that does so."""
        return self._call("POST", _plan(plan) + "/undo", {"steps": steps})

    def job(self, job: str) -> Json:
        """One job."""
        return self._call("GET", f"/jobs/{quote(job, safe='')}")

    def _pages(self, path: str, query: Mapping[str, object]) -> Iterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            asked = dict(query) | ({"cursor": cursor} if cursor else {})
            page = self._call("GET", f"{path}?{urlencode(asked)}" if asked else path)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def upload_limits(self) -> Json:
        """What an upload may be."""
        return self._call("GET", "/images/upload")

    def upload(self, form: Iterable[bytes], kind: str, files: int, batch: str | None) -> Json:
        """Send a form of the media type ``kind`` as it is made; what became of each of its ``files``."""
        path = "/images/upload" if batch is None else f"{_batch(batch)}/upload-and-add"
        return self._exchange("POST", f"{path}?files={files}", form, kind)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        payload = None if body is None else json.dumps(body).encode()
        return self._exchange(method, path, payload, "application/json")

    def _exchange(self, method: str, path: str, body: bytes | Iterable[bytes] | None, media_type: str) -> Json:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=self._timeout)
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = media_type
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
                chunked = body is not None and not isinstance(body, bytes)
                connection.request(method, f"{parts.path}/api{path}", body, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(f"the daemon does not answer ({error})") from error
        finally:
            connection.close()
        try:
            value = json.loads(text)
        except ValueError:
            raise self._unreachable("something that is not pixsortd answers") from None
        if answer.status >= 400:
            raise problem(value)
        return dict(value)

    def _unreachable(self, what: str) -> errors.DaemonUnreachable:
        advice = "Start it with `pixsortd run`, or look at `systemctl status pixsortd`."
        return errors.DaemonUnreachable(what, path=self.url, next_step=advice)


def _group(group: str) -> str:
    return f"/groups/{quote(group, safe='')}"


def _plan(plan: str) -> str:
    return f"/plans/{quote(plan, safe='')}"


def _batch(batch: str) -> str:
    return f"/batches/{quote(batch, safe='')}"


def problem(given: Mapping[str, Any]) -> errors.PixsortdError:
    """The error behind problem details, as the class it had in the daemon where that class is known."""
    code = str(given.get("type", "")).rpartition(":")[2]
    kind = errors_by_code().get(code, errors.PixsortdError)
    fields = "".join(f"; {one['field']}: {one['message']}" for one in given.get("errors", ()))
    return kind(
        f"{given.get('detail') or given.get('title') or 'refused'}{fields}", next_step=given.get("next_step", "")
    )


def errors_by_code() -> dict[str, type[errors.PixsortdError]]:
    """Every error class by its code."""
    known: dict[str, type[errors.PixsortdError]] = {}
    waiting: list[type[errors.PixsortdError]] = [errors.PixsortdError]
    while waiting:
        kind = waiting.pop()
        known.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return known
