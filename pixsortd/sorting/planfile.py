"""Approved plans as files beside the journal: written whole and durable before anything is moved, kept for undo."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from pixsortd.durable import sync_path
from pixsortd.errors import JournalDamaged
from pixsortd.logfile import unusable
from pixsortd.records import Plan
from pixsortd.sealed import checked, sealed

DIRECTORY = "plans"
_MAGIC = b"pixsplan"
_FRESH = ".tmp"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Plan).decode


class PlanFiles:
    """The directory of approved plans."""

    def __init__(self, directory: Path) -> None:
        """Made if absent. Raises ``StateDirectoryError``."""
        self._directory = directory / DIRECTORY
        try:
            self._directory.mkdir(exist_ok=True, mode=0o700)
            sync_path(directory)
            for path in self._directory.glob(f"*{_FRESH}"):
                path.unlink()
        except OSError as error:
            raise unusable(error, self._directory) from error

    def write(self, run: str, plan: Plan) -> None:
        """Keep the plan of a run, on disk when this returns. Raises ``StateDirectoryError``; nothing is kept then."""
        path = self._directory / run
        fresh = path.with_name(run + _FRESH)
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                for part in sealed(_MAGIC, b"", [_encode(plan)]):
                    file.write(part)
                file.flush()
                os.fsync(handle)
            os.replace(fresh, path)
            sync_path(self._directory)
        except OSError as error:
            for left in (fresh, path):
                with suppress(OSError):
                    left.unlink()
            raise unusable(error, self._directory) from error

    def read(self, run: str) -> Plan:
        """The plan of a run. Raises ``JournalDamaged``."""
        path = self._directory / run
        try:
            with path.open("rb") as file:
                checked(file, _MAGIC)
                return _decode(file.read())
        except (OSError, ValueError) as error:
            raise JournalDamaged(
                f"the steps of the plan cannot be read ({error})",
                path=os.fspath(path),
                next_step="Restore the file from a backup; without it the plan cannot be shown or taken back.",
            ) from error
