"""Where does a new path come from? The same inode with the same size and mtime was moved or linked."""

from collections.abc import Callable, Sequence

from pixsortd.records import Back, Change, FileRow, FileStamp, FileState, Found, Gone, Linked, Moved, Reason

SETTLING = Reason(code="settling", message="waiting until it has stayed unchanged")
_RENAMED = Reason(code="renamed", message="it has another name now")
_REPLACED = Reason(code="replaced", message="another file was moved over it")


def arrival(
    path: bytes,
    seen: FileStamp,
    row: FileRow | None,
    candidates: Sequence[FileRow],
    still_there: Callable[[FileRow], bool],
) -> list[Change]:
    """The changes by which a new or changed file at ``path`` is taken in.

    ``row`` is what the path was so far, ``candidates`` the rows that have its inode, and
    ``still_there`` says whether a candidate's own path still holds that inode.
    """
    others = [known for known in candidates if known.path != path and _same_file(known, seen)]
    for known in others:
        if still_there(known):
            continue
        if not known.settled and FileState.PENDING in (known.state, known.before):
            return [Gone(path=known.path, reason=_RENAMED), _found(path, seen)]
        replaced: list[Change] = [Gone(path=path, reason=_REPLACED)] if row is not None else []
        if known.state is FileState.AWAY:
            if known.before is None or known.stamp is None:
                continue
            replaced.append(Back(path=known.path, stamp=known.stamp))
        return [*replaced, Moved(old=known.path, path=path, stamp=seen)]
    for known in others:
        if known.state is FileState.INDEXED and row is None and still_there(known):
            # Linking has changed the ctime that both names share.
            return [Back(path=known.path, stamp=seen), Linked(path=path, other=known.path, stamp=seen)]
    return [_found(path, seen)]


def leaves(change: Change) -> bytes | None:
    """The path that a change empties without the file being lost, if it does."""
    if isinstance(change, Moved):
        return change.old
    return change.path if isinstance(change, Gone) and change.reason == _RENAMED else None


def _same_file(known: FileRow, seen: FileStamp) -> bool:
    stamp = known.stamp
    return (
        stamp is not None
        and known.state is not FileState.EXCLUDED
        and (stamp.inode, stamp.size, stamp.mtime_ns) == (seen.inode, seen.size, seen.mtime_ns)
    )


def _found(path: bytes, seen: FileStamp) -> Found:
    return Found(path=path, stamp=seen, settled=False, reason=SETTLING)
