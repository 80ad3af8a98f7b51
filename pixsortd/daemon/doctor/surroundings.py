"""The rest of the machine: open files, the clock, and whether this package is whole."""

import os
import tempfile
import time
from collections.abc import Iterator
from importlib import resources

from pixsortd.config import Settings, state_directory
from pixsortd.daemon.doctor.finding import Finding, fail, ok, warn
from pixsortd.daemon.doctor.storage import existing

OPEN_FILES = 1024
BUILT = 1767225600.0
"""2026-01-01: this program is not older, so the present is later."""


def files_may_be_opened(_: Settings) -> Iterator[Finding]:
    """The daemon holds sockets, index files and watches; a worker a batch of photos."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    words = f"{soft} files may be open at once"
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES:
        yield ok("open files", words if soft != resource.RLIM_INFINITY else "any number of files may be open")
    else:
        yield warn("open files", words, f"`ulimit -n {min(hard, 4096)}`, or LimitNOFILE=4096 in the unit.")


def clock_is_sane(settings: Settings) -> Iterator[Finding]:
    """Settling compares the file system's clock with ours."""
    directory = existing(state_directory(settings))
    theirs: float | None = None
    if os.access(directory, os.W_OK) and directory == state_directory(settings):
        with tempfile.TemporaryFile(dir=directory) as probe:
            theirs = os.fstat(probe.fileno()).st_mtime
    yield judge_clock(time.time(), theirs)


def judge_clock(ours: float, theirs: float | None) -> Finding:
    """``theirs`` is the time the file system gave a file just now, if one could be made."""
    step = "Set the clock, e.g. with `timedatectl set-ntp true`."
    if ours < BUILT:
        day = time.strftime("%Y-%m-%d", time.gmtime(ours))
        return fail("clock", f"the clock says {day}, which is in the past", step)
    if theirs is not None and abs(ours - theirs) > 60:
        return warn("clock", f"the file system's clock differs from this machine's by {ours - theirs:.0f} s", step)
    return ok("clock", "the clock is plausible")


def page_is_built(_: Settings) -> Iterator[Finding]:
    """The page is built when the package is; an editable install without Node has none."""
    if (resources.files("pixsortd") / "api" / "page" / "index.html").is_file():
        yield ok("page", "the page is part of this installation")
    else:
        yield warn("page", "this installation has no page; API and command line work", "Install again: `pip install .`")
