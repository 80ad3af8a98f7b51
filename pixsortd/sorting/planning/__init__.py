"""What would be done, and why: pure decisions on files, rules, and names that are taken. Nothing is touched."""

from pixsortd.sorting.planning.forward import plan
from pixsortd.sorting.planning.undo import inverse
from pixsortd.sorting.planning.world import Entry, Known, Terms, Volume, World

__all__ = ["Entry", "Known", "Terms", "Volume", "World", "inverse", "plan"]
