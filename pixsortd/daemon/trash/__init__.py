"""Deleting, so that it can be undone: the sorting room's trash, the index and the roots put together."""

from pixsortd.daemon.trash.deletion import DaemonTrash

__all__ = ["DaemonTrash"]
