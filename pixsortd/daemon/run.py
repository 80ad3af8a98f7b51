"""The daemon's life: lock, open, serve, reload, stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

import pixsortd
from pixsortd.api.app import create_app
from pixsortd.api.server import serve
from pixsortd.config import Loaded, Settings, state_directory
from pixsortd.daemon import log as daemon_log
from pixsortd.daemon.allocator import give_freed_memory_back
from pixsortd.daemon.compose import Daemon
from pixsortd.daemon.doctor.finding import Level
from pixsortd.daemon.doctor.storage import CHECK, state_directory_is_usable
from pixsortd.daemon.heart import Heart
from pixsortd.daemon.lock import Address, InstanceLock
from pixsortd.daemon.notify import Notifier
from pixsortd.daemon.token import TokenPlace, token_in_force, token_place
from pixsortd.errors import ConfigError, PixsortdError, StateDirectoryError

log = structlog.get_logger()

STOP_SECONDS = 3.0
"""For all threads together; with the server's own second this keeps SIGTERM below five."""


_TURN = 0.001
"""Seconds a thread may compute while others wait: a request takes several turns beside commits and scans."""


def main(loaded: Loaded, extra_roots: Sequence[Path] = ()) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Raises ``PixsortdError`` when it cannot start."""
    daemon_log.configure(loaded.settings.log)
    sys.setswitchinterval(_TURN)
    give_freed_memory_back()
    state_dir = state_directory(loaded.settings)
    require_usable(loaded.settings)
    notifier = Notifier(os.environ)
    heart = Heart(notifier.watchdog_seconds / 4 if notifier.watchdog_seconds else None)
    with InstanceLock(state_dir) as lock:
        daemon = Daemon(loaded, extra_roots, state_dir, heart)
        place = token_place(loaded.settings.api, state_dir, os.environ)
        return asyncio.run(_live(daemon, loaded, place, token_in_force(place), lock, notifier, heart))


async def _live(
    daemon: Daemon,
    loaded: Loaded,
    place: TokenPlace | None,
    token: str | None,
    lock: InstanceLock,
    notifier: Notifier,
    heart: Heart,
) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    settings = loaded.settings.api
    app = create_app(daemon.library, settings, token, sessions=daemon.state_dir / "run" / "sessions.json")
    note = Address(
        pid=os.getpid(),
        url="",
        token=token,
        token_file=str(place.path) if place else "",
        token_given=place is not None and place.given,
        version=pixsortd.__version__,
    )

    def on_bound(url: str) -> None:
        nonlocal note
        note = msgspec.structs.replace(note, url=url + settings.base_path)
        lock.announce(note)
        notifier.ready(f"serving {note.url}")
        log.info("ready", url=note.url, state=str(daemon.state_dir), roots=len(daemon.roots.entries()))

    def on_hangup() -> None:
        nonlocal note
        _reload(daemon, notifier)
        fresh = _token_again(place, note.token)
        if fresh != note.token:
            note = msgspec.structs.replace(note, token=fresh)
            app.change_token(fresh)
            lock.announce(note)
            log.warning("another token is in force; every session ended", path=note.token_file)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    pulse = loop.create_task(_pulse(notifier, heart)) if heart.interval else None
    daemon.start()
    try:
        await serve(app, settings.host, settings.port, on_bound, stop)
    finally:
        notifier.stopping()
        if pulse is not None:
            pulse.cancel()
        daemon.stop(STOP_SECONDS)
        log.info("stopped")
    return 0


def _reload(daemon: Daemon, notifier: Notifier) -> None:
    try:
        later = daemon.reload()
    except PixsortdError as error:
        log.error("settings not read again", error=str(error), next_step=error.next_step)
        return
    notifier.status(f"settings read again; a restart is needed for: {', '.join(sorted(later))}" if later else "serving")


def _token_again(place: TokenPlace | None, token: str | None) -> str | None:
    """The token as it is now; the one in force where it cannot be read."""
    try:
        return token_in_force(place)
    except ConfigError as error:
        log.error("token not read again", error=str(error), next_step=error.next_step)
        return token


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
