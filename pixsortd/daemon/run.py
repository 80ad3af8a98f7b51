"""The daemon's life: lock, open, serve, reload, stop."""

import asyncio
import os
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

import structlog

import pixsortd
from pixsortd.api.app import create_app
from pixsortd.api.perimeter import is_loopback
from pixsortd.api.server import serve
from pixsortd.config import ApiSettings, Loaded, Settings, state_directory
from pixsortd.daemon import log as daemon_log
from pixsortd.daemon.compose import Daemon
from pixsortd.daemon.doctor.finding import Level
from pixsortd.daemon.doctor.storage import CHECK, state_directory_is_usable
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.lock import Address, InstanceLock
from pixsortd.daemon.notify import Notifier
from pixsortd.errors import ConfigError, PixsortdError, StateDirectoryError, explain_os_error

log = structlog.get_logger()

STOP_SECONDS = 3.0
"""For all threads together; with the server's own second this keeps SIGTERM below five."""


def main(loaded: Loaded, extra_roots: Sequence[Path] = ()) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Raises ``PixsortdError`` when it cannot start."""
    daemon_log.configure(loaded.settings.log)
    state_dir = state_directory(loaded.settings)
    require_usable(loaded.settings)
    notifier = Notifier(os.environ)
    heart = Heart(notifier.watchdog_seconds / 4 if notifier.watchdog_seconds else None)
    with InstanceLock(state_dir) as lock:
        daemon = Daemon(loaded, extra_roots, state_dir, heart)
        token = api_token(loaded.settings.api, state_dir)
        return asyncio.run(_live(daemon, loaded, token, lock, notifier, heart))


async def _live(
    daemon: Daemon, loaded: Loaded, token: str | None, lock: InstanceLock, notifier: Notifier, heart: Heart
) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    settings = loaded.settings.api

    def on_bound(url: str) -> None:
        lock.announce(Address(pid=os.getpid(), url=url, token=token, version=pixsortd.__version__))
        notifier.ready(f"serving {url}")
        log.info("ready", url=url, state=str(daemon.state_dir), roots=len(daemon.roots.entries()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: _reload(daemon, loaded, notifier))
    pulse = loop.create_task(_pulse(notifier, heart)) if heart.interval else None
    daemon.start()
    try:
        await serve(create_app(daemon.library, settings, token), settings.host, settings.port, on_bound, stop)
    finally:
        notifier.stopping()
        if pulse is not None:
            pulse.cancel()
        daemon.stop(STOP_SECONDS)
        log.info("stopped")
    return 0


def _reload(daemon: Daemon, loaded: Loaded, notifier: Notifier) -> None:
    try:
        later = daemon.reload(loaded.again())
    except PixsortdError as error:
        log.error("settings not read again", error=str(error), next_step=error.next_step)
        return
    notifier.status(f"settings read again; a restart is needed for: {', '.join(sorted(later))}" if later else "serving")


async def _pulse(notifier: Notifier, heart: Heart) -> None:
    """Tell systemd that the daemon lives, for as long as every thread does."""
    assert heart.interval is not None
    while True:
        stuck = heart.stuck(3 * heart.interval)
        if stuck:
            log.error("threads give no sign of life", threads=stuck)
            notifier.status(f"no sign of life from: {', '.join(stuck)}")
        else:
            notifier.alive()
        await asyncio.sleep(heart.interval)


def require_usable(settings: Settings) -> None:
    """Raise ``StateDirectoryError`` where an index would be damaged or cannot be written at all."""
    for finding in state_directory_is_usable(settings):
        if finding.check == CHECK and finding.level is Level.FAIL:
            raise StateDirectoryError(finding.message, next_step=finding.next_step)


def api_token(settings: ApiSettings, state_dir: Path) -> str | None:
    """The bearer token: from the configured file, made once for a bind off loopback, else none.

    Raises ``ConfigError`` for a token file that cannot be read or is too short to be one.
    """
    if settings.token_file:
        path = Path(settings.token_file).expanduser()
    elif is_loopback(settings.host):
        return None
    else:
        path = state_dir / "token"
        if not path.exists():
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
            log.warning("a token was made, which every client needs", path=str(path))
    try:
        token = path.read_text().strip()
    except OSError as error:
        what, advice = explain_os_error(error)
        raise ConfigError(f"the token file cannot be read: {what}", path=str(path), next_step=advice) from error
    if len(token) < 16:
        raise ConfigError(
            "the token is shorter than 16 characters", path=str(path), next_step="Write a long random text into it."
        )
    return token
