"""Where commands get their answers. All of them speak in the JSON of the API."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from pixsortd.cli.client import DaemonClient
from pixsortd.config import Settings
from pixsortd.daemon.lock import is_held, read_address
from pixsortd.errors import DaemonUnreachable, NotFound

Json = dict[str, Any]

START = "Start it with `pixsortd run`, or look at `systemctl status pixsortd`."


class Source(Protocol):
    """What the reading commands need. Any call may raise the errors of pixsortd.errors."""

    def status(self) -> Json: ...

    def roots(self) -> Sequence[Json]: ...

    def groups(self) -> Iterator[Json]: ...

    def group(self, group: str) -> Json: ...

    def members(self, group: str) -> Iterator[Json]: ...

    def batches(self) -> Sequence[Json]: ...

    def batch(self, batch: str) -> Json: ...

    def similar(self, image: str, limit: int) -> Json: ...

    def why_id(self, photo_or_file: str) -> Json: ...

    def why_path(self, path: bytes) -> Json: ...

    def quarantine(self) -> Iterator[Json]: ...


class Daemon(Source, Protocol):
    """What the commands need that have something done."""

    def scan(self, root: str) -> Json: ...

    def confirm_gone(self, root: str) -> Json: ...

    def rename_group(self, group: str, name: str | None) -> Json: ...

    def recluster(self) -> Json: ...

    def change_members(self, group: str, how: str, photos: Sequence[str]) -> Json: ...

    def merge_groups(self, group: str, groups: Sequence[str]) -> Json: ...

    def split_group(self, group: str, photos: Sequence[str] | None) -> Json: ...

    def lock_group(self, group: str, locked: bool) -> Json: ...

    def relate(self, photos: Sequence[str], relation: str) -> Json: ...

    def release(self, photos: Sequence[str]) -> Json: ...

    def group_edits(self) -> Iterator[Json]: ...

    def undo_edit(self, edit: str) -> Json: ...

    def proposal(self) -> Json: ...

    def proposed_change(self, change: str) -> Json: ...

    def settle(self, change: str, verdict: str, photos: Sequence[str]) -> Json: ...

    def settle_many(self, changes: Sequence[str], verdict: str) -> Json: ...

    def levels(self) -> Json: ...

    def cut_groups(self, cut: Mapping[str, object]) -> Iterator[Json]: ...

    def cut_images(self, cut: Mapping[str, object], group: str) -> Iterator[Json]: ...

    def create_batch(self, name: str, photos: Sequence[str]) -> Json: ...

    def rename_batch(self, batch: str, name: str) -> Json: ...

    def delete_batch(self, batch: str) -> Json: ...

    def restore_batch(self, batch: str) -> Json: ...

    def add_to_batch(self, batch: str, photos: Sequence[str]) -> Json: ...

    def remove_from_batch(self, batch: str, photos: Sequence[str]) -> Json: ...

    def analyze_batch(self, batch: str, parameters: Json) -> Json: ...

    def rank_batch(self, batch: str, label: str, metric: str) -> Json: ...

    def retry(self, files: Sequence[str]) -> Json: ...

    def upload_limits(self) -> Json: ...

    def upload(self, form: Iterable[bytes], kind: str, files: int, batch: str | None) -> Json: ...

    def trash(self) -> Iterator[Json]: ...

    def discard(self, photos: Sequence[str]) -> Json: ...

    def restore(self, items: Sequence[str]) -> Json: ...

    def purge(self, items: Sequence[str] | None) -> Json: ...

    def job(self, job: str) -> Json: ...


def daemon(state_dir: Path) -> Daemon:
    """The daemon of this state directory; raises DaemonUnreachable when there is none."""
    address = read_address(state_dir)
    if address is None:
        raise _absent(state_dir)
    return DaemonClient(address.url, address.token)


@contextmanager
def source(state_dir: Path, settings: Settings, on_index: Callable[[float], None]) -> Iterator[Source]:
    """The running daemon, else its index; ``on_index`` then hears before it is opened when it was last written.

    Raises DaemonUnreachable when there is neither, and IndexDamaged, IndexTooNew or Conflict for an
    index that cannot be read.
    """
    index = state_dir / "index" / "data.mdb"
    if is_held(state_dir) or not os.path.exists(index):
        yield daemon(state_dir)
        return
    on_index(os.path.getmtime(index))
    from pixsortd.daemon.offline.answers import Offline  # a running daemon is asked without all that reads an index

    try:
        opened = Offline(state_dir, settings)
    except NotFound:
        raise _absent(state_dir) from None
    with closing(opened):
        yield opened


def _absent(state_dir: Path) -> DaemonUnreachable:
    note = state_dir / "run" / "daemon.json"
    if os.path.exists(note) and not os.access(note, os.R_OK):
        return DaemonUnreachable(
            "a daemon runs here, but its address is for its own user only",
            path=str(note),
            next_step="Run this command as the user that runs the daemon.",
        )
    return DaemonUnreachable("no daemon runs with this state directory", path=str(state_dir), next_step=START)
