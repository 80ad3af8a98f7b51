"""Bars for work that a command does itself, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pixsortd.cli import shell

Show = Callable[[str, int, int | None], None]
"""Told a title, how much is done, and of how much if that is known."""


@contextmanager
def bars(session: shell.Session, *, of_bytes: bool = False) -> Iterator[Show]:
    """A bar on stderr for each title, or nothing off a terminal and with --quiet."""
    if session.quiet or not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as Left
    from rich.progress import TransferSpeedColumn as Speed

    amount = (DownloadColumn(), Speed()) if of_bytes else (MofNCompleteColumn(),)
    title = TextColumn("{task.description}", markup=False)
    with Progress(title, BarColumn(), *amount, Left(), console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(title: str, done: int, total: int | None) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(title, total=total)
            progress.update(tasks[title], completed=done, total=total)

        yield show


def _nothing(_title: str, _done: int, _total: int | None) -> None:
    """Nobody looks."""
