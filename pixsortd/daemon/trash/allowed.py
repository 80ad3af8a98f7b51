"""Whether a file may be moved below its root right now. Pure."""

import os
from collections.abc import Mapping

from pixsortd.errors import Conflict
from pixsortd.records import FileRow, FileState, RootRecord, RootState, root_id


def refusal(base: bytes, standing: Mapping[str, RootRecord]) -> Conflict | None:
    """Why nothing can be moved below a root now."""
    record = standing.get(root_id(base))
    shown = os.fsdecode(base)
    if record is None:
        return Conflict(f"the root {shown} is not configured any more", next_step="Add it to pixsortd.toml again.")
    if not record.writable:
        return Conflict(
            f"the root {shown} is read-only",
            next_step="Set `writable = true` under that root in pixsortd.toml and restart, "
            "or delete the file yourself: pixsortd notices.",
        )
    if record.state is not RootState.ONLINE:
        return Conflict(
            f"the root {shown} is {record.state}", next_step="Bring the disk or share back, then try again."
        )
    return None


def absent(base: bytes, row: FileRow) -> Conflict | None:
    """Why the file of a row cannot be moved now."""
    if row.state is FileState.AWAY:
        shown = os.fsdecode(base.rstrip(b"/") + b"/" + row.path)
        return Conflict(f"the file is away: {shown}", next_step="Put it back, or wait until it is believed deleted.")
    return None
