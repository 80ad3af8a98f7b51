"""Whether there is room for what a plan would write."""

from pixsortd.records import Action, PlanStep, Room
from pixsortd.sorting.planning.scene import Scene

BOUND = frozenset((Action.HARDLINK, Action.REFLINK))
"""Actions that do not lead to another file system."""


class Space:
    """Room on every file system, and what steps take of it."""

    def __init__(self, floor: int) -> None:
        """``floor``: bytes that stay free."""
        self._floor = floor
        self._rooms: dict[int, Room] = {}

    def take(self, step: PlanStep, scene: Scene) -> str:
        """Count a step; why there is no room for it, in words, if so. Raises ``Stays``."""
        source, goal = step.files[0].source, step.files[0].destination
        volume = scene.volume(goal.base, goal.directory)
        across = volume.device != scene.volume(source.base, source.directory).device
        if step.back or not (step.action is Action.COPY or (step.action is Action.MOVE and across)):
            return ""
        needed = sum(file.stamp.size for file in step.files)
        room = self._rooms.get(volume.device) or Room(base=goal.base, needed=0, free=volume.free)
        room = Room(base=min(room.base, goal.base), needed=room.needed + needed, free=room.free)
        self._rooms[volume.device] = room
        if room.free - room.needed >= self._floor:
            return ""
        return f"there is no room for it: {_mb(room.needed)} are needed so far, {_mb(room.free)} are free" + (
            f", of which {_mb(self._floor)} stay free" if self._floor else ""
        )

    def rooms(self) -> tuple[Room, ...]:
        """What was counted, for every file system that something is written to."""
        return tuple(self._rooms[device] for device in sorted(self._rooms, key=lambda one: self._rooms[one].base))


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
