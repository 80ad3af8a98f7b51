"""One daemon a state directory: an advisory lock, and a note that tells clients where it listens."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

import msgspec

from pixsortd.durable import write_private
from pixsortd.errors import AlreadyRunning, StateDirectoryError, explain_os_error
from pixsortd.records import Record

TRIES, PAUSE = 5, 0.05
"""A command that asks whether a daemon runs holds the lock for an instant; that is no daemon."""


class Address(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Where the running daemon can be reached; kept in ``run/daemon.json``, readable by its user only."""

    pid: int
    url: str
    token: str | None = None
    token_file: str = ""
    """Where the token was read; empty without one."""
    token_given: bool = False
    """The token is a systemd credential."""
    version: str = ""


class InstanceLock:
    """Holds ``run/lock`` below the state directory for as long as the process lives.

    The kernel drops the lock when the process dies, however it dies, so a stale file never blocks a start.
    """

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "run"
        self._fd: int | None = None

    @property
    def note(self) -> Path:
        """The file that holds the ``Address``."""
        return self._directory / "daemon.json"

    def __enter__(self) -> "InstanceLock":
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what, advice = explain_os_error(error)
            raise StateDirectoryError(what, path=str(self._directory), next_step=advice) from error
        for _ in range(TRIES):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(PAUSE)
            else:
                return self
        os.close(self._fd)
        self._fd = None
        raise AlreadyRunning(
            "another pixsortd uses this state directory",
            path=str(self._directory.parent),
            next_step="Ask it with `pixsortd status`, stop it, or choose another state_dir.",
        )

    def announce(self, address: Address) -> None:
        """Write the address atomically, for the daemon's user only."""
        write_private(self.note, msgspec.json.encode(address))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.note.unlink(missing_ok=True)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def is_held(state_dir: Path) -> bool:
    """Whether a daemon runs on this state directory right now."""
    try:
        fd = os.open(state_dir / "run" / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def read_address(state_dir: Path) -> Address | None:
    """The address the daemon of this state directory announced, or None."""
    try:
        return msgspec.json.decode((state_dir / "run" / "daemon.json").read_bytes(), type=Address)
    except (OSError, msgspec.MsgspecError):
        return None
