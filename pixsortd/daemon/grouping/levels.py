"""Coarser and finer views for the API: what the last clustering kept, and the groups as themes."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from pixsortd.api.ports import Cut, CutGroup, CutPage, ImageEntry, LevelReport, LevelsReport, Page
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.grouping.levels import Levels, Shown
from pixsortd.index.store import Store
from pixsortd.records import Constraints, LevelName, View, ViewGroup

log = structlog.get_logger()

Entries = Callable[[Sequence[bytes]], list[ImageEntry]]


class DaemonLevels:
    """Implements ``pixsortd.api.ports.Levels``. Callable from any thread."""

    def __init__(self, path: Path, store: Store, constraints: Callable[[], Constraints], entries: Entries) -> None:
        """``entries`` gives the photos of hashes as lists show them."""
        self._path = path
        self._store = store
        self._constraints = constraints
        self._entries = entries
        self._lock = threading.Lock()
        self._open: tuple[tuple[int, int, int], Levels | None] | None = None

    def report(self) -> LevelsReport:
        """The levels there are."""
        levels = self.kept()
        if levels is None:
            return LevelsReport()
        items = []
        for name, kept in levels.tight.items():
            view = self._view(levels, self._shown(levels, name), None, 0)
            items.append(
                LevelReport(name=name, likeness=kept.least, gap=kept.gap, groups=view.count, grouped=view.grouped)
            )
        themes = self._themes(None, 0)
        items.append(LevelReport(name=LevelName.THEME, groups=themes.groups, grouped=themes.grouped))
        return LevelsReport(space=levels.space, made=levels.at, items=items)

    def cut(self, cut: Cut, cursor: str | None, limit: int) -> CutPage:
        """Groups of one view. Raises ``Conflict``, ``InvalidRequest``."""
        if cut is LevelName.THEME:
            return self._themes(cursor, limit)
        levels = self._there()
        shown = self._shown(levels, cut)
        view = self._view(levels, shown, cursor, limit)
        names = {group.id: group.name for group in self._store.groups()}
        items = []
        for one in view.groups:
            group = self._group_of(one.sample)
            items.append(CutGroup(view=one, group=group, group_name=names.get(group or "")))
        return CutPage(
            groups=view.count,
            grouped=view.grouped,
            ungrouped=view.ungrouped,
            items=items,
            next_cursor=items[-1].view.id if view.more and items else None,
        )

    def images(self, cut: Cut, group: str, cursor: str | None, limit: int) -> Page[ImageEntry]:
        """Photos of one group of a view. Raises ``Conflict``, ``NotFound``, ``InvalidRequest``."""
        members = self._members(cut, group)
        if not members:
            raise NotFound(
                "there is no such group in this view", next_step="GET /api/groups/cuts lists those there are."
            )
        start = 0
        if cursor is not None:
            if cursor not in (ids := [one.hex() for one in members]):
                raise _foreign()
            start = ids.index(cursor) + 1
        page, end = members[start : start + limit], start + limit
        following = page[-1].hex() if page and end < len(members) else None
        return Page(items=self._entries(page), next_cursor=following, total=len(members))

    def together(self, name: LevelName, contents: Sequence[bytes]) -> Mapping[bytes, Sequence[bytes]]:
        """For each of these photos that is in a group of a tight level: all photos of that group."""
        levels = self.kept()
        if levels is None or name not in levels.tight:
            return {}
        return self._shown(levels, name).together(levels, contents)

    def smaller_half(self, members: Sequence[bytes]) -> Sequence[bytes] | None:
        """The smaller of the two parts that the tree shows of a group; None where it shows none."""
        levels = self.kept()
        return (levels.smaller_half(members) or None) if levels is not None else None

    # --- the tree -----------------------------------------------------------------------------------

    def kept(self) -> Levels | None:
        """What the last clustering kept, opened anew when there is another file."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            if self._open is None or self._open[0] != mark:
                self._open = (mark, self._read())
            return self._open[1]

    def _read(self) -> Levels | None:
        try:
            return Levels.open(self._path)
        except (OSError, ValueError) as error:
            log.warning("the tree of the groups cannot be used; the next clustering makes it anew", error=str(error))
            return None

    def _there(self) -> Levels:
        levels = self.kept()
        if levels is None:
            raise Conflict(
                "no tree of the groups is kept",
                next_step="Form the groups anew (POST /api/groups/recluster); it is kept from then on.",
            )
        return levels

    def _shown(self, levels: Levels, cut: Cut) -> Shown:
        gone = self._store.without_file()
        if isinstance(cut, LevelName):
            return levels.tightly(cut, gone, self._constraints().distinct)
        return levels.slid(cut, gone)

    def _view(self, levels: Levels, shown: Shown, after: str | None, limit: int) -> View:
        view = shown.view(levels, after, limit)
        if view is None:
            raise _foreign()
        return view

    def _members(self, cut: Cut, group: str) -> Sequence[bytes]:
        if cut is LevelName.THEME:
            return self._store.members(group)
        levels = self._there()
        return self._shown(levels, cut).members(levels, group)

    def _group_of(self, photos: Sequence[bytes]) -> str | None:
        """The group that most of them are in, ties by id; None where more are in none."""
        places = Counter(self._store.group_ids(photos).values())
        group = min(places, key=lambda one: (-places[one], one), default=None)
        return group if group is not None and places[group] >= len(photos) - places.total() else None

    # --- themes -------------------------------------------------------------------------------------

    def _themes(self, cursor: str | None, limit: int) -> CutPage:
        """The groups themselves."""
        groups = [group for group in self._store.groups() if group.size]
        start = 0
        if cursor is not None:
            ids = [group.id for group in groups]
            if cursor not in ids:
                raise _foreign()
            start = ids.index(cursor) + 1
        page = groups[start : start + limit]
        grouped = sum(group.size for group in groups)
        return CutPage(
            groups=len(groups),
            grouped=grouped,
            ungrouped=max(0, self._store.counts().photos - grouped),
            items=[
                CutGroup(
                    view=ViewGroup(id=group.id, size=group.size, exemplars=group.exemplars),
                    group=group.id,
                    group_name=group.name,
                )
                for group in page
            ],
            next_cursor=page[-1].id if page and start + limit < len(groups) else None,
        )


def _foreign() -> InvalidRequest:
    return InvalidRequest("this cursor is not one of this list", next_step="Begin again without a cursor.")
