"""The way in by HTTP: files are written into the inbox whole or not at all, each content once."""

from pixsortd.daemon.uploads.reception import Reception

__all__ = ["Reception"]
