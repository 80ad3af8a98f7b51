"""Quality: scores of photos compared, ranked and computed."""

from pixsortd.daemon.quality.reports import DaemonQuality

__all__ = ["DaemonQuality"]
