"""``pixsortd token``: show the token in use, or replace it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pixsortd.cli import out, shell

if TYPE_CHECKING:
    from pixsortd.daemon.lock import Address
    from pixsortd.daemon.token import TokenPlace

PATIENCE = 10.0
"""Seconds that a running daemon has to take over a new token."""


@click.command(cls=shell.Reading)
@click.option("--new", is_flag=True, help="Replace it; every session ends, and clients need the new one.")
@shell.pass_session
def token(session: shell.Session, new: bool) -> None:
    """Show the token that the API asks for and where it is, or with --new replace it.

    The running daemon takes a new token over at once: logins on the page end, and whoever sends the
    token (a scraper, a script) needs the new one. Commands on this machine go on working.
    """
    from pixsortd.daemon.token import replace_token, token_in_force

    address = _address(session)
    place = _place(session, address)
    if new:
        value = replace_token(place)
        if address is not None:
            _have_it_taken_over(session, address.pid, value, place)
        session.talk("Replaced. Every session ended; clients that send the token need this one.")
    else:
        value = (address.token if address is not None else None) or token_in_force(place) or ""
    if session.json:
        out.record({"token": value, "path": str(place.path)})
    else:
        session.talk(f"# {place.path}")
        out.line(value)


def _address(session: shell.Session) -> Address | None:
    """The running daemon's note, None without a daemon; raises DaemonUnreachable when it is not for this user."""
    from pixsortd.daemon.lock import is_held, read_address
    from pixsortd.errors import DaemonUnreachable

    if not is_held(session.state_dir):
        return None
    address = read_address(session.state_dir)
    if address is None:
        raise DaemonUnreachable(
            "a daemon runs here, but its token is for its own user only",
            path=str(session.state_dir),
            next_step="Run this command as the user that runs the daemon.",
        )
    return address


def _place(session: shell.Session, address: Address | None) -> TokenPlace:
    """Where the daemon has its token, or would look for it; raises NotFound when it needs none."""
    from pixsortd.daemon.token import TokenPlace, token_place
    from pixsortd.errors import NotFound

    if address is None:
        place = token_place(session.loaded.settings.api, session.state_dir, os.environ)
    else:
        place = TokenPlace(Path(address.token_file), given=address.token_given) if address.token_file else None
    if place is None:
        raise NotFound(
            "no token is in use: only this machine reaches the daemon",
            next_step="Set require_token = true in the [api] section to have one, and restart.",
        )
    return place


def _have_it_taken_over(session: shell.Session, pid: int, value: str, place: TokenPlace) -> None:
    """Tell the daemon to look again, and wait until it announced the new token; raises PixsortdError if not."""
    from pixsortd.daemon.lock import read_address
    from pixsortd.errors import PixsortdError

    end = time.monotonic() + PATIENCE
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError:
        end = 0.0
    while time.monotonic() < end:
        address = read_address(session.state_dir)
        if address is not None and address.token == value:
            return
        time.sleep(0.05)
    raise PixsortdError(
        "the new token is written, but the daemon did not take it over",
        path=str(place.path),
        next_step="Restart it, e.g. `systemctl restart pixsortd`.",
    )
