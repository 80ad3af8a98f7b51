"""Where commands get their answers. All of them speak in the JSON of the API."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pixsortd.cli.client import DaemonClient
from pixsortd.config import Settings, state_directory
from pixsortd.daemon.lock import read_address
from pixsortd.errors import DaemonUnreachable

Json = dict[str, Any]

START = "Start it with `pixsortd run`, or look at `systemctl status pixsortd`."


class Source(Protocol):
    """What the reading and asking commands need. Any call may raise the errors of pixsortd.errors."""

    def status(self) -> Json: ...

    def roots(self) -> Sequence[Json]: ...

    def scan(self, root: str) -> Json: ...

    def confirm_gone(self, root: str) -> Json: ...

    def groups(self) -> Iterator[Json]: ...

    def group(self, group: str) -> Json: ...

    def members(self, group: str) -> Iterator[Json]: ...

    def rename_group(self, group: str, name: str | None) -> Json: ...

    def recluster(self) -> Json: ...

    def similar(self, image: str, limit: int) -> Json: ...

    def why_id(self, photo_or_file: str) -> Json: ...

    def why_path(self, path: bytes) -> Json: ...

    def quarantine(self) -> Iterator[Json]: ...

    def retry(self, files: Sequence[str]) -> Json: ...

    def job(self, job: str) -> Json: ...


def source(settings: Settings, environ: Mapping[str, str] = os.environ) -> Source:
    """The running daemon of these settings; raises DaemonUnreachable when there is none."""
    state_dir = state_directory(settings, environ)
    address = read_address(state_dir)
    if address is None:
        raise _absent(state_dir)
    return DaemonClient(address.url, address.token)


def _absent(state_dir: Path) -> DaemonUnreachable:
    note = state_dir / "run" / "daemon.json"
    if os.path.exists(note) and not os.access(note, os.R_OK):
        return DaemonUnreachable(
            "a daemon runs here, but its address is for its own user only",
            path=str(note),
            next_step="Run this command as the user that runs the daemon.",
        )
    return DaemonUnreachable("no daemon runs with this state directory", path=str(state_dir), next_step=START)
