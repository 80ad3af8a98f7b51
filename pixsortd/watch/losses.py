"""What becomes of known files that are not there: waited for, believed deleted, or held by the brake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pixsortd.config import WatchSettings
from pixsortd.records import Change, FileRow, FileState, Gone, Missing, Moved, Reason
from pixsortd.watch.catalog import Catalog
from pixsortd.watch.roots import braked
from pixsortd.watch.scan import is_gone, lies_in
from pixsortd.watch.tree import Tree

DELETED = Reason(code="deleted", message="the file was deleted")
CONFIRMED = Reason(code="confirmed-gone", message="the user confirmed that it is gone")
MISSING = Reason(
    code="missing",
    message="the file is not where it was; it is believed deleted after the grace time",
    next_step="Put it back to keep it here; its group, name and analysis are kept in any case.",
)


@dataclass
class Losses:
    """Absent rows, by what is to be done about them."""

    drop: list[FileRow] = field(default_factory=list)
    """Nothing is lost with these: excluded files, and files that had never settled."""
    missing: list[FileRow] = field(default_factory=list)
    """Newly missing; they become away and start their grace time."""
    waiting: list[FileRow] = field(default_factory=list)
    """Already away."""
    detached: list[FileRow] = field(default_factory=list)
    """Newly missing below a mount point at which nothing is mounted."""
    mounts: set[bytes] = field(default_factory=set)
    """Those mount points, as far as files are missing there."""


def sort_losses(absent: Iterable[FileRow], detached: frozenset[bytes]) -> Losses:
    """Sort absent rows; ``detached`` are the mount points at which nothing is mounted now."""
    losses = Losses()
    for row in absent:
        above = [mount for mount in detached if lies_in(row.path, {mount})] if detached else []
        if above:
            losses.mounts.update(above)
            if row.state not in (FileState.AWAY, FileState.EXCLUDED):
                losses.detached.append(row)
        elif row.state is FileState.EXCLUDED or (
            row.state is FileState.PENDING and not row.settled and row.sha256 is None
        ):
            losses.drop.append(row)
        elif row.state is FileState.AWAY:
            losses.waiting.append(row)
        else:
            losses.missing.append(row)
    return losses


class Absences:
    """The away files of one root: who waits for how long, and whether the brake holds them all."""

    def __init__(self, catalog: Catalog, root: str, settings: WatchSettings) -> None:
        self._catalog = catalog
        self._root = root
        self._settings = settings
        self._waiting: dict[bytes, float] = {}
        self.held: tuple[bytes, ...] | None = None
        """The paths whose absence is not believed; None while the brake is off."""

    def next_due(self) -> float | None:
        """When the first grace time ends (monotonic); None when nothing waits."""
        return next(iter(self._waiting.values()), None)

    def clear(self) -> None:
        """Forget whose grace time is running; a scan finds them again."""
        self._waiting.clear()

    def note(self, changes: Iterable[Change]) -> None:
        """Files that these changes show to be there, or to be done with, no longer wait."""
        for change in changes:
            self._waiting.pop(change.old if isinstance(change, Moved) else change.path, None)

    def verified(self, tree: Tree, paths: Iterable[bytes]) -> list[FileRow]:
        """The rows of those ``paths`` at which there is certainly nothing."""
        rows = []
        for path in sorted(paths):
            row = self._catalog.file(self._root, path)
            if row is not None and is_gone(tree, row):
                rows.append(row)
        return rows

    def weigh(self, losses: Losses, known: int) -> bool:
        """Whether these losses can be believed; if not, they are held with those already waiting."""
        missing = {row.path for row in (*losses.missing, *losses.waiting)} | self._waiting.keys()
        if not missing or not braked(len(missing), known, self._settings):
            return True
        self.held = tuple(sorted(missing))
        return False

    def accept(self, losses: Losses, now: float) -> list[Change]:
        """Start the grace time of believable losses; returns the changes to record."""
        for row in (*losses.waiting, *losses.missing):
            self._waiting.setdefault(row.path, now + self._settings.grace)
        changes: list[Change] = [Gone(path=row.path, reason=DELETED) for row in losses.drop]
        changes += [Missing(path=row.path, reason=MISSING) for row in losses.missing]
        for row in losses.detached:
            mount = max((place for place in losses.mounts if lies_in(row.path, {place})), key=len)
            changes.append(Missing(path=row.path, reason=unmounted([mount])))
        return changes

    def due(self, now: float) -> list[bytes]:
        """The paths whose grace time is over; they stop waiting."""
        paths = []
        for path, until in self._waiting.items():  # in the order in which they end
            if until > now:
                break
            paths.append(path)
        for path in paths:
            del self._waiting[path]
        return paths

    def returned(self, tree: Tree, spots: int, known: int) -> bool:
        """Whether so many held files seem to be back that the brake may let go, by looking at some of them."""
        held = self.held or ()
        looked = held[:: max(1, len(held) // spots)]
        missing = len(self.verified(tree, looked))
        return not looked or not braked(len(held) * missing // len(looked), known, self._settings)


def unmounted(points: Sequence[bytes]) -> Reason:
    """Why the files below these mount points are away."""
    names = ", ".join(f'"{point.decode("utf-8", "backslashreplace")}"' for point in points)
    return Reason(
        code="mount-away",
        message=f"nothing is mounted at {names}; the files below are kept",
        next_step="Mount it again, or confirm that the files are gone.",
    )
