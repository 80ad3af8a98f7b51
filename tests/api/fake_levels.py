"""Views of the fake library's groups: every level shows the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixsortd import records
from pixsortd.api import ports
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.records import LevelName


@dataclass
class FakeLevels:
    """Implements `ports.Levels`: one view group ``v1`` of all photos, once ``kept`` is true."""

    entries: Mapping[bytes, ports.ImageEntry]
    kept: bool = True
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def report(self) -> ports.LevelsReport:
        if not self.kept:
            return ports.LevelsReport()
        count = len(self.entries)
        items = [ports.LevelReport(name=one, likeness=0.5, gap=30.0, groups=1, grouped=count) for one in LevelName]
        return ports.LevelsReport(space="clip", made=5.0, items=items)

    def cut(self, cut: ports.Cut, cursor: str | None, limit: int) -> ports.CutPage:
        self._known(cut, cursor, limit)
        view = records.ViewGroup(id="v1", size=len(self.entries), exemplars=tuple(self.entries)[:1])
        item = ports.CutGroup(view=view, group="g1", group_name="Beach")
        return ports.CutPage(groups=1, grouped=len(self.entries), ungrouped=0, items=[item])

    def images(self, cut: ports.Cut, group: str, cursor: str | None, limit: int) -> ports.Page[ports.ImageEntry]:
        self._known(cut, cursor, limit)
        if group != "v1":
            raise NotFound("There is no such group in this view")
        return ports.Page(items=list(self.entries.values())[:limit], total=len(self.entries))

    def _known(self, cut: ports.Cut, cursor: str | None, limit: int) -> None:
        self.asked.append((cut, cursor, limit))
        if not self.kept and cut is not LevelName.THEME:
            raise Conflict("No tree is kept", next_step="Form the groups anew.")
        if cursor is not None:
            raise InvalidRequest("That cursor is not ours")
